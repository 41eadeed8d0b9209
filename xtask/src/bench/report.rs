//! What a benchmark found: cases with their rounds, and how they are printed.

use std::process::Command;

use serde::{Deserialize, Serialize};

/// A benchmark's outcome.
#[derive(Serialize, Deserialize)]
pub struct Report {
    /// `gateway`, `token`, `start`.
    pub name: String,
    /// The commit measured.
    pub commit: String,
    /// The machine.
    pub machine: String,
    /// The case whose ratio stands for the whole.
    pub headline: String,
    /// All cases.
    pub cases: Vec<Case>,
    /// Sentences about what was seen beside the ratios.
    pub notes: Vec<String>,
}

/// One case: Durward's figure and the peer's, round by round.
#[derive(Serialize, Deserialize)]
pub struct Case {
    /// Its name.
    pub name: String,
    /// What it is compared with.
    pub peer: String,
    /// What the figures count: `requests per CPU-second`, `ms`, `MiB`.
    pub unit: String,
    /// What the ratio is to be: at least this, or at most, where `at_most`.
    pub goal: f64,
    /// Whether smaller is better.
    pub at_most: bool,
    /// Durward's figure and the peer's, of each round.
    pub rounds: Vec<(f64, f64)>,
}

impl Case {
    /// Durward's figure by the peer's, sorted.
    pub fn ratios(&self) -> Vec<f64> {
        let mut ratios: Vec<f64> = self.rounds.iter().map(|(own, peer)| own / peer).collect();
        ratios.sort_by(f64::total_cmp);
        ratios
    }

    /// The median ratio.
    pub fn ratio(&self) -> f64 {
        median(self.ratios())
    }

    /// How much of the goal it reaches: one and more when it is met.
    pub fn reached(&self) -> f64 {
        if self.at_most { self.goal / self.ratio() } else { self.ratio() / self.goal }
    }

    /// Whether the goal is met.
    pub fn is_met(&self) -> bool {
        self.reached() >= 1.0
    }
}

/// The middle one; of two in the middle their mean, so that none is the better one by chance.
pub fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    let middle = |place: usize| figures.get(place).copied().unwrap_or(f64::NAN);
    f64::midpoint(middle(figures.len().saturating_sub(1) / 2), middle(figures.len() / 2))
}

impl Report {
    /// An empty report of this machine and commit.
    pub fn new(name: &str, headline: &str) -> Self {
        let output = |program: &str, arguments: &[&str]| {
            Command::new(program)
                .args(arguments)
                .output()
                .map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
                .unwrap_or_default()
        };
        let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model =
            cpu.lines().find_map(|line| line.strip_prefix("model name")).map(|rest| rest.trim_start_matches(['\t', ' ', ':']).to_owned());
        // Of the machine: this process may be pinned to one of them.
        let cores = cpu.lines().filter(|line| line.starts_with("processor")).count();
        Self {
            name: name.to_owned(),
            commit: output("git", &["rev-parse", "--short", "HEAD"]),
            machine: format!("{cores} cores, {}", model.unwrap_or_default()),
            headline: headline.to_owned(),
            cases: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// A line a case, the headline's last.
    pub fn print(&self) {
        for note in &self.notes {
            println!("# {note}");
        }
        for case in &self.cases {
            println!("bench {}/{} {}", self.name, case.name, line(case));
        }
        if let Some(case) = self.cases.iter().find(|case| case.name == self.headline) {
            println!("bench {} {}", self.name, line(case));
        }
    }
}

fn line(case: &Case) -> String {
    let ratios = case.ratios();
    let (least, most) = (ratios.first().copied().unwrap_or(f64::NAN), ratios.last().copied().unwrap_or(f64::NAN));
    format!("ratio={:.3} min={least:.3} max={most:.3} peer={}", case.ratio(), case.peer.replace(' ', "-"))
}

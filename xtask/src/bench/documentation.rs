//! docs/benchmarks.md from bench/results/*.json.

use std::fmt::Write as _;

use super::report::{Case, Report, median};

/// Writes the page.
pub fn write() -> anyhow::Result<()> {
    let mut files: Vec<_> = std::fs::read_dir("bench/results")?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
        .collect();
    files.sort();
    let mut page = String::from(
        "# Benchmarks\n\nGenerated from `bench/results` by `cargo xtask bench docs`; measure yourself with `cargo xtask bench\ngateway|token|login|authzen|start`; a case alone with `bench gateway|token --only CASE`.\n\nEvery target runs once a round, ratios are formed within a round, and the median of the rounds is quoted with its range. What is measured has\none core, the load and the backend the other; it is the binary that `cargo xtask release` leaves as `target/released/durward`, which was trained\nby requests like these (profile-guided optimization), unless a note says otherwise. Requests are counted per CPU-second of the process measured,\nso that what else runs on the machine weighs little.\n",
    );
    let reports: Vec<Report> =
        files.iter().map(|file| Ok(serde_json::from_slice(&std::fs::read(file)?)?)).collect::<anyhow::Result<_>>()?;
    page.push_str(&shortfalls(&reports));
    for report in &reports {
        write!(
            page,
            "\n## {}\n\nCommit `{}`, {}.\n\n| case | Durward | peer | ratio | range | rounds | goal | met |\n|---|---:|---:|---:|---|---:|---|---|\n",
            report.name, report.commit, report.machine
        )?;
        for case in &report.cases {
            page.push_str(&row(case));
        }
        for note in &report.notes {
            write!(page, "\n* {note}")?;
        }
        page.push('\n');
    }
    std::fs::write("docs/benchmarks.md", page)?;
    Ok(())
}

/// What falls short, before everything else: the cases by how much of their goal they reach, least first.
fn shortfalls(reports: &[Report]) -> String {
    let cases = || reports.iter().flat_map(|report| report.cases.iter().map(move |case| (report, case)));
    let mut short: Vec<_> = cases().filter(|(_, case)| !case.is_met()).map(|(report, case)| (case.reached(), report, case)).collect();
    short.sort_by(|(one, ..), (other, ..)| one.total_cmp(other));
    let mut text =
        format!("\n## What falls short\n\n{} of {} goals are not met. How much of each is reached:\n\n", short.len(), cases().count());
    for (reached, report, case) in short {
        text.push_str(&format!("* {} {}: {:.0} %\n", report.name, case.name, (100.0 * reached).floor()));
    }
    text
}

fn row(case: &Case) -> String {
    let of_rounds = |pick: fn(&(f64, f64)) -> f64| median(case.rounds.iter().map(pick).collect());
    let ratios = case.ratios();
    format!(
        "| {} ({}) | {} | {} ({}) | {:.3} | {:.3} to {:.3} | {} | {} {:.2} | {} |\n",
        case.name,
        case.unit,
        figure(of_rounds(|round| round.0)),
        figure(of_rounds(|round| round.1)),
        case.peer,
        case.ratio(),
        ratios.first().copied().unwrap_or(f64::NAN),
        ratios.last().copied().unwrap_or(f64::NAN),
        case.rounds.len(),
        if case.at_most { "at most" } else { "at least" },
        case.goal,
        if case.is_met() { "yes" } else { "no" },
    )
}

/// Whole from a hundred on, else with one place.
fn figure(figure: f64) -> String {
    if figure < 100.0 { format!("{figure:.1}") } else { format!("{figure:.0}") }
}

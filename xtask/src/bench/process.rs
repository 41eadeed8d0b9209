//! A process under measurement: pinned to a core, its CPU time and memory read from the kernel, ended when dropped.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::command;

/// The core of what is measured.
pub const MEASURED: &str = "0";
/// The core of the load and of the backend.
pub const LOAD: &str = "1";

/// A running process, and those it cannot do without.
pub struct Process {
    child: Child,
    asks: Option<Box<Process>>,
}

impl Process {
    /// Starts a command pinned to a core.
    pub fn start(core: &str, program: &str, arguments: &[&str], log: &Path) -> anyhow::Result<Self> {
        let log = std::fs::File::create(log)?;
        let child = Command::new("taskset")
            .args(["-c", core, program])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("cannot start {program}"))?;
        Ok(Self { child, asks: None })
    }

    /// The same; what `other` uses counts as used by it.
    pub fn asking(mut self, other: Self) -> Self {
        self.asks = Some(Box::new(other));
        self
    }

    /// Its id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// CPU seconds used so far, by it and its children.
    pub fn cpu_seconds(&self) -> f64 {
        self.tree().iter().filter_map(|pid| ticks(*pid)).sum::<u64>() as f64 / 100.0
    }

    /// Resident memory in MiB.
    pub fn resident_mib(&self) -> f64 {
        let kib = |pid: &u32| {
            let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
            status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?.trim().trim_end_matches(" kB").parse::<f64>().ok()
        };
        self.tree().iter().filter_map(kib).sum::<f64>() / 1024.0
    }

    fn tree(&self) -> Vec<u32> {
        let mut tree = vec![self.id()];
        let mut next = 0;
        while let Some(pid) = tree.get(next).copied() {
            let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
            tree.extend(children.split_whitespace().filter_map(|pid| pid.parse::<u32>().ok()));
            next += 1;
        }
        tree.extend(self.asks.iter().flat_map(|other| other.tree()));
        tree
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let deadline = Instant::now() + Duration::from_secs(12);
        while Instant::now() < deadline {
            if let Ok(Some(_)) = self.child.try_wait() {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Pins this process to the load's core, and lets it have as many files as it may.
pub fn be_the_load() -> anyhow::Result<()> {
    output("taskset", &["-a", "-c", "-p", LOAD, &std::process::id().to_string()])?;
    let most = getrlimit(Resource::Nofile).maximum;
    Ok(setrlimit(Resource::Nofile, Rlimit { current: most, maximum: most })?)
}

/// CPU seconds that this process itself has used so far.
pub fn own_cpu_seconds() -> f64 {
    ticks(std::process::id()).unwrap_or_default() as f64 / 100.0
}

/// User and system time in clock ticks, a hundredth of a second each.
fn ticks(pid: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    Some(fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?)
}

/// Runs a command to its end and gives what it printed.
pub fn output(program: &str, arguments: &[&str]) -> anyhow::Result<String> {
    command::output(Command::new(program).args(arguments))
}

//! What the machine checks so that readers need not: one file a check, one line of output each.

mod attacks;
mod crates;
mod dependencies;
mod endpoints;
mod lines;
mod metadata;
mod reference;
mod specification;

/// A fault: where, and what to do about it.
pub type Fault = String;

type Check = fn() -> anyhow::Result<Vec<Fault>>;

/// Every check, with the sentence it establishes.
const CHECKS: [(&str, Check); 6] = [
    ("every crate depends only on what ARCHITECTURE.md allows it", crates::check),
    ("no banned crate and no unknown licence is built in", dependencies::check),
    ("every endpoint's file follows from its URL", endpoints::check),
    ("every row of SPEC.md leads to a function and a test", specification::check),
    ("every attack has its tests or the reason it waits", attacks::check),
    ("no file or function is too long to be read", lines::check),
];

/// Runs all checks; `Err` when one finds a fault.
pub fn run() -> anyhow::Result<()> {
    let mut faults = 0;
    for (sentence, check) in CHECKS {
        let found = check().unwrap_or_else(|error| vec![format!("{error:#}")]);
        println!("{} {sentence}", if found.is_empty() { "ok  " } else { "FAIL" });
        for fault in &found {
            println!("     {fault}");
        }
        faults += found.len();
    }
    anyhow::ensure!(faults == 0, "{faults} faults");
    Ok(())
}

/// A page of the project, or which one is missing.
fn page(name: &str) -> anyhow::Result<String> {
    std::fs::read_to_string(name).map_err(|error| anyhow::anyhow!("{name}: {error}"))
}

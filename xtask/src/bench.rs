//! Benchmarks.

/// Which benchmark.
#[derive(clap::Args)]
pub struct Arguments {}

/// Runs it.
pub fn run(_: Arguments) -> anyhow::Result<()> {
    Ok(())
}

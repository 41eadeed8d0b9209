//! Commands that are run to their end.

use std::process::Command;

use anyhow::Context as _;

/// Runs it and gives what it printed, without the spaces around.
///
/// # Errors
/// It cannot be started, or fails; then with what it said.
pub fn output(command: &mut Command) -> anyhow::Result<String> {
    let output = command.output().with_context(|| format!("cannot start {command:?}"))?;
    anyhow::ensure!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

//! The memory of connections that wait for their next request.

use std::time::Duration;

use super::super::process::Process;
use super::callers::{Caller, Connection, runtime};

/// How many wait.
const WAITING: usize = 2_000;
/// How many there were before, for what the first ones bring along: it is nobody's.
const BEFORE: usize = 64;

/// KiB of each. Every one has had an answer.
pub fn kib_each(process: &Process, caller: &Caller) -> anyhow::Result<f64> {
    runtime()?.block_on(async {
        drop(connected(caller, BEFORE).await?);
        let before = settled(process).await;
        let waiting = connected(caller, WAITING).await?;
        let after = settled(process).await;
        drop(waiting);
        Ok((after - before) * 1024.0 / WAITING as f64)
    })
}

async fn connected(caller: &Caller, count: usize) -> anyhow::Result<Vec<Connection>> {
    let mut waiting = Vec::new();
    for _ in 0..count {
        let mut connection = caller.connect().await?;
        connection.ask(caller).await?;
        waiting.push(connection);
    }
    Ok(waiting)
}

async fn settled(process: &Process) -> f64 {
    tokio::time::sleep(Duration::from_secs(1)).await;
    process.resident_mib()
}

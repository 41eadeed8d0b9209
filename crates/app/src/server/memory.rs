//! Memory that is no longer used goes back to the system.

use std::time::Duration;

use durward_net::Shutdown;
use tokio::time::{Instant, interval_at};

/// When what the start took is no longer used.
const STARTED: Duration = Duration::from_secs(1);
/// How often afterwards: seldom enough to cost nothing under load.
const MINUTE: Duration = Duration::from_secs(60);

/// Has the allocator give back what is free. By itself it does so only while it is asked for more: an idle server would keep all that its start,
/// or its busiest moment, took.
pub async fn give_back(shutdown: Shutdown) {
    let mut minute = interval_at(Instant::now() + STARTED, MINUTE);
    loop {
        tokio::select! {
            _ = minute.tick() => collect(),
            () = shutdown.cancelled() => return,
        }
    }
}

#[allow(unsafe_code, reason = "the allocator is C, and this is the one thing that is asked of it")]
fn collect() {
    // SAFETY: it takes no pointer, may be called on any thread at any time, and moves nothing that is in use.
    unsafe { libmimalloc_sys::mi_collect(true) }
}

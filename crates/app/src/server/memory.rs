//! Memory that is no longer used goes back to the system.

use std::time::Duration;

use durward_net::Shutdown;

/// As long as the allocator keeps what is free before it may go.
const SECOND: Duration = Duration::from_secs(1);

/// Asks the allocator each second to give back what has been free for one. By itself it does so only while it is asked for more: an idle server
/// would keep all that its start, or its busiest moment, took.
pub async fn give_back(shutdown: Shutdown) {
    let mut second = tokio::time::interval(SECOND);
    loop {
        tokio::select! {
            _ = second.tick() => collect(),
            () = shutdown.cancelled() => return,
        }
    }
}

#[allow(unsafe_code, reason = "the allocator is C, and this is the one thing that is asked of it")]
fn collect() {
    // SAFETY: it takes no pointer, may be called on any thread at any time, and moves nothing that is in use.
    unsafe { libmimalloc_sys::mi_collect(false) }
}

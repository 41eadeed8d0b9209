//! The enforcement point and its data path: accept (TLS) → route → credential → principal → decide → forward → record, one file a step.

#[allow(dead_code, reason = "wip")]
mod accept;
mod forward;
mod upstream;

pub use upstream::UpstreamTimeouts;

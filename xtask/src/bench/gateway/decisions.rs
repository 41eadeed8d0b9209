//! Decisions over 1,000 policies, ours and those of the crate `cedar-policy`: a program of its own, built as the binary is.

use super::super::process::output;

/// Who decides.
#[derive(Clone, Copy)]
pub enum Decider {
    /// The gateway's own index.
    Index,
    /// The crate alone.
    Crate,
}

/// How many a second.
pub fn per_second(decider: Decider) -> anyhow::Result<f64> {
    let decider = match decider {
        Decider::Index => "index",
        Decider::Crate => "crate",
    };
    let program = ["run", "--release", "--quiet", "--package", "durward-policy", "--example", "decisions", "--", decider];
    Ok(output("cargo", &program)?.parse()?)
}

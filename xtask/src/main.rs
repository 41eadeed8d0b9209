//! The checks and benchmarks the machine runs.
fn main() {}

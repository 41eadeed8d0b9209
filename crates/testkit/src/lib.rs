//! Fake clock, seeded randomness and the HTTP harness.

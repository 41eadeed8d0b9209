//! `/livez`

/// Answers while the process can answer at all.
pub async fn get() -> &'static str {
    "alive\n"
}

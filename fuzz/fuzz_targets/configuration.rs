//! Settings and resources in YAML: no panic, errors that point into the text, and no document read as two things.

#![no_main]

use std::path::Path;

use durward_app::configuration::{ConfigurationError, Settings, documents};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let file = Path::new("durward.yaml");
    if let Err(error) = Settings::parse(text, file) {
        must_point_into(text, &error);
    }
    match documents::parse(text, file) {
        Ok(documents) => {
            let kinds = text.lines().filter(|line| line.starts_with("kind:")).count();
            assert!(documents.len() <= kinds, "{} documents of {kinds} kinds", documents.len());
        }
        Err(error) => must_point_into(text, &error),
    }
});

fn must_point_into(text: &str, error: &ConfigurationError) {
    assert!(!error.message.is_empty());
    // YAML 1.2 section 5.4: a carriage return alone breaks a line too. The end may be a line of its own.
    let lines = text.matches(['\n', '\r']).count() as u64 + 2;
    if let Some((line, column)) = error.place {
        assert!((1..=lines).contains(&line) && column as usize <= text.len() + 2, "{line}:{column} of {lines} lines: {error}");
    }
}

//! tests/attacks.toml: every known attack and fault, with the tests that prove its outcome or the work it waits for.

use std::collections::BTreeMap;

use anyhow::Context as _;
use serde::Deserialize;

use super::{Fault, reference};

/// How many cases the catalogue has. It grows; it never shrinks.
const CASES: usize = 274;

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Case {
    /// `file.rs::test` each.
    tests: Vec<String>,
    /// The later work it waits for, and why; beside tests: what of it waits.
    waits: Option<String>,
}

pub fn check() -> anyhow::Result<Vec<Fault>> {
    let cases: BTreeMap<String, Case> = toml::from_str(&super::page("tests/attacks.toml")?).context("tests/attacks.toml")?;
    Ok(faults(&cases))
}

fn faults(cases: &BTreeMap<String, Case>) -> Vec<Fault> {
    let mut faults = Vec::new();
    if cases.len() < CASES {
        faults.push(format!("tests/attacks.toml: holds {} cases, expected {CASES}", cases.len()));
    }
    for (id, case) in cases {
        if case.tests.is_empty() && case.waits.as_deref().is_none_or(|reason| reason.len() < 8) {
            faults.push(format!("tests/attacks.toml: {id} has neither tests nor what it waits for"));
        }
        faults
            .extend(case.tests.iter().filter_map(|test| reference::fault(test)).map(|fault| format!("tests/attacks.toml: {id}: {fault}")));
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_without_tests_or_reason_is_found() {
        let cases = BTreeMap::from([("X-001".to_owned(), Case::default())]);
        assert_eq!(faults(&cases).len(), 2);
    }
}

//! SPEC.md: rows `| section | `file.rs::function` | `file.rs::test` |`, each leading where it says.

use super::{Fault, reference};

pub fn check() -> anyhow::Result<Vec<Fault>> {
    Ok(faults(&super::page("SPEC.md")?))
}

fn faults(page: &str) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut rows = 0;
    for (number, line) in page.lines().enumerate().filter(|(_, line)| line.starts_with('|') && line.contains("::")) {
        rows += 1;
        let references = line.split('`').skip(1).step_by(2).filter(|text| text.contains("::"));
        faults.extend(references.filter_map(reference::fault).map(|fault| format!("SPEC.md:{}: {fault}", number + 1)));
    }
    if rows == 0 {
        faults.push("SPEC.md: no rows were found".to_owned());
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_that_leads_nowhere_is_found() {
        assert_eq!(faults("| 4.1 | `no/file.rs::f` | `no/file.rs::t` |").len(), 2);
        assert_eq!(faults("").len(), 1);
    }
}

//! The table of crates in ARCHITECTURE.md against the manifests.

use std::collections::{BTreeMap, BTreeSet};

use super::Fault;
use super::metadata::Metadata;

pub fn check() -> anyhow::Result<Vec<Fault>> {
    let table = allowed(&super::page("ARCHITECTURE.md")?);
    let metadata = Metadata::read()?;
    let manifests = metadata.packages.iter().filter_map(|package| {
        let own = package.dependencies.iter().filter(|dependency| dependency.kind.as_deref() != Some("dev"));
        let own = own.filter_map(|dependency| dependency.name.strip_prefix("durward-")).map(str::to_owned).collect();
        Some((package.name.strip_prefix("durward-")?.to_owned(), own))
    });
    Ok(faults(&table, &manifests.collect()))
}

type Table = BTreeMap<String, BTreeSet<String>>;

fn faults(allowed: &Table, manifests: &Table) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (name, depends) in manifests {
        let Some(may) = allowed.get(name) else {
            faults.push(format!("crates/{name}: not in the table of ARCHITECTURE.md; add its row"));
            continue;
        };
        for dependency in depends.difference(may).filter(|_| !may.contains("all")) {
            faults.push(format!("crates/{name}/Cargo.toml: depends on {dependency}, which ARCHITECTURE.md does not allow"));
        }
    }
    let gone = allowed.keys().filter(|name| !manifests.contains_key(*name));
    faults.extend(gone.map(|name| format!("ARCHITECTURE.md: the table names {name}, which does not exist")));
    faults
}

/// Rows `| `name` | sentence | dependencies |` of the tables whose head's last cell is `may depend on`.
fn allowed(page: &str) -> Table {
    let mut table = Table::new();
    let mut within = false;
    for line in page.lines() {
        let cells: Vec<&str> = line.trim().trim_matches('|').split('|').map(str::trim).collect();
        match cells.as_slice() {
            [_, _, "may depend on"] => within = true,
            [name, _, dependencies] if within && name.starts_with('`') => {
                let words =
                    dependencies.split([',', ' ']).map(|word| word.trim_matches(['`', '–', '*', '.'])).filter(|word| !word.is_empty());
                table.insert(name.trim_matches('`').to_owned(), words.map(str::to_owned).collect());
            }
            [_, _, _] => {}
            _ => within = false,
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dependency_the_table_does_not_allow_is_found() {
        let page = "| crate | sentence | may depend on |\n|---|---|---|\n| `base` | x | – |\n| `gateway` | y | base |\n";
        let manifest = |name: &str, depends: &[&str]| (name.to_owned(), depends.iter().map(|name| (*name).to_owned()).collect());
        let fine = Table::from([manifest("base", &[]), manifest("gateway", &["base"])]);
        assert_eq!(faults(&allowed(page), &fine), Vec::<Fault>::new());
        let wrong = Table::from([manifest("base", &[]), manifest("gateway", &["base", "store"]), manifest("store", &[])]);
        assert_eq!(faults(&allowed(page), &wrong).len(), 2);
    }
}

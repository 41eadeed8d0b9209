//! The resources: 100 policies, of which one lets the caller in; each reads `context`, or none.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// What the benchmarks of the gateway are made from.
pub const SOURCE: &str = "bench/gateway";
/// Policies about what nobody here asks for.
const SHELVES: usize = 99;

/// Writes them below `directory`, beside the secret that they name, and gives their directory.
pub fn write(directory: &Path) -> anyhow::Result<PathBuf> {
    let resources = directory.join("resources");
    std::fs::create_dir_all(&resources)?;
    std::fs::copy(Path::new(SOURCE).join("secret"), directory.join("secret"))?;
    for file in std::fs::read_dir(Path::new(SOURCE).join("resources"))? {
        let file = file?;
        std::fs::copy(file.path(), resources.join(file.file_name()))?;
    }
    write_policies(&resources, "")?;
    Ok(resources)
}

/// Writes the policies, each with this condition.
pub fn write_policies(resources: &Path, condition: &str) -> anyhow::Result<()> {
    let reading = std::fs::read_to_string(Path::new(SOURCE).join("resources/reading.cedar"))?;
    std::fs::write(resources.join("reading.cedar"), reading.replace(");", &format!("){condition};")))?;
    let (mut roles, mut policies) = (String::new(), String::new());
    for shelf in 0..SHELVES {
        let action = if shelf % 2 == 0 { "write" } else { "count" };
        writeln!(roles, "---\nkind: role\nname: keeper-{shelf}")?;
        writeln!(
            policies,
            "@id(\"{shelf}\")\npermit (principal in Durward::Role::\"keeper-{shelf}\", action == Action::\"shop:{action}\", resource == Shelf::\"{shelf}\"){condition};"
        )?;
    }
    std::fs::write(resources.join("keepers.yaml"), roles)?;
    Ok(std::fs::write(resources.join("shelves.cedar"), policies)?)
}

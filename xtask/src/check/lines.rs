//! No file above 400 lines besides its tests, no function above 80. Exceptions stand in `EXCEPTIONS`, each with its reason.

use std::path::{Path, PathBuf};

use super::Fault;

const FILE: usize = 400;
const FUNCTION: usize = 80;

/// Files that may be longer, and why.
const EXCEPTIONS: [(&str, &str); 0] = [];

pub fn check() -> anyhow::Result<Vec<Fault>> {
    let mut files = Vec::new();
    for root in ["crates", "examples", "xtask"] {
        sources(Path::new(root), &mut files)?;
    }
    let mut faults = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file)?;
        if !EXCEPTIONS.iter().any(|(name, _)| Path::new(name) == file) {
            faults.extend(of(&file, &text));
        }
    }
    Ok(faults)
}

/// Rust files that are no tests.
fn sources(directory: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && !["tests", "target", "node_modules", "fuzz"].contains(&name.as_str()) {
            sources(&path, files)?;
        } else if name.ends_with(".rs") && name != "tests.rs" {
            files.push(path);
        }
    }
    Ok(())
}

fn of(file: &Path, text: &str) -> Vec<Fault> {
    let code: Vec<&str> = text.lines().take_while(|line| *line != "#[cfg(test)]" && *line != "mod tests {").collect();
    let mut faults = Vec::new();
    if code.len() > FILE {
        faults.push(format!("{}: {} lines besides its tests, at most {FILE}: split it by concept", file.display(), code.len()));
    }
    let mut open: Option<(usize, usize)> = None;
    for (number, line) in code.iter().enumerate() {
        let indent = line.len() - line.trim_start().len();
        let starts =
            ["fn ", "pub fn ", "async fn ", "pub async fn ", "pub(crate) fn ", "pub(crate) async fn ", "const fn ", "pub const fn "];
        if open.is_none() && starts.iter().any(|start| line.trim_start().starts_with(start)) && !line.ends_with(';') && !line.ends_with('}')
        {
            open = Some((number, indent));
        } else if let Some((begin, depth)) = open
            && indent == depth
            && line.trim_start().starts_with('}')
        {
            if number + 1 - begin > FUNCTION {
                faults.push(format!("{}:{}: a function of {} lines, at most {FUNCTION}", file.display(), begin + 1, number + 1 - begin));
            }
            open = None;
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_or_function_too_long_is_found() {
        let long = |lines: usize| format!("fn f() {{\n{}}}\n", "    let _ = 1;\n".repeat(lines));
        assert_eq!(of(Path::new("a.rs"), &long(70)), Vec::<Fault>::new());
        assert_eq!(of(Path::new("a.rs"), &long(90)).len(), 1);
        assert_eq!(of(Path::new("a.rs"), &long(500)).len(), 2);
        assert_eq!(of(Path::new("a.rs"), &format!("#[cfg(test)]\nmod tests {{\n{}}}\n", long(500))), Vec::<Fault>::new());
    }
}

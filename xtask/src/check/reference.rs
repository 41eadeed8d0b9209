//! `path/to/file.rs::name`: a function or test that a table points at.

use std::path::Path;

/// What is wrong with a reference; nothing when the file exists and defines the name.
pub fn fault(reference: &str) -> Option<String> {
    let Some((file, name)) = reference.split_once("::") else { return Some(format!("`{reference}`: expected `path/file.rs::name`")) };
    let Ok(text) = std::fs::read_to_string(Path::new(file)) else { return Some(format!("`{reference}`: there is no file {file}")) };
    let name = name.rsplit("::").next().unwrap_or(name);
    (!defines(&text, name)).then(|| format!("`{reference}`: {file} defines no {name}"))
}

fn defines(text: &str, name: &str) -> bool {
    ["fn ", "const ", "struct ", "enum ", "trait ", "static ", "test(\"", "def ", "function "].iter().any(|keyword| {
        let definition = format!("{keyword}{name}");
        text.match_indices(&definition)
            .any(|(at, _)| !text[at + definition.len()..].starts_with(|next: char| next.is_alphanumeric() || next == '_'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_that_leads_nowhere_is_found() {
        assert!(defines("pub fn verify(x: u8) {}", "verify"));
        assert!(!defines("pub fn verify_all() {}", "verify"));
        assert!(fault("no/such/file.rs::x").is_some());
        assert!(fault("nonsense").is_some());
    }
}

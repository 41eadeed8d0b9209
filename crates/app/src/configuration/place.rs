//! Errors with file, line, column and what to do.

use std::path::{Path, PathBuf};

use durward_base::nearest;

/// What is wrong in a configuration, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigurationError {
    /// What was found, what was expected, what to do.
    pub message: String,
    /// The file.
    pub file: PathBuf,
    /// Line and column, both from 1; none when the whole file is meant.
    pub place: Option<(u64, u64)>,
}

impl std::error::Error for ConfigurationError {}

/// `message  file:line:column`
impl std::fmt::Display for ConfigurationError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}  {}", self.message, self.file.display())?;
        match self.place {
            Some((line, column)) => write!(f, ":{line}:{column}"),
            None => Ok(()),
        }
    }
}

impl ConfigurationError {
    /// An error of a file as a whole.
    pub fn of_file(file: &Path, message: impl Into<String>) -> Self {
        Self { message: message.into(), file: file.to_owned(), place: None }
    }

    /// What the YAML reader says, in our words. `first_line` is the line of the file at which the text read begins, from 1.
    pub fn from_yaml(error: &serde_saphyr::Error, file: &Path, first_line: u64) -> Self {
        let place = error.location().map(|location| (location.line() + first_line - 1, location.column()));
        let plain = error.without_snippet();
        let message = match plain {
            serde_saphyr::Error::SerdeUnknownField { field, expected, .. } => unknown_key(field, expected),
            serde_saphyr::Error::DuplicateMappingKey { key, .. } => {
                format!("the key `{}` stands here twice", key.as_deref().unwrap_or("?"))
            }
            serde_saphyr::Error::InvalidScalar { ty, .. } => format!("expected a value of type {ty}"),
            other => match first_sentence(&other.to_string()) {
                said if said.contains("socket address") => "expected ADDRESS:PORT, such as 127.0.0.1:8443".to_owned(),
                said => said,
            },
        };
        Self { message, file: file.to_owned(), place }
    }
}

fn unknown_key(key: &str, known: &[&str]) -> String {
    match nearest(key, known.iter().copied()) {
        Some(near) => format!("unknown key `{key}` (did you mean `{near}`?)"),
        None => format!("unknown key `{key}`: expected one of {}", known.join(", ")),
    }
}

/// The reader's message without the place that it appends, which is told apart.
fn first_sentence(message: &str) -> String {
    let line = message.lines().next().unwrap_or_default();
    line.split(" at line ").next().unwrap_or(line).trim_end_matches([':', ',', ' ']).to_owned()
}

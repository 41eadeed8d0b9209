//! Why a set of policies is not taken.

use cedar_policy::{ParseErrors, SchemaError};
use miette::Diagnostic;

/// A policy or schema that is not taken; the set in force stays.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{document}:{line}:{column}: {message}")]
pub struct PolicyError {
    /// The policy's or schema's name.
    pub document: String,
    /// The line in its text, from 1.
    pub line: u32,
    /// The column in the line, in characters from 1.
    pub column: u32,
    /// What is wrong, what was expected, what to do.
    pub message: String,
}

/// An action that cannot be asked about.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ActionError {
    /// No schema declares it.
    #[error("no schema declares the action \"{0}\"")]
    Unknown(String),
    /// It is declared for other resources.
    #[error("the action \"{action}\" does not apply to a resource of type {found} (expected {expected})")]
    WrongResource {
        /// The action.
        action: String,
        /// The type asked about.
        found: String,
        /// The types it applies to.
        expected: String,
    },
}

impl PolicyError {
    /// An error at a byte offset of the text.
    pub(crate) fn at(document: &str, text: &str, offset: usize, message: String) -> Self {
        let before: String = text.char_indices().take_while(|(index, _)| *index < offset).map(|(_, character)| character).collect();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        let number = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
        Self { document: document.to_owned(), line: number(line), column: number(column), message }
    }

    /// An error that concerns the whole document.
    pub(crate) fn whole(document: &str, message: impl Into<String>) -> Self {
        Self { document: document.to_owned(), line: 1, column: 1, message: message.into() }
    }

    pub(crate) fn parsing(document: &str, text: &str, errors: &ParseErrors) -> Self {
        Self::diagnosed(document, text, errors)
    }

    pub(crate) fn schema(document: &str, error: &SchemaError) -> Self {
        Self::whole(document, explained(error))
    }

    /// An error that says by itself where it is.
    pub(crate) fn diagnosed(document: &str, text: &str, error: &dyn Diagnostic) -> Self {
        let offset = error.labels().and_then(|mut labels| labels.next()).map_or(0, |label| label.offset());
        Self::at(document, text, offset, explained(error))
    }
}

/// What the diagnostic says, with its advice.
fn explained(error: &dyn Diagnostic) -> String {
    let text = error.to_string();
    // Cedar names the policy by the number it was given here, which says nothing to anyone.
    let unnumbered = text.strip_prefix("for policy `").and_then(|rest| rest.split_once("`, "));
    let mut message = unnumbered.map_or(text.as_str(), |(_, message)| message).to_owned();
    if let Some(label) = error.labels().and_then(|mut labels| labels.find_map(|label| label.label().map(str::to_owned))) {
        message = format!("{message}: {label}");
    }
    if let Some(help) = error.help() {
        message = format!("{message} ({help})");
    }
    message
}

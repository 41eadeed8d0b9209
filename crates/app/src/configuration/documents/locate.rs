//! From what the server found at fault back to the line that says it.

use durward_admin::Fault;
use durward_model::{Resource, ResourceKind};

use super::{ConfigurationError, Document, Documents};

impl Documents {
    /// The fault at its place in the documents; without one where it concerns something that is not in them.
    pub fn locate(&self, fault: &Fault) -> Result<ConfigurationError, String> {
        let document = self.find(fault.kind, &fault.name).ok_or_else(|| fault.to_string())?;
        let mut error = document.error(&fault.field, fault.found.as_deref(), fault.to_string());
        if let (Some((line, column)), true) = (fault.place, document.is_cedar()) {
            error.place = Some((u64::from(line), u64::from(column)));
        }
        Ok(error)
    }
}

impl Document {
    /// An error at a field, or at a name within it.
    pub(super) fn error(&self, field: &str, found: Option<&str>, message: String) -> ConfigurationError {
        ConfigurationError { message, file: self.file.clone(), place: Some(self.place(field, found)) }
    }

    /// Line and column of a field, or of a name within it; of the document where there is no such line.
    pub(super) fn place(&self, field: &str, found: Option<&str>) -> (u64, u64) {
        let key = field.split(['.', '[']).next().unwrap_or_default();
        let lines = || (0u64..).zip(self.text.lines());
        let is_key = |line: &str| line.strip_prefix(key).is_some_and(|rest| rest.starts_with(':')) && !key.is_empty();
        let Some((first, _)) = lines().find(|(_, line)| is_key(line)) else {
            let kind = lines().find(|(_, line)| line.starts_with("kind:")).map_or(0, |(line, _)| line);
            return (self.first_line + kind, 1);
        };
        let of_field = lines().skip_while(|(line, _)| *line < first).take_while(|(line, text)| *line == first || !begins_key(text));
        let word = found.and_then(|found| of_field.filter_map(|(line, text)| Some((line, word_at(text, found)?))).next());
        let (line, column) = word.unwrap_or((first, 1));
        (self.first_line + line, column)
    }

    fn is_cedar(&self) -> bool {
        match &self.resource {
            Resource::Policy(policy) => policy.text == self.text,
            Resource::Schema(schema) => schema.text == self.text,
            other => matches!(other.kind(), ResourceKind::Policy | ResourceKind::Schema),
        }
    }
}

fn begins_key(line: &str) -> bool {
    line.starts_with(|first: char| first.is_ascii_alphabetic())
}

/// The column, from 1, at which a name stands by itself in a line.
fn word_at(line: &str, name: &str) -> Option<u64> {
    let part = |character: char| character.is_alphanumeric() || "-_".contains(character);
    let alone = |at: &usize| {
        let before = line.get(..*at).and_then(|text| text.chars().next_back());
        let after = line.get(at + name.len()..).and_then(|text| text.chars().next());
        !before.is_some_and(part) && !after.is_some_and(part)
    };
    let at = line.match_indices(name).map(|(at, _)| at).find(alone)?;
    u64::try_from(line.get(..at)?.chars().count() + 1).ok()
}

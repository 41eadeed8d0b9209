//! What is printed: tables and lines for people, JSON for programs.

use clap::ValueEnum;
use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;

/// The form of what is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Output {
    /// For people
    #[default]
    Text,
    /// For programs
    Json,
}

impl Output {
    /// Prints a value as JSON, or as the text made of it; nothing where the text is empty.
    pub fn print<T: Serialize + ?Sized>(self, value: &T, text: impl FnOnce(&T) -> String) -> anyhow::Result<()> {
        let shown = match self {
            Self::Json => serde_json::to_string_pretty(value)?,
            Self::Text => text(value),
        };
        let shown = shown.trim_end();
        if !shown.is_empty() {
            println!("{shown}");
        }
        Ok(())
    }

    /// Says that something was done: a sentence for people, nothing for programs, which have the exit status.
    pub fn done(self, sentence: &str) {
        if self == Self::Text {
            println!("{sentence}");
        }
    }
}

/// An aligned table without lines; nothing when there are no rows.
pub fn table<const N: usize>(header: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled).set_header(header);
    table.add_rows(rows);
    if table.is_empty() {
        return String::new();
    }
    table.lines().map(|line| format!("{}\n", line.trim())).collect()
}

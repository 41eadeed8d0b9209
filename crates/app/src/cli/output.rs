//! What is printed: tables and lines for people, JSON for programs.

use std::io::{ErrorKind, Write as _};

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
        if shown.is_empty() { Ok(()) } else { line(shown) }
    }

    /// Says that something was done: a sentence for people, `{"done": true}` for programs.
    pub fn done(self, sentence: &str) {
        // Whoever does not listen has the exit status, too.
        let _ = self.print(&Done { done: true }, |_| sentence.to_owned());
    }
}

#[derive(Serialize)]
struct Done {
    done: bool,
}

/// Prints a line. A reader who has seen enough and left, like `head`, is no error.
pub fn line(text: &str) -> anyhow::Result<()> {
    match writeln!(std::io::stdout().lock(), "{text}") {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// An aligned table without lines. Without rows its header says that there are none, rather than that nothing happened.
pub fn table<const N: usize>(header: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled).set_header(header);
    table.add_rows(rows);
    table.lines().map(|line| format!("{}\n", line.trim())).collect()
}

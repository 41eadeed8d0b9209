//! Texts that others name and people are shown: what cannot be seen, or turns what stands beside it around, is refused.

/// Whether a text has 1 to `longest` characters, all of which people can see.
pub(crate) fn is_legible(text: &str, longest: usize) -> bool {
    let unseen =
        |c: char| c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    !text.trim().is_empty() && text.chars().count() <= longest && !text.chars().any(unseen)
}

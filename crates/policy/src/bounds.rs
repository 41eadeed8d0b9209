//! How deep a text may be, looked at before it is parsed (R16): Cedar's parser and its expressions recurse, and a stack that overflows takes
//! the whole process with it.

use crate::{Document, PolicyError};

/// The longest text of one document, in bytes.
const LONGEST_TEXT: usize = 256 * 1024;

/// How deep brackets may be nested.
const DEEPEST: usize = 32;

/// How many operators, accesses and clauses one policy may have: each makes its expression one deeper.
const MOST_OPERATORS: usize = 256;

/// Which language a text is in: where `<` opens a bracket.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    Policy,
    Schema,
}

/// Checks length, depth and number of operators of a text, whatever it says.
pub(crate) fn check(document: &Document<'_>, language: Language) -> Result<(), PolicyError> {
    let Document { name, text } = *document;
    if text.len() > LONGEST_TEXT {
        return Err(PolicyError::whole(name, format!("{} bytes, at most {LONGEST_TEXT} are taken", text.len())));
    }
    let (mut depth, mut operators) = (0_usize, 0_usize);
    let mut rest = text;
    while let Some(first) = rest.bytes().next() {
        let token = token(rest);
        match first {
            b'(' | b'[' | b'{' => depth += 1,
            b'<' if language == Language::Schema => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b'>' if language == Language::Schema => depth = depth.saturating_sub(1),
            b';' if depth == 0 => operators = 0,
            _ => {}
        }
        let chains = matches!(first, b'[' | b'.' | b'&' | b'|' | b'+' | b'-' | b'*' | b'!') || matches!(token, "then" | "when" | "unless");
        operators += usize::from(chains && language == Language::Policy);
        let offset = text.len() - rest.len();
        if depth > DEEPEST {
            return Err(PolicyError::at(name, text, offset, format!("brackets are nested deeper than {DEEPEST}")));
        }
        if operators > MOST_OPERATORS {
            let message = format!("more than {MOST_OPERATORS} operators in one policy: write several policies");
            return Err(PolicyError::at(name, text, offset, message));
        }
        rest = rest.get(token.len()..).unwrap_or_default();
    }
    Ok(())
}

/// The first token of a text that is not empty, as far as it matters here: a comment, a string, a word, `&&`, `||`, or one character.
fn token(text: &str) -> &str {
    let length = match text.as_bytes() {
        [b'/', b'/', ..] => text.find('\n').unwrap_or(text.len()),
        [b'"', inner @ ..] => string(inner) + 1,
        [b'&', b'&', ..] | [b'|', b'|', ..] => 2,
        [first, ..] if is_word(*first) => text.bytes().take_while(|byte| is_word(*byte)).count(),
        _ => text.chars().next().map_or(1, char::len_utf8),
    };
    text.get(..length).unwrap_or(text)
}

/// The length of a string behind its opening quote, its closing one included.
fn string(inner: &[u8]) -> usize {
    let mut escaped = false;
    for (position, byte) in inner.iter().enumerate() {
        match byte {
            b'"' if !escaped => return position + 1,
            b'\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    inner.len()
}

const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn takes(text: &str) -> bool {
        check(&Document { name: "p", text }, Language::Policy).is_ok()
    }

    #[test]
    fn depth_and_operators_are_bounded_and_strings_and_comments_do_not_count() {
        let policy = |condition: &str| format!("permit (principal, action, resource) when {{ {condition} }};\n");
        assert!(takes(&policy(&format!("{}true{}", "(".repeat(31), ")".repeat(31)))));
        assert!(!takes(&policy(&format!("{}true{}", "(".repeat(32), ")".repeat(32)))));
        for (first, more) in [("true", " && true"), ("1", "+1"), ("principal", ".a"), ("x", "[\"a\"]"), ("true", " || true")] {
            assert!(takes(&policy(&format!("{first}{}", more.repeat(255)))), "{more}");
            assert!(!takes(&policy(&format!("{first}{}", more.repeat(256)))), "{more}");
        }
        assert!(!takes(&policy(&format!("{} true", "if true then true else ".repeat(257)))));
        assert!(!takes(&format!("permit (principal, action, resource) {};", "when { true } ".repeat(257))));
        assert!(takes(&policy(&format!("\"{}\\\"(((\" == \"\"", "(".repeat(100)))));
        assert!(takes(&policy(&format!("true // {}\n", "(".repeat(100)))));
        assert!(takes(&policy(&"1+1+1+1+1".repeat(30)).repeat(20)), "each policy counts for itself");
    }

    #[test]
    fn generic_brackets_count_in_schemas() {
        let nested = |depth: usize| format!("entity A {{ a?: {}String{} }};", "Set<".repeat(depth), ">".repeat(depth));
        for (depth, expected) in [(31, true), (32, false)] {
            assert_eq!(check(&Document { name: "s", text: &nested(depth) }, Language::Schema).is_ok(), expected);
        }
    }
}

//! RFC 3986 sections 2.1 and 2.3: what the path of a request stands for, which must be text, in its one spelling.

use http::StatusCode;

use crate::Problem;

/// Refuses a path that stands for no text, or for text with control characters: nothing here is named so, a line of a log would be broken by
/// it, and databases disagree on what it is.
pub(crate) fn must_be_text(path: &str) -> Result<(), Problem> {
    let refused = |code, detail| Err(Problem::new(StatusCode::BAD_REQUEST, code, detail));
    match String::from_utf8(decoded(path)) {
        Err(_) => refused("path_not_text", "The path's percent-encoded bytes are not UTF-8."),
        Ok(text) if text.chars().any(char::is_control) => refused("path_control_character", "The path holds a control character."),
        // RFC 3986 2.3: "URIs that differ in the replacement of an unreserved character with its corresponding percent-encoded US-ASCII octet are
        // equivalent": there is one address for each thing here, so that whatever stands in front reads it as we do. (Forms escape `~`.)
        Ok(_) if escapes(path).any(|escaped| escaped.is_ascii_alphanumeric() || b"-._".contains(&escaped)) => {
            refused("path_spelling", "The path percent-encodes a letter, a digit or one of - . _: it must be written as itself.")
        }
        Ok(_) => Ok(()),
    }
}

/// The bytes that stand percent-encoded.
fn escapes(path: &str) -> impl Iterator<Item = u8> {
    path.split('%').skip(1).filter_map(|after| u8::from_str_radix(after.get(..2)?, 16).ok())
}

/// A `%` that begins no escape stands for itself, as it does for the router.
fn decoded(path: &str) -> Vec<u8> {
    let mut bytes = path.bytes();
    let mut decoded = Vec::with_capacity(path.len());
    while let Some(byte) = bytes.next() {
        let mut ahead = bytes.clone();
        let mut digit = || ahead.next().and_then(|byte| char::from(byte).to_digit(16));
        match (byte, digit().zip(digit()).and_then(|(high, low)| u8::try_from(high * 16 + low).ok())) {
            (b'%', Some(escaped)) => {
                decoded.push(escaped);
                bytes = ahead;
            }
            _ => decoded.push(byte),
        }
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_path_that_stands_for_text_is_read() {
        for good in ["/", "/a%20b", "/caf%C3%A9", "/a%2Fb", "/100%", "/%zz", "/a%252500", "/%7Euser"] {
            assert!(must_be_text(good).is_ok(), "{good}");
        }
        for (bad, code) in [
            ("/%ff", "path_not_text"),
            ("/a/%C3", "path_not_text"),
            ("/%ed%a0%80", "path_not_text"),
            ("/a%00b", "path_control_character"),
            ("/%0A", "path_control_character"),
            ("/%7f", "path_control_character"),
            ("/%c2%85", "path_control_character"),
            ("/realms/m%61in", "path_spelling"),
            ("/realms/m%2Din", "path_spelling"),
        ] {
            assert_eq!(must_be_text(bad).unwrap_err().code(), code, "{bad}");
        }
    }
}

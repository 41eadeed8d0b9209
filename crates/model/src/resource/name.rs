//! What a declared resource may be called.

/// The longest name, in bytes.
const LONGEST: usize = 128;

/// What is wrong with a name, if anything. Names stand in tokens, in `Basic` headers before a colon, in policies, and as one segment of a URL:
/// RFC 3986 section 5.2.4 takes `.` and `..` out of a path before anything reads it, and a slash ends a segment.
pub fn name_fault(name: &str) -> Option<String> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:".contains(&byte);
    let good = (1..=LONGEST).contains(&name.len()) && name.bytes().all(allowed) && !matches!(name, "." | "..");
    (!good).then(|| format!("{name:?}: expected 1 to {LONGEST} letters, digits or -._~: and neither \".\" nor \"..\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_segment_of_a_path() {
        for good in ["a", "web", "orders-cli", "urn:shop:orders", "...", ".a", "a..b", "~x_1", &"x".repeat(LONGEST)] {
            assert_eq!(name_fault(good), None, "{good}");
        }
        for bad in [
            "",
            ".",
            "..",
            "a/b",
            "/",
            "https://client.example",
            "a b",
            "a%2fb",
            "a\0b",
            "caf\u{e9}",
            "a?b",
            "a#b",
            &"x".repeat(LONGEST + 1),
        ] {
            assert!(name_fault(bad).is_some(), "{bad:?}");
        }
    }
}

//! Texts that others name and people are shown: what cannot be seen, or turns what stands beside it around, is refused; and what looks alike is
//! known by one skeleton (Unicode Technical Standard 39 section 4).

use unicode_normalization::UnicodeNormalization as _;

/// Whether a text has 1 to `longest` characters, all of which people can see.
pub(crate) fn is_legible(text: &str, longest: usize) -> bool {
    !text.trim().is_empty() && text.chars().count() <= longest && !text.chars().any(is_unseen)
}

/// Controls, what Unicode calls default-ignorable, blanks that are no spaces, and what no font agrees on. The one selector that is left makes
/// pictures of signs.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
            | '\u{e000}'..='\u{f8ff}' | '\u{fe00}'..='\u{fe0e}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{10ffff}')
}

/// Whether people would take one name for the other.
pub(crate) fn look_alike(one: &str, other: &str) -> bool {
    let others = skeletons(other);
    skeletons(one).iter().any(|skeleton| others.contains(skeleton))
}

/// A name as people take it in: letters alone, of one case, each brought to what it looks like. A capital may look like another's capital and
/// the small letter like nobody's, so both count.
fn skeletons(name: &str) -> [String; 2] {
    let name: String = name.nfkc().collect();
    [plain(&name), plain(&name.to_lowercase())]
}

fn plain(name: &str) -> String {
    // Digits for letters are no look-alikes to Unicode, and are to people.
    let spoken = |c: char| match c {
        '0' => 'o',
        '1' | 'l' | '|' => 'i',
        '3' => 'e',
        '5' => 's',
        other => other,
    };
    let alike = unicode_security::skeleton(name).flat_map(char::to_lowercase).map(spoken);
    alike.filter(|c| c.is_alphanumeric() && !unicode_normalization::char::is_combining_mark(*c)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// DCR-006
    #[test]
    fn what_cannot_be_seen_is_no_text_to_show() {
        for unseen in [
            "\u{0}",
            "\u{ad}",
            "\u{34f}",
            "\u{61c}",
            "\u{115f}",
            "\u{180e}",
            "\u{200b}",
            "\u{200d}",
            "\u{2028}",
            "\u{202e}",
            "\u{2066}",
            "\u{2800}",
            "\u{3164}",
            "\u{e001}",
            "\u{feff}",
            "\u{ffa0}",
            "\u{fffb}",
            "\u{e0041}",
            "\u{e0100}",
            "\u{10fffd}",
        ] {
            assert!(!is_legible(&format!("Harbour{unseen} Web"), 100), "{}", unseen.escape_unicode());
            assert!(!is_legible(unseen, 100), "{}", unseen.escape_unicode());
        }
        for blank in ["", " ", "\u{a0}\u{3000}\u{2003}"] {
            assert!(!is_legible(blank, 100), "{blank:?}");
        }
        for seen in ["Harbour Web", "クライアント", "Žluťoučký kůň", "مرحبا", "❤\u{fe0f} radar"] {
            assert!(is_legible(seen, 100) && !is_legible(seen, 3), "{seen}");
        }
    }

    /// DCR-006
    #[test]
    fn a_name_looks_like_another_in_whichever_letters_it_is_written() {
        for alike in [
            "HARBOUR  web",
            "Harb0ur-Web",
            "Hаrbour Wеb",
            "Ηаrbοur Wеb",
            "𝐇arbour 𝗪eb",
            "Ｈａｒｂｏｕｒ Ｗｅｂ",
            "Hárbour Wéb",
            "ℋarbour Web",
            "Ⓗarbour Web",
            "Harb๐ur Web",
            "Ꮋarbour Web",
            "Harbour.Web!",
        ] {
            assert!(look_alike(alike, "Harbour Web"), "{alike}");
        }
        for other in ["Harbor Web", "Parcel Radar", "Web Harbour", "クライアント"] {
            assert!(!look_alike(other, "Harbour Web"), "{other}");
        }
    }
}

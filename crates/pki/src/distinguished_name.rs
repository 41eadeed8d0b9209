//! RFC 4514: distinguished names as text, in one form.

use x509_parser::asn1_rs::ToDer as _;
use x509_parser::x509::{AttributeTypeAndValue, X509Name};

/// The text of a name; none for an empty one. RFC 4514 section 2.1: "starting with the last element of the sequence and moving backwards
/// toward the first", separated by commas and nothing else.
pub(crate) fn to_text(name: &X509Name<'_>) -> Option<String> {
    let mut parts: Vec<String> = name.iter_rdn().map(|part| part.iter().map(attribute).collect::<Vec<_>>().join("+")).collect();
    parts.reverse();
    (!parts.is_empty()).then(|| parts.join(","))
}

/// 2.3: a short name where there is one for the type and the value is a text; otherwise numbers, and the value's encoding in hexadecimal.
fn attribute(attribute: &AttributeTypeAndValue<'_>) -> String {
    let kind = attribute.attr_type().to_id_string();
    let short = SHORT.iter().find(|(id, _)| *id == kind).map(|(_, short)| *short);
    match (short, attribute.as_str()) {
        (Some(short), Ok(text)) => format!("{short}={}", escaped(text)),
        _ => {
            let encoding = attribute.attr_value().to_der_vec().unwrap_or_default();
            format!("{kind}=#{}", encoding.iter().map(|byte| format!("{byte:02X}")).collect::<String>())
        }
    }
}

/// 2.4: what must be escaped with a backslash.
fn escaped(text: &str) -> String {
    let last = text.chars().count().saturating_sub(1);
    let mut escaped = String::with_capacity(text.len());
    for (position, character) in text.chars().enumerate() {
        match character {
            '\0' => escaped.push_str("\\00"),
            '"' | '+' | ',' | ';' | '<' | '>' | '\\' => escaped.extend(['\\', character]),
            '#' if position == 0 => escaped.push_str("\\#"),
            ' ' if position == 0 || position == last => escaped.push_str("\\ "),
            other => escaped.push(other),
        }
    }
    escaped
}

/// RFC 4514 section 3: the types whose short names everybody knows.
const SHORT: [(&str, &str); 9] = [
    ("2.5.4.3", "CN"),
    ("2.5.4.7", "L"),
    ("2.5.4.8", "ST"),
    ("2.5.4.10", "O"),
    ("2.5.4.11", "OU"),
    ("2.5.4.6", "C"),
    ("2.5.4.9", "STREET"),
    ("0.9.2342.19200300.100.1.25", "DC"),
    ("0.9.2342.19200300.100.1.1", "UID"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_a_meaning_in_a_name_is_escaped() {
        // RFC 4514 section 4
        for (text, written) in [
            ("James \"Jim\" Smith, III", "James \\\"Jim\\\" Smith\\, III"),
            ("#hash", "\\#hash"),
            (" space ", "\\ space\\ "),
            ("a#b", "a#b"),
            ("", ""),
            (" ", "\\ "),
        ] {
            assert_eq!(escaped(text), written);
        }
    }
}

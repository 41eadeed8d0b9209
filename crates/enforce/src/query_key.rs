//! An API key in the URL, on routes that take it there: the parameter `api_key`. URLs end up in logs and histories (RFC 6750 section 2.3), so
//! what is forwarded bears it no more.

use std::borrow::Cow;

/// The values of the parameter, however its name is spelled.
pub(crate) fn values(target: &str) -> impl Iterator<Item = &str> {
    let query = target.split_once('?').map_or("", |(_, query)| query);
    query.split('&').filter_map(|pair| match pair.split_once('=') {
        Some((name, value)) if is_key(name) => Some(value),
        None if is_key(pair) => Some(""),
        _ => None,
    })
}

/// A path and query, or a whole URL, without the parameter.
pub fn without_key(target: &str) -> Cow<'_, str> {
    if values(target).next().is_none() {
        return Cow::Borrowed(target);
    }
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let kept: Vec<&str> = query.split('&').filter(|pair| !is_key(pair.split_once('=').map_or(*pair, |(name, _)| name))).collect();
    if kept.is_empty() { Cow::Borrowed(path) } else { Cow::Owned(format!("{path}?{}", kept.join("&"))) }
}

/// Whether a parameter's name is `api_key` to whoever decodes it.
fn is_key(name: &str) -> bool {
    let mut bytes = name.bytes();
    let decoded = std::iter::from_fn(|| match bytes.next()? {
        b'%' => {
            let digits = [bytes.next()?, bytes.next()?];
            std::str::from_utf8(&digits).ok().and_then(|digits| u8::from_str_radix(digits, 16).ok())
        }
        byte => Some(byte),
    });
    decoded.eq(*b"api_key")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parameter_is_found_and_taken_out_in_every_spelling() {
        for (target, found, left) in [
            ("/a", &[][..], "/a"),
            ("/a?api_key=k", &["k"][..], "/a"),
            ("/a?x=1&api_key=k&y=2", &["k"][..], "/a?x=1&y=2"),
            ("/a?api%5Fkey=k&x=api_key", &["k"][..], "/a?x=api_key"),
            ("/a?%61pi_ke%79=k&api_key", &["k", ""][..], "/a"),
            ("/api_key=k?b=%", &[][..], "/api_key=k?b=%"),
            ("https://shop.example/a?api_key=k&b", &["k"][..], "https://shop.example/a?b"),
            ("/a?Api_Key=k", &[][..], "/a?Api_Key=k"),
        ] {
            assert_eq!(values(target).collect::<Vec<_>>(), found, "{target}");
            assert_eq!(without_key(target), left, "{target}");
        }
    }
}

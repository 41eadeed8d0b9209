//! RFC 9449 section 4.3: the request that a proof must be about, and RFC 3986 section 6.2: when two addresses are the same.

use std::borrow::Cow;

use url::Url;

/// A request as a proof of it must say.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// The method, as sent.
    pub method: &'a str,
    /// The addresses at which the world reaches what was asked for, as configured: never from a header of the request.
    pub addresses: &'a [Cow<'a, str>],
    /// The access token that came with it.
    pub access_token: Option<&'a str>,
}

impl Target<'_> {
    /// Whether a proof's `htu` is one of the addresses.
    pub(super) fn is_at(&self, htu: &str) -> bool {
        // RFC 3986 6.2.1: what is the same letter for letter is the same.
        if self.addresses.iter().any(|address| address == htu) {
            return true;
        }
        let Some(named) = normal(htu) else { return false };
        self.addresses.iter().any(|address| normal(address).is_some_and(|address| address == named))
    }
}

/// RFC 9449 4.3: "servers SHOULD employ Syntax-Based Normalization (Section 6.2.2 of RFC 3986) and Scheme-Based Normalization": scheme and
/// host in lower case, no default port, no dot segments, percent-encoding in its one form. Query and fragment are no part of it.
fn normal(address: &str) -> Option<String> {
    // What a URL parser would repair is no address.
    if !address
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'"' | b'<' | b'>' | b'`' | b'{' | b'}' | b'^' | b'|'))
    {
        return None;
    }
    let url = Url::parse(address).ok().filter(|url| matches!(url.scheme(), "https" | "http"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return None;
    }
    Some(format!("{}{}", url.origin().ascii_serialization(), percent_normal(url.path())?))
}

/// RFC 3986 6.2.2.1 and 6.2.2.2: hexadecimal digits in upper case, and no unreserved character encoded.
fn percent_normal(path: &str) -> Option<String> {
    let mut parts = path.split('%');
    let mut normal = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let byte = u8::from_str_radix(part.get(..2).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))?, 16).ok()?;
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            normal.push(char::from(byte));
        } else {
            normal.push_str(&format!("%{byte:02X}"));
        }
        normal.push_str(part.get(2..)?);
    }
    Some(normal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_addresses_are_the_same_by_their_syntax_and_by_nothing_else() {
        let address = [Cow::Borrowed("https://api.example/orders/~1")];
        let target = Target { method: "GET", addresses: &address, access_token: None };
        for (htu, same) in [
            ("https://api.example/orders/~1", true),
            ("HTTPS://API.example:443/orders/%7e1", true),
            ("https://api.example/orders/%7E1?query#fragment", true),
            ("https://api.example/x/../orders/~1", true),
            ("https://api.example/orders/~1/", false),
            ("https://api.example/Orders/~1", false),
            ("https://api.example/orders%2f~1", false),
            ("https://api.example:8443/orders/~1", false),
            ("http://api.example/orders/~1", false),
            ("https://other.example/orders/~1", false),
            ("https://api.example.evil.example/orders/~1", false),
            ("https://api.example@evil.example/orders/~1", false),
            ("https://user@api.example/orders/~1", false),
            ("https://api.example/orders\\~1", false),
            ("https://api.example/orders/%7", false),
            (" https://api.example/orders/~1", false),
            ("/orders/~1", false),
            ("", false),
        ] {
            assert_eq!(target.is_at(htu), same, "DPOP-002: {htu}");
        }
    }
}

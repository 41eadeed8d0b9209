//! SPIFFE-ID section 2, X509-SVID section 2: the name of a workload in its certificate.

/// A well-formed SPIFFE id: `spiffe://TRUST-DOMAIN/PATH`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SpiffeId {
    text: String,
    /// Bytes of the trust domain, behind the scheme.
    domain: usize,
}

/// Why a text is no SPIFFE id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a SPIFFE id: expected spiffe://TRUST-DOMAIN/PATH in its one spelling")]
pub struct NotASpiffeId;

const SCHEME: &str = "spiffe://";
/// 2.3: "SPIFFE implementations MUST support SPIFFE IDs up to 2048 bytes in length and MUST NOT generate SPIFFE IDs of length greater than 2048".
const LONGEST: usize = 2048;
/// 2.1: "MUST NOT generate a SPIFFE ID with a trust domain of greater than 255 bytes".
const LONGEST_DOMAIN: usize = 255;

impl SpiffeId {
    /// Reads an id. There is one spelling: nothing is folded or decoded.
    ///
    /// # Errors
    /// `NotASpiffeId`.
    pub fn parse(text: &str) -> Result<Self, NotASpiffeId> {
        let rest = text.strip_prefix(SCHEME).filter(|_| text.len() <= LONGEST).ok_or(NotASpiffeId)?;
        let (domain, path) = rest.split_once('/').map_or((rest, None), |(domain, path)| (domain, Some(path)));
        let good_path = path.is_none_or(|path| path.split('/').all(is_segment));
        if is_trust_domain(domain) && good_path { Ok(Self { text: text.to_owned(), domain: domain.len() }) } else { Err(NotASpiffeId) }
    }

    /// The trust domain.
    pub fn trust_domain(&self) -> &str {
        self.text.get(SCHEME.len()..SCHEME.len() + self.domain).unwrap_or_default()
    }

    /// Whether it names a workload, and not the trust domain itself.
    pub fn has_path(&self) -> bool {
        self.text.len() > SCHEME.len() + self.domain
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// 2.1: "letters, numbers, dots, dashes, and underscores [...] lowercase".
pub fn is_trust_domain(text: &str) -> bool {
    let good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-_".contains(&byte);
    (1..=LONGEST_DOMAIN).contains(&text.len()) && text.bytes().all(good)
}

/// 2.2: "Individual path segments MUST NOT be empty [...] MUST NOT be relative path modifiers (i.e. `.`, `..`)".
fn is_segment(segment: &str) -> bool {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    !matches!(segment, "" | "." | "..") && segment.bytes().all(good)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_one_spelling() {
        let id = SpiffeId::parse("spiffe://prod.example/ns/shop/payments").unwrap();
        assert_eq!((id.trust_domain(), id.has_path()), ("prod.example", true));
        assert!(!SpiffeId::parse("spiffe://prod.example").unwrap().has_path());
        let long = format!("spiffe://a/{}", "b".repeat(LONGEST));
        let domain = format!("spiffe://{}/b", "a".repeat(256));
        for wrong in [
            "",
            "spiffe://",
            "spiffe:///payments",
            "SPIFFE://prod.example/a",
            "spiffe://Prod.example/a",
            "spiffe://prod.example/",
            "spiffe://prod.example//a",
            "spiffe://prod.example/a/",
            "spiffe://prod.example/./a",
            "spiffe://prod.example/a/..",
            "spiffe://prod.example/a%2fb",
            "spiffe://prod.example/a?b",
            "spiffe://prod.example/a#b",
            "spiffe://prod.example:443/a",
            "spiffe://user@prod.example/a",
            "spiffe://prod.example\0.evil/a",
            "https://prod.example/a",
            &long,
            &domain,
        ] {
            assert_eq!(SpiffeId::parse(wrong), Err(NotASpiffeId), "{wrong:.60}");
        }
    }
}

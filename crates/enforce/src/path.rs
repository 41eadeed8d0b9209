//! RFC 3986 section 3.3: the one reading of a path. What is authorized is what is forwarded, byte for byte (R10): whatever an upstream could
//! read in another way is refused, never repaired.
//!
//! Accepted: `/`, then segments of unreserved characters, `:`, `@`, sub-delimiters but `;`, and percent-encoded UTF-8; none empty but the
//! last. Refused: dot segments, `//`, `;`, `\`, raw non-ASCII, and percent-encoded forms of `/`, `\`, `%`, `;`, controls, unreserved
//! characters (dots and letters among them), overlong or otherwise invalid UTF-8, and characters that compatibility normalisation (NFKC)
//! would turn into one of these.

use std::borrow::Cow;

/// The longest path, in bytes.
const LONGEST: usize = 8 * 1024;

/// A path that can be read in one way only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NormalPath<'a> {
    raw: &'a str,
    segments: Vec<Cow<'a, str>>,
    trailing_slash: bool,
}

/// Why a path is refused: 400, and the connection closes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// Not beginning with a slash.
    #[error("the path does not begin with \"/\"")]
    NotAbsolute,
    /// Too long.
    #[error("the path is longer than {LONGEST} bytes")]
    TooLong,
    /// A byte that may not stand in a path.
    #[error("the path holds a byte that must be percent-encoded or may not be in a path at all")]
    ForbiddenByte,
    /// A path parameter.
    #[error("the path holds a \";\", which servers read in different ways")]
    Parameter,
    /// A `%` without two hexadecimal digits.
    #[error("the path holds a \"%\" that is not followed by two hexadecimal digits")]
    BrokenEncoding,
    /// A percent-encoded character that servers treat in different ways.
    #[error("the path percent-encodes a character that must not be encoded there, or not at all")]
    AmbiguousEncoding,
    /// Percent-encoded bytes that are not UTF-8.
    #[error("the path percent-encodes bytes that are not UTF-8")]
    NotUtf8,
    /// `.` or `..`.
    #[error("the path holds a dot segment")]
    DotSegment,
    /// `//`.
    #[error("the path holds an empty segment")]
    EmptySegment,
}

impl PathError {
    /// A stable name for the audit record.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::NotAbsolute => "path_not_absolute",
            Self::TooLong => "path_too_long",
            Self::ForbiddenByte => "path_forbidden_byte",
            Self::Parameter => "path_parameter",
            Self::BrokenEncoding => "path_broken_encoding",
            Self::AmbiguousEncoding => "path_ambiguous_encoding",
            Self::NotUtf8 => "path_not_utf8",
            Self::DotSegment => "path_dot_segment",
            Self::EmptySegment => "path_empty_segment",
        }
    }
}

impl<'a> NormalPath<'a> {
    /// Reads a path, given without its query.
    ///
    /// # Errors
    /// `PathError` when it could be read in more than one way.
    pub fn parse(path: &'a [u8]) -> Result<Self, PathError> {
        if path.len() > LONGEST {
            return Err(PathError::TooLong);
        }
        path.iter().try_for_each(|byte| must_be_allowed(*byte))?;
        let raw = std::str::from_utf8(path).map_err(|_| PathError::ForbiddenByte)?;
        let below_root = raw.strip_prefix('/').ok_or(PathError::NotAbsolute)?;
        let inner = below_root.strip_suffix('/').unwrap_or(below_root);
        let segments = match (inner, below_root) {
            ("", "") => Vec::new(),
            _ => inner.split('/').map(segment).collect::<Result<_, _>>()?,
        };
        Ok(Self { raw, segments, trailing_slash: below_root.ends_with('/') })
    }

    /// The path as received, and as it is to be forwarded.
    pub const fn as_str(&self) -> &'a str {
        self.raw
    }

    /// The segments, decoded. None is empty; none for the root.
    pub fn segments(&self) -> &[Cow<'a, str>] {
        &self.segments
    }

    /// Whether a slash stands behind the last segment.
    pub const fn has_trailing_slash(&self) -> bool {
        self.trailing_slash
    }
}

fn must_be_allowed(byte: u8) -> Result<(), PathError> {
    match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'%' | b'/' => Ok(()),
        b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b'=' | b':' | b'@' => Ok(()),
        b';' => Err(PathError::Parameter),
        _ => Err(PathError::ForbiddenByte),
    }
}

fn segment(raw: &str) -> Result<Cow<'_, str>, PathError> {
    match raw {
        "" => Err(PathError::EmptySegment),
        "." | ".." => Err(PathError::DotSegment),
        _ if raw.contains('%') => decoded(raw).map(Cow::Owned),
        _ => Ok(Cow::Borrowed(raw)),
    }
}

fn decoded(raw: &str) -> Result<String, PathError> {
    let mut bytes = Vec::with_capacity(raw.len());
    let mut rest = raw.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|byte| char::from(byte).to_digit(16)).ok_or(PathError::BrokenEncoding);
        let value = u8::try_from(digit()? * 16 + digit()?).map_err(|_| PathError::BrokenEncoding)?;
        if is_ambiguous(value) {
            return Err(PathError::AmbiguousEncoding);
        }
        bytes.push(value);
    }
    let text = String::from_utf8(bytes).map_err(|_| PathError::NotUtf8)?;
    if text.chars().any(|character| character.is_control() || BECOME_SYNTAX.contains(&character)) {
        return Err(PathError::AmbiguousEncoding);
    }
    Ok(text)
}

/// RFC 3986 section 2.4: implementations must not percent-decode the same string more than once; some do, so an encoded `%` is refused.
/// Section 2.3: unreserved characters should not be encoded; some decode them before they look, some after.
const fn is_ambiguous(byte: u8) -> bool {
    byte.is_ascii_control() || byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'\\' | b'%' | b';' | b'-' | b'.' | b'_' | b'~')
}

/// Characters that Unicode's compatibility normalisation turns into `.`, `..`, `...`, `\`, `;` or `%`, or into anything with a `/`.
const BECOME_SYNTAX: [char; 20] = [
    '\u{2024}', '\u{2025}', '\u{2026}', '\u{fe19}', '\u{fe30}', '\u{fe52}', '\u{ff0e}', '\u{ff0f}', '\u{fe68}', '\u{ff3c}', '\u{fe54}',
    '\u{ff1b}', '\u{fe6a}', '\u{ff05}', '\u{37e}', '\u{fe14}', '\u{2100}', '\u{2101}', '\u{2105}', '\u{2106}',
];

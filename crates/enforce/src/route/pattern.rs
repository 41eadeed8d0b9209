//! A route's path: literal segments, `{name}` for one segment, `{name...}` last for the rest.

use crate::NormalPath;

/// A path with places for values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern {
    pub pieces: Vec<Piece>,
    /// The parameters' names, in order; the last is the rest's when there is one.
    pub parameters: Vec<String>,
    /// Whether it ends in `{name...}`.
    pub rest: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    Literal(String),
    Parameter,
}

impl Pattern {
    /// Reads a path; the message says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut pattern = Self { pieces: Vec::new(), parameters: Vec::new(), rest: false };
        let below_root = text.strip_prefix('/').ok_or_else(|| format!("path {text:?} does not begin with \"/\""))?;
        if below_root.is_empty() {
            return Ok(pattern);
        }
        for segment in below_root.split('/') {
            if pattern.rest {
                return Err(format!("path {text:?}: nothing may follow {{name...}}"));
            }
            match segment.strip_prefix('{').and_then(|inner| inner.strip_suffix('}')) {
                Some(name) => pattern.parameter(name, text)?,
                None => pattern.pieces.push(Piece::Literal(literal(segment, text)?)),
            }
        }
        Ok(pattern)
    }

    /// What can be read of a path that is wrong: everything below its literal beginning.
    pub fn beginning(text: &str) -> Self {
        let segments = text.split('/').skip(1).map_while(|segment| literal(segment, text).ok());
        Self { pieces: segments.map(Piece::Literal).collect(), parameters: Vec::new(), rest: true }
    }

    fn parameter(&mut self, inner: &str, text: &str) -> Result<(), String> {
        let name = inner.strip_suffix("...").unwrap_or(inner);
        self.rest = name.len() < inner.len();
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            return Err(format!("path {text:?}: {{{inner}}} is no parameter: use letters, digits and _"));
        }
        if self.parameters.iter().any(|known| known == name) {
            return Err(format!("path {text:?}: the parameter {{{name}}} appears twice"));
        }
        self.parameters.push(name.to_owned());
        if !self.rest {
            self.pieces.push(Piece::Parameter);
        }
        Ok(())
    }
}

/// A literal must be a segment that a request can have: matching is by its decoded form.
fn literal(segment: &str, text: &str) -> Result<String, String> {
    let path = format!("/{segment}");
    let normal = NormalPath::parse(path.as_bytes()).map_err(|error| format!("path {text:?}: {error}"))?;
    match normal.segments() {
        [only] if !normal.has_trailing_slash() => Ok(only.clone().into_owned()),
        _ => Err(format!("path {text:?}: leave out the empty segment; \"/orders\" matches what is below it, too")),
    }
}

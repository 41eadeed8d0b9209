//! Patterns of paths as a tree of their segments: `{name}` stands for any one segment, `{*name}` for all the rest.

use std::collections::HashMap;

/// What stands at each pattern, found in a step a segment.
pub(super) struct Paths<T> {
    here: Option<T>,
    literal: HashMap<&'static str, Self>,
    any: Option<Box<Self>>,
    rest: Option<T>,
}

impl<T> Paths<T> {
    /// The place of a pattern.
    pub(super) fn at(&mut self, pattern: &'static str) -> &mut Option<T> {
        let mut node = self;
        for segment in pattern.split('/') {
            if segment.starts_with("{*") {
                return &mut node.rest;
            }
            node = if segment.starts_with('{') { node.any.get_or_insert_default() } else { node.literal.entry(segment).or_default() };
        }
        &mut node.here
    }

    /// What stands at the pattern that a path fits: one that says more before one that says less. Nothing stands for an empty segment.
    pub(super) fn find(&self, path: &str) -> Option<&T> {
        let (segment, behind) = path.split_once('/').map_or((path, None), |(segment, behind)| (segment, Some(behind)));
        let literal = self.literal.get(segment).and_then(|next| next.go_on(behind));
        if literal.is_some() || segment.is_empty() {
            return literal;
        }
        self.any.as_deref().and_then(|next| next.go_on(behind)).or(self.rest.as_ref())
    }

    fn go_on(&self, behind: Option<&str>) -> Option<&T> {
        behind.map_or(self.here.as_ref(), |path| self.find(path))
    }
}

impl<T> Default for Paths<T> {
    fn default() -> Self {
        Self { here: None, literal: HashMap::new(), any: None, rest: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_to_the_pattern_that_says_most_of_it() {
        let mut paths = Paths::default();
        for pattern in ["/", "/a/{name}", "/a/b", "/a/{name}/c", "/a/b/d", "/files/{*rest}", "/{realm}/jwks"] {
            *paths.at(pattern) = Some(pattern);
        }
        for (path, pattern) in [
            ("/", Some("/")),
            ("/a/b", Some("/a/b")),
            ("/a/x", Some("/a/{name}")),
            ("/a/b/c", Some("/a/{name}/c")),
            ("/a/b/d", Some("/a/b/d")),
            ("/a/jwks", Some("/a/{name}")),
            ("/x/jwks", Some("/{realm}/jwks")),
            ("/files/x/y", Some("/files/{*rest}")),
            ("/files/", None),
            ("/a/", None),
            ("/a//c", None),
            ("/a/b/", None),
            ("/a/b/x", None),
            ("a/b", None),
            ("", None),
        ] {
            assert_eq!(paths.find(path).copied(), pattern, "{path}");
        }
    }
}

//! What a ciphertext, a MAC or a derived key is bound to.

/// A label and fields, each written behind its length, so that no two different contexts have the same bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context(Vec<u8>);

impl Context {
    /// Starts with the fixed name of the place, for instance a table and its column.
    #[must_use]
    pub fn new(label: &'static str) -> Self {
        Self(Vec::new()).with(label)
    }

    /// Adds one field, for instance a realm, a row's id or a version.
    #[must_use]
    pub fn with(mut self, field: impl AsRef<[u8]>) -> Self {
        let field = field.as_ref();
        self.0.extend_from_slice(&(field.len() as u64).to_be_bytes());
        self.0.extend_from_slice(field);
        self
    }

    /// The unambiguous encoding.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn context(fields: &[Vec<u8>]) -> Context {
        fields.iter().fold(Context::new("table"), Context::with)
    }

    #[test]
    fn moving_a_byte_between_fields_makes_another_context() {
        let contexts =
            [Context::new("ab"), Context::new("a").with("b"), Context::new("a").with("b").with(""), Context::new("a").with("").with("b")];
        for (i, left) in contexts.iter().enumerate() {
            for right in contexts.iter().skip(i + 1) {
                assert_ne!(left, right);
            }
        }
    }

    proptest! {
        #[test]
        fn equal_bytes_come_only_from_equal_fields(left: Vec<Vec<u8>>, right: Vec<Vec<u8>>) {
            prop_assert_eq!(context(&left) == context(&right), left == right);
        }
    }
}

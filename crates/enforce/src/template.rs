//! The resource a route asks about: `Stock::"{sku}"`, in which a path parameter's value stands for its name and for nothing else.

use durward_policy::{Entity, EntityError, EntityType};

/// An entity with places for path parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceTemplate {
    entity_type: EntityType,
    pieces: Vec<Piece>,
}

/// A template that is not one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// Not of the shape `Type::"…"`.
    #[error("resource `{0}` is not an entity: expected something like Stock::\"{{sku}}\"")]
    Shape(String),
    /// The type is not a name.
    #[error(transparent)]
    Type(EntityError),
    /// Braces that do not name a parameter, or characters that may not stand in an id.
    #[error(
        "resource `{0}`: between the quotes, `{{name}}` stands for a path parameter; quotes, backslashes, control characters and other braces may not be there"
    )]
    Id(String),
    /// A parameter that the path does not have.
    #[error("resource names the parameter {{{found}}}, but the path has {}", if .expected.is_empty() { "none".to_owned() } else { .expected.join(", ") })]
    UnknownParameter {
        /// The name.
        found: String,
        /// The path's parameters.
        expected: Vec<String>,
    },
    /// Two parameters that can run into each other: different requests would ask about one resource.
    #[error("resource `{0}`: between two parameters there must be a \"/\", which no parameter can hold")]
    Ambiguous(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Literal(String),
    Parameter(usize),
}

impl ResourceTemplate {
    /// Reads a template. `parameters` are the names the path has, in order; the last may hold slashes when `rest` says so.
    ///
    /// # Errors
    /// `TemplateError` when it is not one, or does not fit the path.
    pub fn parse(text: &str, parameters: &[String], rest: bool) -> Result<Self, TemplateError> {
        let shape = || TemplateError::Shape(text.to_owned());
        let (name, quoted) = text.split_once('"').ok_or_else(shape)?;
        let name = name.strip_suffix("::").ok_or_else(shape)?;
        let id = quoted.strip_suffix('"').filter(|id| !id.is_empty()).ok_or_else(shape)?;
        let entity_type = EntityType::new(name).map_err(TemplateError::Type)?;
        let pieces = pieces(id, text, parameters)?;
        let template = Self { entity_type, pieces };
        if template.is_ambiguous(rest.then_some(parameters.len().saturating_sub(1))) {
            return Err(TemplateError::Ambiguous(text.to_owned()));
        }
        Ok(template)
    }

    /// The template of an entity without parameters.
    ///
    /// # Errors
    /// `EntityError` when the type or the id will not do.
    pub fn fixed(entity_type: &str, id: &str) -> Result<Self, EntityError> {
        Entity::new(entity_type, id)?;
        Ok(Self { entity_type: EntityType::new(entity_type)?, pieces: vec![Piece::Literal(id.to_owned())] })
    }

    /// The entity's type.
    pub const fn entity_type(&self) -> &EntityType {
        &self.entity_type
    }

    /// The entity, with these values of the path's parameters.
    ///
    /// # Errors
    /// `EntityError` when the values do not make an id.
    pub fn entity(&self, values: &[String]) -> Result<Entity, EntityError> {
        if let [Piece::Parameter(only)] = self.pieces.as_slice() {
            return self.entity_type.entity(values.get(*only).ok_or(EntityError::Id)?);
        }
        let mut id = String::new();
        for piece in &self.pieces {
            id.push_str(match piece {
                Piece::Literal(text) => text,
                Piece::Parameter(number) => values.get(*number).ok_or(EntityError::Id)?,
            });
        }
        self.entity_type.entity(&id)
    }

    /// POL-008: two different requests must never ask about one resource.
    fn is_ambiguous(&self, rest: Option<usize>) -> bool {
        let mut parameters = 0;
        let mut separated = true;
        for piece in &self.pieces {
            match piece {
                Piece::Literal(text) => separated |= text.contains('/'),
                Piece::Parameter(number) => {
                    parameters += 1;
                    if !separated || (parameters > 1 && Some(*number) == rest) {
                        return true;
                    }
                    separated = false;
                }
            }
        }
        parameters > 1 && self.pieces.iter().any(|piece| matches!(piece, Piece::Parameter(number) if Some(*number) == rest))
    }
}

fn pieces(id: &str, text: &str, parameters: &[String]) -> Result<Vec<Piece>, TemplateError> {
    let malformed = || TemplateError::Id(text.to_owned());
    let mut pieces = Vec::new();
    let mut rest = id;
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('{') {
            let (name, after) = after.split_once('}').ok_or_else(malformed)?;
            let number = parameters.iter().position(|known| known == name);
            let unknown = || TemplateError::UnknownParameter { found: name.to_owned(), expected: parameters.to_vec() };
            pieces.push(Piece::Parameter(number.ok_or_else(unknown)?));
            rest = after;
        } else {
            let end = rest.find('{').unwrap_or(rest.len());
            let (literal, after) = rest.split_at(end);
            if literal.contains(|character: char| character.is_control() || matches!(character, '"' | '\\' | '}')) {
                return Err(malformed());
            }
            pieces.push(Piece::Literal(literal.to_owned()));
            rest = after;
        }
    }
    Ok(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template(text: &str) -> Result<ResourceTemplate, TemplateError> {
        ResourceTemplate::parse(text, &["sku".to_owned(), "shelf".to_owned()], false)
    }

    #[test]
    fn a_parameter_stands_for_its_value_and_cannot_break_out_pol_005() {
        let template = template(r#"Stock::"{sku}""#).unwrap();
        for value in ["4711", "x\" } || true", r#"a\"b"#, "Stock::\"1\"", "{shelf}", "ünïcode"] {
            let entity = template.entity(&[value.to_owned(), "s".to_owned()]).unwrap();
            assert_eq!(entity, Entity::new("Stock", value).unwrap());
        }
        assert_eq!(template.entity(&["a\0b".to_owned()]), Err(EntityError::Id));
        assert_eq!(template.entity(&[String::new()]), Err(EntityError::Id));
        assert_eq!(template.entity(&[]), Err(EntityError::Id));
    }

    #[test]
    fn what_is_not_an_entity_is_refused() {
        for text in
            ["", "Stock", "Stock::", "Stock::\"\"", "Stock::\"{sku}", "Stock\"{sku}\"", "Stock::{sku}", "1x::\"a\"", "Stock::\"a\"b\""]
        {
            assert!(template(text).is_err(), "{text}");
        }
        for text in [r#"Stock::"a"b""#, r#"Stock::"a\""#, r#"Stock::"{sku""#, r#"Stock::"sku}""#, "Stock::\"a\nb\"", r#"Stock::"{}""#] {
            assert!(template(text).is_err(), "{text}");
        }
        assert!(matches!(template(r#"Stock::"{size}""#), Err(TemplateError::UnknownParameter { .. })));
    }

    #[test]
    fn two_requests_never_ask_about_one_resource_pol_008() {
        for text in [r#"Stock::"{shelf}{sku}""#, r#"Stock::"{shelf}-{sku}""#] {
            assert_eq!(template(text), Err(TemplateError::Ambiguous(text.to_owned())));
        }
        assert!(template(r#"Stock::"{shelf}/{sku}""#).is_ok());
        let parameters = ["shelf".to_owned(), "path".to_owned()];
        assert!(ResourceTemplate::parse(r#"File::"{shelf}/{path}""#, &parameters, true).is_err());
        assert!(ResourceTemplate::parse(r#"File::"{path}""#, &parameters, true).is_ok());
    }
}

//! The resource a question is about. Its id is a value, never a piece of policy text, so that nothing in it can break out (POL-005).

use std::str::FromStr;

use cedar_policy::{EntityId, EntityTypeName, EntityUid};

use crate::Policies;

/// The longest id, in bytes.
const LONGEST_ID: usize = 1024;

/// The name of an entity type: `Stock`, `Shop::Stock`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EntityType(EntityTypeName);

/// A resource: a type and an id.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Entity(EntityUid);

/// What is no entity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EntityError {
    /// The type is not a name.
    #[error("\"{0}\" is not the name of an entity type: expected something like Stock or Shop::Stock")]
    Type(String),
    /// The id is empty, too long, or holds control characters.
    #[error("an entity's id must have 1 to {LONGEST_ID} bytes and no control characters")]
    Id,
}

impl EntityType {
    /// The type of this name.
    ///
    /// # Errors
    /// `EntityError::Type` when it is no name.
    pub fn new(name: &str) -> Result<Self, EntityError> {
        EntityTypeName::from_str(name).map(Self).map_err(|_| EntityError::Type(name.to_owned()))
    }

    /// The entity of this type with this id.
    ///
    /// # Errors
    /// `EntityError::Id` when the id will not do.
    pub fn entity(&self, id: &str) -> Result<Entity, EntityError> {
        if id.is_empty() || id.len() > LONGEST_ID || id.contains(char::is_control) {
            return Err(EntityError::Id);
        }
        Ok(Entity(EntityUid::from_type_name_and_id(self.0.clone(), EntityId::new(id))))
    }

    pub(crate) const fn name(&self) -> &EntityTypeName {
        &self.0
    }
}

impl From<EntityTypeName> for EntityType {
    fn from(name: EntityTypeName) -> Self {
        Self(name)
    }
}

impl Policies {
    /// The entity of a type, given by its name, with this id: as `Entity::new`, without parsing the names of types that a schema declares.
    ///
    /// # Errors
    /// `EntityError` when type or id will not do.
    pub fn entity(&self, entity_type: &str, id: &str) -> Result<Entity, EntityError> {
        self.entity_type(entity_type)?.entity(id)
    }
}

impl Entity {
    /// The entity of a type, given by its name, with this id.
    ///
    /// # Errors
    /// `EntityError` when type or id will not do.
    pub fn new(entity_type: &str, id: &str) -> Result<Self, EntityError> {
        EntityType::new(entity_type)?.entity(id)
    }

    pub(crate) const fn uid(&self) -> &EntityUid {
        &self.0
    }
}

impl std::fmt::Display for EntityType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// As in a policy: `Stock::"4711"`.
impl std::fmt::Display for Entity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

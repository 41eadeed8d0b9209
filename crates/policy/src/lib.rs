//! Cedar behind a scope index: schema, load, validate, decide, explain.
//!
//! An action is written by its id alone: `inventory:read` is `Action::"inventory:read"`, in the unnamed namespace, always. Entities may live
//! in any namespace; Durward's own are `Durward::{User, Service, Client, Role, Route}`.

mod bounds;
mod compile;
mod context;
mod decide;
mod document;
mod entity;
mod error;
mod index;
mod issue;
mod places;
mod reads;
mod schema;
mod subject;

pub use compile::{Document, Policies};
pub use context::{Clock, Holds};
pub use decide::{Circumstances, Question, Verdict};
pub use entity::{Entity, EntityError, EntityType};
pub use error::{ActionError, PolicyError};
pub use issue::{Issue, IssueVerdict, are_about_issuing};
pub use places::{Places, PlacesError};
pub use subject::Subject;

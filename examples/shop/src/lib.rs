//! The demo's three services: what a user's services would look like. They see `durward-verify` and nothing else of Durward.

pub mod accounts;
pub mod inventory;
pub mod payments;
mod settings;

pub use settings::{ServiceSettings, serve};

/// What the shop declares to the authority: file name and text, as `durward apply -f examples/shop/resources` reads them.
pub const RESOURCES: [(&str, &str); 6] = [
    ("people.yaml", include_str!("../resources/people.yaml")),
    ("services.yaml", include_str!("../resources/services.yaml")),
    ("clients.yaml", include_str!("../resources/clients.yaml")),
    ("inventory.cedarschema", include_str!("../resources/inventory.cedarschema")),
    ("inventory.cedar", include_str!("../resources/inventory.cedar")),
    ("routes.yaml", include_str!("../resources/routes.yaml")),
];

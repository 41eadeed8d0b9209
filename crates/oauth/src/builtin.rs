//! The resources that nobody declares: those that every realm has, and those of the realm `main` alone.

use durward_base::ResourceId;
use durward_model::resource::{Client, ClientAuthentication, Resource, Scope, Service, Stored, Trust};
use durward_model::{AdminRole, GrantType};

use crate::scope::OPENID;

/// The audience of nodes' tokens: to follow the feed and to post events. Only clients that run a service get it.
pub const FLEET_AUDIENCE: &str = "urn:durward:fleet";
/// The audience of operators' tokens: the admin API. Only people with an administrative role get it, through [`CLI_CLIENT`].
pub const ADMIN_AUDIENCE: &str = "urn:durward:admin";
/// The audience of tokens that are for the UserInfo endpoint alone: those of clients that are no service's, and ask only who logged in.
pub const USERINFO_AUDIENCE: &str = "urn:durward:userinfo";
/// The public client of the command line.
pub const CLI_CLIENT: &str = "durward-cli";
/// The realm that installations are run from.
pub const MAIN_REALM: &str = "main";

/// The built-in resources of a realm. Their ids are fixed and no UUIDv7 of our time.
pub fn resources(realm: &str) -> Vec<Stored> {
    let stored = |number: u8, resource| Stored {
        id: ResourceId::from_bytes([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, number]),
        realm: realm.to_owned(),
        version: 1,
        resource,
    };
    let userinfo = stored(4, Resource::Service(service(USERINFO_AUDIENCE, "Who logged in", Vec::new())));
    if realm != MAIN_REALM {
        return vec![userinfo];
    }
    vec![
        userinfo,
        stored(1, Resource::Service(service(FLEET_AUDIENCE, "Nodes: the feed and the audit record", Vec::new()))),
        stored(2, Resource::Service(service(ADMIN_AUDIENCE, "The admin API", ROLES.iter().map(admin_scope).collect()))),
        stored(3, Resource::Client(command_line())),
    ]
}

/// Whether a name is kept for built-in resources: no client, service or role of this name may be declared.
pub fn is_reserved(name: &str) -> bool {
    name == CLI_CLIENT || name.starts_with("urn:durward:")
}

/// The administrative role that a scope of [`ADMIN_AUDIENCE`] stands for: scopes bear the names of the roles, and a token carries no more
/// of them than its holder's roles allow.
pub fn role_of_scope(scope: &str) -> Option<AdminRole> {
    AdminRole::from_name(scope)
}

const ROLES: [AdminRole; 3] = [AdminRole::Admin, AdminRole::Operator, AdminRole::Auditor];

fn service(name: &str, description: &str, scopes: Vec<Scope>) -> Service {
    Service { name: name.to_owned(), description: Some(description.to_owned()), scopes, ..Service::default() }
}

fn admin_scope(role: &AdminRole) -> Scope {
    let description = match role {
        AdminRole::Admin => "Manage everything",
        AdminRole::Operator => "Manage people, sessions, clients and routes",
        AdminRole::Auditor => "Read everything",
    };
    Scope { name: role.name().to_owned(), description: Some(description.to_owned()) }
}

fn command_line() -> Client {
    Client {
        name: CLI_CLIENT.to_owned(),
        title: Some("Durward's command line".to_owned()),
        trust: Trust::FirstParty,
        authentication: ClientAuthentication::None,
        redirect_uris: vec!["http://127.0.0.1/callback".to_owned(), "http://[::1]/callback".to_owned()],
        grants: vec![GrantType::AuthorizationCode, GrantType::RefreshToken],
        scopes: std::iter::once(OPENID.to_owned()).chain(ROLES.map(|role| role.name().to_owned())).collect(),
        services: vec![ADMIN_AUDIENCE.to_owned()],
        id_token_signed_response_alg: Some("ES256".to_owned()),
        ..Client::default()
    }
}

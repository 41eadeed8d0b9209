//! Every endpoint of the admin API: method, path, who may call it, how often, and the event it leaves.

use durward_model::AccessClass;
use durward_model::AdminRole::{Admin as Administrators, Auditor, Operator};
use durward_model::EventKind::{
    ApiKeyChanged, ApiKeysListed, AuditRead, BackupTaken, ClientSecretChanged, ClockConfirmed, InitialAccessChanged, InitialAccessListed,
    KeyChanged, OperationsRead, PersonChanged, ResourceChanged, ResourceRead, SecondFactorChanged, SessionRevoked, SessionsListed,
    TokenRevoked,
};
use durward_model::RateClass::Manage;
use durward_net::{Endpoint, Endpoints};

use crate::Admin;
use crate::http::admin::v1::*;

const ADMIN: AccessClass = AccessClass::Admin(Administrators);
const OPERATE: AccessClass = AccessClass::Admin(Operator);
const READ: AccessClass = AccessClass::Admin(Auditor);

/// All of them.
pub(crate) fn all(admin: Admin) -> Vec<Endpoint> {
    let mut rows = resources(admin.clone());
    rows.extend(people_and_sessions(admin.clone()));
    rows.extend(operations(admin));
    rows
}

fn resources(admin: Admin) -> Vec<Endpoint> {
    Endpoints::new(admin)
        .post("/admin/v1/apply", OPERATE, Manage, ResourceChanged, apply::post)
        .get("/admin/v1/realms", READ, Manage, ResourceRead, realms::get)
        .get("/admin/v1/realms/{name}", READ, Manage, ResourceRead, realms::one::get)
        .put("/admin/v1/realms/{name}", ADMIN, Manage, ResourceChanged, realms::one::put)
        .delete("/admin/v1/realms/{name}", ADMIN, Manage, ResourceChanged, realms::one::delete)
        .get("/admin/v1/roles", READ, Manage, ResourceRead, roles::get)
        .get("/admin/v1/roles/{name}", READ, Manage, ResourceRead, roles::one::get)
        .put("/admin/v1/roles/{name}", OPERATE, Manage, ResourceChanged, roles::one::put)
        .delete("/admin/v1/roles/{name}", OPERATE, Manage, ResourceChanged, roles::one::delete)
        .get("/admin/v1/groups", READ, Manage, ResourceRead, groups::get)
        .get("/admin/v1/groups/{name}", READ, Manage, ResourceRead, groups::one::get)
        .put("/admin/v1/groups/{name}", OPERATE, Manage, ResourceChanged, groups::one::put)
        .delete("/admin/v1/groups/{name}", OPERATE, Manage, ResourceChanged, groups::one::delete)
        .get("/admin/v1/services", READ, Manage, ResourceRead, services::get)
        .get("/admin/v1/services/{name}", READ, Manage, ResourceRead, services::one::get)
        .put("/admin/v1/services/{name}", OPERATE, Manage, ResourceChanged, services::one::put)
        .delete("/admin/v1/services/{name}", OPERATE, Manage, ResourceChanged, services::one::delete)
        .get("/admin/v1/clients", READ, Manage, ResourceRead, clients::get)
        .get("/admin/v1/clients/{name}", READ, Manage, ResourceRead, clients::one::get)
        .put("/admin/v1/clients/{name}", OPERATE, Manage, ResourceChanged, clients::one::put)
        .delete("/admin/v1/clients/{name}", OPERATE, Manage, ResourceChanged, clients::one::delete)
        .get("/admin/v1/clients/{name}/secrets", READ, Manage, ResourceRead, clients::secrets::get)
        .post("/admin/v1/clients/{name}/secrets", OPERATE, Manage, ClientSecretChanged, clients::secrets::post)
        .delete("/admin/v1/clients/{name}/secrets/{id}", OPERATE, Manage, ClientSecretChanged, clients::secrets::one::delete)
        .get("/admin/v1/registration-tokens", READ, Manage, InitialAccessListed, registration_tokens::get)
        .post("/admin/v1/registration-tokens", OPERATE, Manage, InitialAccessChanged, registration_tokens::post)
        .delete("/admin/v1/registration-tokens/{id}", OPERATE, Manage, InitialAccessChanged, registration_tokens::one::delete)
        .get("/admin/v1/api-keys", READ, Manage, ApiKeysListed, api_keys::get)
        .post("/admin/v1/api-keys", OPERATE, Manage, ApiKeyChanged, api_keys::post)
        .post("/admin/v1/api-keys/{id}/rotate", OPERATE, Manage, ApiKeyChanged, api_keys::rotate::post)
        .delete("/admin/v1/api-keys/{id}", OPERATE, Manage, ApiKeyChanged, api_keys::one::delete)
        .get("/admin/v1/trusted-issuers", READ, Manage, ResourceRead, trusted_issuers::get)
        .get("/admin/v1/trusted-issuers/{name}", READ, Manage, ResourceRead, trusted_issuers::one::get)
        .put("/admin/v1/trusted-issuers/{name}", OPERATE, Manage, ResourceChanged, trusted_issuers::one::put)
        .delete("/admin/v1/trusted-issuers/{name}", OPERATE, Manage, ResourceChanged, trusted_issuers::one::delete)
        .get("/admin/v1/schemas", READ, Manage, ResourceRead, schemas::get)
        .get("/admin/v1/schemas/{name}", READ, Manage, ResourceRead, schemas::one::get)
        .put("/admin/v1/schemas/{name}", OPERATE, Manage, ResourceChanged, schemas::one::put)
        .delete("/admin/v1/schemas/{name}", OPERATE, Manage, ResourceChanged, schemas::one::delete)
        .get("/admin/v1/policies", READ, Manage, ResourceRead, policies::get)
        .get("/admin/v1/policies/{name}", READ, Manage, ResourceRead, policies::one::get)
        .put("/admin/v1/policies/{name}", OPERATE, Manage, ResourceChanged, policies::one::put)
        .delete("/admin/v1/policies/{name}", OPERATE, Manage, ResourceChanged, policies::one::delete)
        .get("/admin/v1/routes", READ, Manage, ResourceRead, routes::get)
        .get("/admin/v1/routes/{name}", READ, Manage, ResourceRead, routes::one::get)
        .put("/admin/v1/routes/{name}", OPERATE, Manage, ResourceChanged, routes::one::put)
        .delete("/admin/v1/routes/{name}", OPERATE, Manage, ResourceChanged, routes::one::delete)
        .into_rows()
}

fn people_and_sessions(admin: Admin) -> Vec<Endpoint> {
    Endpoints::new(admin)
        .get("/admin/v1/people", READ, Manage, ResourceRead, people::get)
        .get("/admin/v1/people/{name}", READ, Manage, ResourceRead, people::one::get)
        .put("/admin/v1/people/{name}", OPERATE, Manage, PersonChanged, people::one::put)
        .delete("/admin/v1/people/{name}", OPERATE, Manage, PersonChanged, people::one::delete)
        .post("/admin/v1/people/{name}/disable", OPERATE, Manage, PersonChanged, people::disable::post)
        .post("/admin/v1/people/{name}/enable", OPERATE, Manage, PersonChanged, people::enable::post)
        .put("/admin/v1/people/{name}/password", OPERATE, Manage, PersonChanged, people::password::put)
        .delete("/admin/v1/people/{name}/second-factor", OPERATE, Manage, SecondFactorChanged, people::second_factor::delete)
        .get("/admin/v1/people/{name}/sessions", READ, Manage, SessionsListed, people::sessions::get)
        .delete("/admin/v1/people/{name}/sessions", OPERATE, Manage, SessionRevoked, people::sessions::delete)
        .get("/admin/v1/sessions/{id}", READ, Manage, SessionsListed, sessions::one::get)
        .delete("/admin/v1/sessions/{id}", OPERATE, Manage, SessionRevoked, sessions::one::delete)
        .post("/admin/v1/revocations", OPERATE, Manage, TokenRevoked, revocations::post)
        .into_rows()
}

fn operations(admin: Admin) -> Vec<Endpoint> {
    Endpoints::new(admin)
        .get("/admin/v1/keys", READ, Manage, ResourceRead, keys::get)
        .post("/admin/v1/keys/rotate", ADMIN, Manage, KeyChanged, keys::rotate::post)
        .post("/admin/v1/keys/{kid}/revoke", ADMIN, Manage, KeyChanged, keys::revoke::post)
        .get("/admin/v1/audit", READ, Manage, AuditRead, audit::get)
        .get("/admin/v1/audit/verify", READ, Manage, AuditRead, audit::verify::get)
        .get("/admin/v1/explain/{id}", READ, Manage, AuditRead, explain::one::get)
        .get("/admin/v1/status", READ, Manage, OperationsRead, status::get)
        .get("/admin/v1/ca", READ, Manage, OperationsRead, ca::get)
        .post("/admin/v1/clock/confirm", ADMIN, Manage, ClockConfirmed, clock::confirm::post)
        .post("/admin/v1/backup", ADMIN, Manage, BackupTaken, backup::post)
        .into_rows()
}

//! `/admin/v1/revocations`

use durward_base::{FamilyId, SessionId, TokenId};
use durward_model::{Person, Revocation, RevocationKind, Write};
use http::StatusCode;
use serde::Deserialize;

use crate::Refused;
use crate::body::Body;
use crate::call::Call;
use crate::plan::consequences::end_logins;

/// What to revoke: exactly one thing. Keys have an endpoint of their own.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum What {
    /// A person, by name: their logins end, their tokens are dead.
    Person(String),
    /// A client, by name: every token it has been issued is dead.
    Client(String),
    /// A login.
    Session(String),
    /// One client in a login.
    Family(String),
    /// One token, by `jti`.
    Token(String),
}

/// Revokes it, everywhere within a second.
pub async fn post(call: Call, Body(what): Body<What>) -> Result<StatusCode, Refused> {
    let (now, realm) = (call.now(), &call.realm);
    let (writes, target) = match what {
        What::Person(name) => {
            let person = call.admin.person(realm, &name).await?;
            call.admin.may_touch(&person, call.by.role)?;
            (end_logins(&person, now, "revoked").to_vec(), format!("person/{}", person.username))
        }
        What::Client(name) => {
            let (_, client) = call.admin.client(realm, &name).await?;
            call.admin.may_touch_client(&client, realm, call.by.role)?;
            (vec![Write::Revoke(Revocation::new(realm, RevocationKind::Client, &name, now, "revoked"))], format!("client/{name}"))
        }
        What::Session(id) => {
            let none = || Refused::no("login", &id);
            let session: SessionId = id.parse().map_err(|_| none())?;
            let found = call.admin.store().session(realm, session).await?.ok_or_else(none)?;
            touch(&call, call.admin.store().person(realm, found.person).await?)?;
            (vec![Write::EndSession { realm: realm.clone(), session, at: now, reason: "revoked" }], format!("session/{id}"))
        }
        What::Family(id) => {
            let none = || Refused::no("family", &id);
            let family: FamilyId = id.parse().map_err(|_| none())?;
            let found = call.admin.store().family_facts(realm, family).await?.ok_or_else(none)?;
            touch(&call, Some(found.person))?;
            (vec![Write::EndFamily { realm: realm.clone(), family, at: now, reason: "revoked" }], format!("family/{id}"))
        }
        What::Token(id) => {
            let token: TokenId = id.parse().map_err(|_| Refused::Invalid("token: expected a `jti` of this authority".to_owned()))?;
            call.admin.may_revoke_token(realm, token, call.by.role).await?;
            (vec![Write::Revoke(Revocation::new(realm, RevocationKind::Token, &id, now, "revoked"))], format!("token/{id}"))
        }
    };
    call.commit(&writes, target, StatusCode::NO_CONTENT).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn touch(call: &Call, person: Option<Person>) -> Result<(), Refused> {
    person.map_or(Ok(()), |person| call.admin.may_touch(&person, call.by.role))
}

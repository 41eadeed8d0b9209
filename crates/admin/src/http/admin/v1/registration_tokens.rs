//! `/admin/v1/registration-tokens`: initial access tokens (RFC 7591 section 1.2).

pub mod one;

use axum::Json;
use durward_base::{Duration, KeyId, Timestamp};
use durward_model::{InitialAccess, Write};
use durward_oauth::registration;
use durward_seal::HandleKeys;
use http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::Refused;
use crate::body::Body;
use crate::call::Call;

/// An initial access token as far as anybody may know it.
#[derive(Serialize)]
pub struct Shown {
    id: KeyId,
    note: String,
    created: Timestamp,
    expires: Timestamp,
    /// How many clients may be registered with it still.
    uses: u32,
    /// Given once, when it is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

/// A token to make.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct New {
    /// Whom it is for.
    #[serde(default)]
    note: String,
    /// How many clients may be registered with it: 1 to 1,000.
    #[serde(default = "one")]
    uses: u32,
    /// How long it is good, in seconds: at most ninety days.
    #[serde(default = "a_day")]
    seconds: u64,
}

const fn one() -> u32 {
    1
}

const fn a_day() -> u64 {
    86_400
}

const LONGEST: u64 = 90 * 86_400;

impl From<InitialAccess> for Shown {
    fn from(InitialAccess { id, note, created, expires, uses, .. }: InitialAccess) -> Self {
        Self { id, note, created, expires, uses, token: None }
    }
}

/// The realm's initial access tokens, without what is secret about them.
pub async fn get(call: Call) -> Result<Json<Vec<Shown>>, Refused> {
    call.admin.realm_id(&call.realm).await?;
    let all = call.admin.store().initial_accesses(&call.realm).await?;
    Ok(Json(all.into_iter().map(Shown::from).collect()))
}

/// Makes one and gives it once.
pub async fn post(call: Call, Body(new): Body<New>) -> Result<Json<Shown>, Refused> {
    let realm = call.admin.realm_id(&call.realm).await?;
    if !(1..=1_000).contains(&new.uses) || !(60..=LONGEST).contains(&new.seconds) || new.note.chars().count() > 200 {
        let expected = format!("expected 1 to 1000 uses, 60 to {LONGEST} seconds and a note of at most 200 characters");
        return Err(Refused::Invalid(expected));
    }
    let (now, rng) = (call.now(), &call.admin.settings.rng);
    let expires = now + Duration::from_secs(new.seconds);
    let access =
        InitialAccess { id: KeyId::new(now, rng), realm: call.realm.clone(), note: new.note, created: now, expires, uses: new.uses };
    let token = registration::initial_access(&access, &HandleKeys::from_root(&call.admin.settings.root), realm);
    call.commit(&[Write::PutInitialAccess(access.clone())], format!("registration_token/{}", access.id), StatusCode::OK).await?;
    Ok(Json(Shown { token: Some(token.expose().to_owned()), ..Shown::from(access) }))
}

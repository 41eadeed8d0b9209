//! `/admin/v1/clients/{name}/secrets`

pub mod one;

use axum::Json;
use axum::extract::Path;
use durward_base::{Duration, KeyId, Timestamp, base64url};
use durward_model::resource::ClientAuthentication;
use durward_model::{ClientSecret, Write};
use http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::Refused;
use crate::body::Body;
use crate::call::Call;

/// A client's secret as far as anybody may know it.
#[derive(Serialize)]
pub struct Shown {
    id: KeyId,
    created: Timestamp,
    expires: Option<Timestamp>,
    /// Given once, when it is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

/// A secret to make.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct New {
    /// How long those before it are accepted still, in seconds: at most thirty days.
    #[serde(default = "a_day")]
    overlap_seconds: u64,
}

const fn a_day() -> u64 {
    86_400
}

const LONGEST_OVERLAP: u64 = 30 * 86_400;

/// The client's secrets, expired ones too, without what is secret about them.
pub async fn get(call: Call, Path(name): Path<String>) -> Result<Json<Vec<Shown>>, Refused> {
    let (id, _) = call.admin.client(&call.realm, &name).await?;
    call.about(format!("client/{name}"));
    let secrets = call.admin.store().client_secrets(&call.realm, id).await?;
    Ok(Json(
        secrets.into_iter().map(|secret| Shown { id: secret.id, created: secret.created, expires: secret.expires, secret: None }).collect(),
    ))
}

/// Makes a new secret and gives it once; those before it end after the overlap.
pub async fn post(call: Call, Path(name): Path<String>, Body(new): Body<New>) -> Result<Json<Shown>, Refused> {
    let (client_id, client) = call.admin.client(&call.realm, &name).await?;
    call.admin.may_touch_client(&client, &call.realm, call.by.role)?;
    if !matches!(client.authentication, ClientAuthentication::ClientSecretBasic | ClientAuthentication::ClientSecretPost) {
        let method = client.authentication.name();
        return Err(Refused::Impossible(format!("the client authenticates by {method} and uses no secret")));
    }
    if new.overlap_seconds > LONGEST_OVERLAP {
        return Err(Refused::Invalid(format!("overlap_seconds: expected at most {LONGEST_OVERLAP}")));
    }
    let (now, rng) = (call.now(), &call.admin.settings.rng);
    let realm = call.admin.realm_id(&call.realm).await?;
    let secret = durward_base::Secret::new(base64url::encode(&rng.bytes::<32>()));
    let hash = base64url::encode(&call.admin.hasher.hash(realm, client_id, &secret));
    let made = ClientSecret { id: KeyId::new(now, rng), realm: call.realm.clone(), client: client_id, hash, created: now, expires: None };
    let end = now + Duration::from_secs(new.overlap_seconds);
    let before = call.admin.store().client_secrets(&call.realm, client_id).await?;
    let mut writes: Vec<Write> = before
        .iter()
        .filter(|secret| secret.expires.is_none_or(|expires| expires > end))
        .map(|secret| Write::ExpireClientSecret { realm: call.realm.clone(), secret: secret.id, at: end })
        .collect();
    let shown = Shown { id: made.id, created: now, expires: None, secret: Some(secret.expose().to_owned()) };
    writes.push(Write::PutClientSecret(made));
    call.commit(&writes, format!("client/{name}"), StatusCode::OK).await?;
    Ok(Json(shown))
}

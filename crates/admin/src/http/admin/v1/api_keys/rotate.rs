//! `/admin/v1/api-keys/{id}/rotate`

use axum::Json;
use axum::extract::Path;
use durward_base::{Duration, KeyId};
use durward_model::{ApiKey, Write};
use serde::Deserialize;

use super::{Shown, find, may_touch, put};
use crate::Refused;
use crate::body::Body;
use crate::call::Call;

/// How the old key ends.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rotation {
    /// How long the old one is accepted still, in seconds: not at all, or a minute to thirty days.
    #[serde(default = "a_day")]
    overlap_seconds: u64,
}

const fn a_day() -> u64 {
    86_400
}

/// For so long nodes go by what they were told of a key: no shorter overlap could be kept exactly.
const SHORTEST_OVERLAP: u64 = 60;
const LONGEST_OVERLAP: u64 = 30 * 86_400;

/// Makes a key like this one and gives it once; this one ends after the overlap, everywhere at that moment. The new one is good for as long as
/// the old one was when it was made.
pub async fn post(call: Call, Path(id): Path<String>, Body(Rotation { overlap_seconds }): Body<Rotation>) -> Result<Json<Shown>, Refused> {
    if overlap_seconds != 0 && !(SHORTEST_OVERLAP..=LONGEST_OVERLAP).contains(&overlap_seconds) {
        return Err(Refused::Invalid(format!("overlap_seconds: expected 0, or {SHORTEST_OVERLAP} to {LONGEST_OVERLAP}")));
    }
    let old = find(&call, &id).await?;
    may_touch(&call, &old).await?;
    let (now, rng, realm) = (call.now(), &call.admin.settings.rng, call.realm.clone());
    let end = now + Duration::from_secs(overlap_seconds);
    let ends = match old.expires {
        _ if overlap_seconds == 0 => Some(Write::EndApiKey { realm, key: old.id, at: now }),
        Some(expires) if expires <= end => None,
        _ => Some(Write::ExpireApiKey { realm, key: old.id, at: end }),
    };
    let expires = old.expires.map(|expires| now + expires.since(old.created));
    let new = ApiKey { id: KeyId::new(now, rng), taken_over: None, created: now, expires, used: None, ..old };
    let realm = call.admin.realm_id(&call.realm).await?;
    put(&call, realm, new, ends.into_iter().collect()).await
}

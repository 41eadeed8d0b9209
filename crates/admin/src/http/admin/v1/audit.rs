//! `/admin/v1/audit`

pub mod verify;

use axum::Json;
use durward_audit::Query;
use durward_base::{EventId, Timestamp};
use durward_model::{Event, EventKind, Outcome};
use durward_oauth::builtin::MAIN_REALM;
use serde::Deserialize;

use crate::Refused;
use crate::call::Call;
use crate::declared::List;

/// Events looked through for one page.
const LOOKED_THROUGH: usize = 1_000;

/// Which events.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// Not before this moment, in milliseconds since 1970.
    since: Option<i64>,
    /// What was attempted, by its dotted name.
    kind: Option<String>,
    /// How it ended.
    outcome: Option<Outcome>,
    /// Who did it, or for whom it was done, by username.
    person: Option<String>,
    /// The id of the last event of an earlier page: those before it.
    before: Option<EventId>,
    page_size: Option<usize>,
}

/// The realm's events, newest first; in the realm `main`, whose administrators look after all of it, the installation's too.
pub async fn get(call: Call<Asked>) -> Result<Json<List<Event>>, Refused> {
    let Asked { since, kind, outcome, person, before, page_size } = &call.query;
    let size = page_size.unwrap_or(100);
    if !(1..=200).contains(&size) {
        return Err(Refused::Invalid("page_size: expected 1 to 200".to_owned()));
    }
    let kind = kind.as_deref().map(known_kind).transpose()?;
    let sub = match person {
        Some(name) => Some(call.admin.person(&call.realm, name).await?.sub),
        None => None,
    };
    let query = Query {
        realm: Some(call.realm.clone()),
        installation: call.realm == MAIN_REALM,
        kind,
        from: since.map(Timestamp::from_millis),
        to: before.map(EventId::time),
        ..Query::default()
    };
    let mut events = call.admin.events(&query, LOOKED_THROUGH).await?;
    let more = events.len() == LOOKED_THROUGH;
    let last = events.last().map(|event| event.id);
    events.retain(|event| {
        before.is_none_or(|before| event.id < before)
            && outcome.is_none_or(|outcome| event.outcome == outcome)
            && sub.as_ref().is_none_or(|sub| concerns(event, sub))
    });
    let cut = events.len() > size;
    events.truncate(size);
    let next = if cut { events.last().map(|event| event.id) } else { last.filter(|_| more) };
    Ok(Json(List { items: events, next: next.map(|id| id.to_string()) }))
}

fn known_kind(name: &str) -> Result<EventKind, Refused> {
    let known = || EventKind::ALL.iter().map(|kind| kind.name());
    let unknown = || {
        let near = durward_base::nearest(name, known()).map(|near| format!(" (did you mean `{near}`?)")).unwrap_or_default();
        Refused::Invalid(format!("kind: there is no such kind of event{near}"))
    };
    EventKind::ALL.iter().copied().find(|kind| kind.name() == name).ok_or_else(unknown)
}

fn concerns(event: &Event, sub: &str) -> bool {
    event.caller.as_ref().is_some_and(|caller| caller.id == sub || caller.acts_for.as_ref().is_some_and(|acting| acting.id == sub))
}

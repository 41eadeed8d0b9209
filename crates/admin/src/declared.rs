//! What the endpoints of all kinds of declared resources have in common.

use axum::Json;
use durward_base::base64url;
use durward_model::{Resource, ResourceKind, Stored};
use serde::{Deserialize, Serialize};

use crate::call::Call;
use crate::{Apply, Plan, Refused};

/// The most items of one page.
const LARGEST_PAGE: usize = 200;
/// The items of a page when nothing is said.
const USUAL_PAGE: usize = 100;

/// Which page of a list.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Page {
    page_size: Option<usize>,
    cursor: Option<String>,
}

/// A page of a list.
#[derive(Debug, Serialize)]
pub struct List<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// The cursor of the page behind it, when there may be one.
    pub next: Option<String>,
}

impl Page {
    /// How many items: 1 to 200.
    pub(crate) fn size(&self) -> Result<usize, Refused> {
        let size = self.page_size.unwrap_or(USUAL_PAGE);
        let fits = (1..=LARGEST_PAGE).contains(&size);
        fits.then_some(size).ok_or_else(|| Refused::Invalid(format!("page_size: expected 1 to {LARGEST_PAGE}")))
    }

    /// The place behind which it begins.
    pub(crate) fn cursor(&self) -> Option<&str> {
        self.cursor.as_deref()
    }

    fn of(&self, mut items: Vec<Stored>) -> Result<Json<List<Stored>>, Refused> {
        let size = self.size()?;
        if let Some(cursor) = &self.cursor {
            let after = base64url::decode(cursor).and_then(|bytes| String::from_utf8(bytes).ok());
            let after = after.ok_or_else(|| Refused::Invalid("cursor: expected the `next` of an earlier page".to_owned()))?;
            items.retain(|stored| stored.resource.name() > after.as_str());
        }
        let more = items.len() > size;
        items.truncate(size);
        let next = items.last().filter(|_| more).map(|last| base64url::encode(last.resource.name().as_bytes()));
        Ok(Json(List { items, next }))
    }
}

/// A page of a realm's resources of one kind.
pub(crate) async fn list(call: &Call<Page>, kind: ResourceKind) -> Result<Json<List<Stored>>, Refused> {
    call.admin.realm_id(&call.realm).await?;
    call.query.of(call.admin.store().resources(&call.realm, kind).await?)
}

/// A page of all realms: each is stored under its own name.
pub(crate) async fn realms(call: &Call<Page>) -> Result<Json<List<Stored>>, Refused> {
    let view = call.admin.settings.shared.view();
    let all = view.snapshot().resources().values();
    let mut realms: Vec<Stored> =
        all.filter(|stored| stored.resource.kind() == ResourceKind::Realm).map(|stored| Stored::clone(stored)).collect();
    realms.sort_by(|left, right| left.realm.cmp(&right.realm));
    call.query.of(realms)
}

/// One resource.
pub(crate) async fn find(call: &Call, kind: ResourceKind, name: &str) -> Result<Json<Stored>, Refused> {
    let realm = if kind == ResourceKind::Realm { name } else { &call.realm };
    call.about(format!("{}/{name}", kind.name()));
    call.admin.store().resource(realm, kind, name).await?.map(Json).ok_or_else(|| Refused::no(kind.name(), name))
}

/// Makes one resource be as given, whether or not it was there before.
pub(crate) async fn put(call: &Call, name: &str, resource: Resource) -> Result<Json<Plan>, Refused> {
    if resource.name() != name {
        return Err(Refused::Invalid(format!("the body is named \"{}\", but the address says \"{name}\"", resource.name())));
    }
    apply(call, Apply { resources: vec![resource], ..Apply::default() }).await
}

/// Deletes one resource.
pub(crate) async fn delete(call: &Call, kind: ResourceKind, name: &str) -> Result<Json<Plan>, Refused> {
    let realm = if kind == ResourceKind::Realm { name } else { &call.realm };
    let plan = call.admin.delete(realm, kind, name, call.by.role, call.recorder.event()).await?;
    call.recorder.committed();
    Ok(Json(plan))
}

/// Makes the realm have these resources.
pub(crate) async fn apply(call: &Call, asked: Apply) -> Result<Json<Plan>, Refused> {
    let plan = call.admin.apply(&call.realm, asked, call.by.role, call.recorder.event()).await?;
    if plan.applied {
        call.recorder.committed();
    }
    Ok(Json(plan))
}

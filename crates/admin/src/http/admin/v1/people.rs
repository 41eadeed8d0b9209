//! `/admin/v1/people`

pub mod disable;
pub mod enable;
pub mod one;
pub mod password;
pub mod second_factor;
pub mod sessions;

use axum::Json;
use durward_model::Person;
use durward_store::PersonCursor;

use crate::Refused;
use crate::call::Call;
use crate::declared::{List, Page};

/// The realm's people, by username.
pub async fn get(call: Call<Page>) -> Result<Json<List<Person>>, Refused> {
    call.admin.realm_id(&call.realm).await?;
    let after: Option<PersonCursor> =
        call.query.cursor().map(str::parse).transpose().map_err(|error| Refused::Invalid(format!("cursor: {error}")))?;
    let page = call.admin.store().people(&call.realm, after.as_ref(), call.query.size()?).await?;
    Ok(Json(List { items: page.people, next: page.next.map(|next| next.to_string()) }))
}

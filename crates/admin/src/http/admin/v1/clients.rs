//! `/admin/v1/clients`

pub mod one;
pub mod secrets;

use axum::Json;
use durward_model::{ResourceKind, Stored};

use crate::Refused;
use crate::call::Call;
use crate::declared::{self, List, Page};

/// The realm's clients, by name.
pub async fn get(call: Call<Page>) -> Result<Json<List<Stored>>, Refused> {
    declared::list(&call, ResourceKind::Client).await
}

//! `/admin/v1/services`

pub mod one;

use axum::Json;
use durward_model::{ResourceKind, Stored};

use crate::Refused;
use crate::call::Call;
use crate::declared::{self, List, Page};

/// The realm's services, by name.
pub async fn get(call: Call<Page>) -> Result<Json<List<Stored>>, Refused> {
    declared::list(&call, ResourceKind::Service).await
}

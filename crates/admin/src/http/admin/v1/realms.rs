//! `/admin/v1/realms`

pub mod one;

use axum::Json;
use durward_model::Stored;

use crate::Refused;
use crate::call::Call;
use crate::declared::{self, List, Page};

/// All realms, by name.
pub async fn get(call: Call<Page>) -> Result<Json<List<Stored>>, Refused> {
    declared::realms(&call).await
}

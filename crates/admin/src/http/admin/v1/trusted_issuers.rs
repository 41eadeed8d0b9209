//! `/admin/v1/trusted-issuers`

pub mod one;

use axum::Json;
use durward_model::{ResourceKind, Stored};

use crate::Refused;
use crate::call::Call;
use crate::declared::{self, List, Page};

/// The realm's trusted issuers, by name.
pub async fn get(call: Call<Page>) -> Result<Json<List<Stored>>, Refused> {
    declared::list(&call, ResourceKind::TrustedIssuer).await
}

//! `/admin/v1/explain/{id}`

use axum::Json;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use durward_base::EventId;
use serde::Deserialize;

use crate::Refused;
use crate::call::Call;

/// How to tell it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Form {
    /// `text` for a terminal, `json` otherwise.
    #[serde(default)]
    form: Shape,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Shape {
    #[default]
    Json,
    Text,
}

/// Why the request of this id ended as it did, with every hop of its transaction.
pub async fn get(call: Call<Form>, Path(id): Path<String>) -> Result<Response, Refused> {
    let id: EventId = id.parse().map_err(|_| Refused::Invalid("expected the id that an answer's X-Request-Id carries".to_owned()))?;
    call.about(format!("request/{id}"));
    let explanation = call.admin.explanation(id).await?;
    Ok(match call.query.form {
        Shape::Json => Json(explanation).into_response(),
        Shape::Text => explanation.to_string().into_response(),
    })
}

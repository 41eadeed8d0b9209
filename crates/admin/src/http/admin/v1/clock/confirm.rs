//! `/admin/v1/clock/confirm`

use axum::Json;
use durward_model::Outcome;
use serde::Serialize;

use crate::Refused;
use crate::call::Call;

/// What was confirmed.
#[derive(Serialize)]
pub struct Confirmed {
    /// How far the clock had jumped, in milliseconds, back when negative; nothing when it had not.
    jumped_by_milliseconds: Option<i64>,
}

/// Takes this authority's clock for right as it stands: what was held goes on.
pub async fn post(call: Call) -> Result<Json<Confirmed>, Refused> {
    let clock = &call.admin.settings.clock;
    let jump = clock.jump();
    if let Some(jump) = jump {
        clock.confirm();
        tracing::warn!(by_milliseconds = jump.millis(), "an operator confirmed the clock");
        call.recorder.edit(|event| {
            event.outcome = Outcome::Changed;
            event.detail = Some(format!("it had jumped by {} ms", jump.millis()));
        });
    }
    call.about("clock".to_owned());
    Ok(Json(Confirmed { jumped_by_milliseconds: jump.map(|jump| jump.millis()) }))
}

//! What comes back from a page that was shown to somebody who is logged in: its fields, and their login.

use axum::response::Response;
use durward_oauth::Parameters;

use crate::call::Call;
use crate::sso::LiveLogin;
use crate::transaction::{self, Reviewing};
use crate::{answer, origin};

/// A form that makes something, which would die at the wrong time while the clock is wrong.
///
/// # Errors
/// The answer to a form that is not looked at.
pub(crate) async fn that_makes(call: &Call) -> Result<(Parameters, LiveLogin), Box<Response>> {
    let parameters = origin::own_form(call).map_err(|refused| refused.answer(call))?;
    if call.clock_jumped() {
        return Err(Box::new(answer::clock_jumped(call)));
    }
    Ok((parameters, LiveLogin::of_form(call).await?))
}

/// A form that ends something, which is always right: from a list that was shown to this very login.
///
/// # Errors
/// The answer to a form that is not looked at.
pub(crate) async fn that_ends(call: &Call) -> Result<(Parameters, LiveLogin), Box<Response>> {
    let parameters = origin::own_form(call).map_err(|refused| refused.answer(call))?;
    let shown = transaction::open::<Reviewing>(call, parameters.get("transaction"));
    let login = LiveLogin::of_form(call).await?;
    match shown {
        Some(shown) if shown.session() == login.session.id => Ok((parameters, login)),
        _ => Err(Box::new(answer::stale_form(call))),
    }
}

//! Answers to browsers: redirects and error pages.

use axum::response::{IntoResponse as _, Response};
use durward_base::Duration;
use durward_oauth::OAuthError;
use durward_oauth::authorize::{AuthorizationResponse, Delivery, ErrorRedirect, Refusal};
use http::header::{CACHE_CONTROL, LOCATION, REFERRER_POLICY, RETRY_AFTER, SET_COOKIE};
use http::{HeaderValue, StatusCode};

use crate::call::{Call, FormError};
use crate::page::{self, FORM_POST_SCRIPT, Failure, FormPost, Frame, Onward};

/// Sends the browser on with GET, whatever it came with.
pub(crate) fn see_other(location: &str, cookies: impl IntoIterator<Item = HeaderValue>) -> Response {
    let Ok(location) = HeaderValue::try_from(location) else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
    let headers = [
        (LOCATION, location),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ];
    with_cookies((StatusCode::SEE_OTHER, headers).into_response(), cookies)
}

/// The same answer with cookies.
pub(crate) fn with_cookies(mut response: Response, cookies: impl IntoIterator<Item = HeaderValue>) -> Response {
    response.headers_mut().extend(cookies.into_iter().map(|cookie| (SET_COOKIE, cookie)));
    response
}

/// Takes a response to the client: by a redirect, or by a form that posts itself.
pub(crate) fn respond(call: &Call, response: AuthorizationResponse, client: &str, cookie: Option<HeaderValue>) -> Response {
    match deliver(call, response) {
        Ok(Delivery::Redirect(location)) => see_other(&location, cookie),
        Ok(Delivery::Form { action, parameters }) => {
            let page = FormPost { frame: frame(call), client, action: &action, parameters: &parameters, script: FORM_POST_SCRIPT };
            with_cookies(page::self_submitting(&page), cookie)
        }
        Err(error) => undeliverable(call, error),
    }
}

/// The status that a response is answered with.
pub(crate) const fn response_status(is_form: bool) -> StatusCode {
    if is_form { StatusCode::OK } else { StatusCode::SEE_OTHER }
}

fn deliver(call: &Call, response: AuthorizationResponse) -> Result<Delivery, OAuthError> {
    response.deliver(&call.realm, &*call.keys()?, call.now)
}

/// A signed response that cannot be made as its client is registered to get it.
fn undeliverable(call: &Call, error: OAuthError) -> Response {
    let sentence = format!("The application asked for an answer that cannot be made: {}. Tell the people who run it.", error.description);
    failure(call, StatusCode::BAD_REQUEST, error.reason, ("This sign-in cannot go on", &sentence))
}

/// An error page. Its sentence says what to do; the reason is for the record.
pub(crate) fn failure(call: &Call, status: StatusCode, reason: &str, (heading, sentence): (&'static str, &str)) -> Response {
    call.refused(reason);
    render(call, status, heading, sentence.to_owned(), None)
}

/// The form belongs to no page that this browser was shown, or to one of long ago.
pub(crate) fn stale_form(call: &Call) -> Response {
    let words = (
        "This page is out of date",
        "It was opened too long ago, or in another browser, or this browser keeps no cookies. Go back to the application and start again from there.",
    );
    failure(call, StatusCode::BAD_REQUEST, "form.stale", words)
}

/// The form was sent from somebody else's page.
pub(crate) fn foreign_form(call: &Call) -> Response {
    let words = (
        "This was not sent from here",
        "Another site tried to act in your name. Nothing was done. Go back to the application and start again from there.",
    );
    failure(call, StatusCode::FORBIDDEN, "form.foreign", words)
}

/// The body cannot be read.
pub(crate) fn unreadable(call: &Call, error: FormError) -> Response {
    let (status, reason, _) = error.parts();
    failure(call, status, reason, ("This cannot be read", "What was sent is not what this page expects. Go back and try again."))
}

/// The store cannot be reached, or others were faster each time.
pub(crate) fn unavailable(call: &Call) -> Response {
    later(call, "store_unavailable")
}

/// The clock stands somewhere else than it should.
pub(crate) fn clock_jumped(call: &Call) -> Response {
    later(call, "clock.jumped")
}

fn later(call: &Call, reason: &str) -> Response {
    call.recorder.edit(|event| {
        event.outcome = durward_model::Outcome::Failed;
        event.reason = Some(reason.to_owned());
    });
    let sentence = "Signing in is not possible at the moment. Nothing is lost: try again in a few seconds.".to_owned();
    let response = render(call, StatusCode::SERVICE_UNAVAILABLE, "Please try again", sentence, None);
    retry_after(response, Duration::from_secs(1))
}

/// Tells when to come back, in whole seconds and never too early.
pub(crate) fn retry_after(mut response: Response, wait: Duration) -> Response {
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds(wait)));
    response
}

/// Whole seconds, rounded up.
pub(crate) fn seconds(wait: Duration) -> u64 {
    wait.as_millis().div_ceil(1000).try_into().unwrap_or(u64::MAX)
}

/// An authorization request that is refused at once.
pub(crate) fn refusal(call: &Call, refusal: &Refusal, client: &str) -> Response {
    call.refused(refusal.error().reason);
    match refusal {
        Refusal::Page(error) => {
            let sentence = format!(
                "The application sent you here with a request that is not right: {}. Go back to it; if that does not help, tell the people who run it.",
                error.description
            );
            render(call, StatusCode::BAD_REQUEST, "This sign-in cannot begin", sentence, None)
        }
        Refusal::Redirect(redirect) => error_redirect(call, redirect, client, None),
    }
}

/// Takes an error back to the client; by a link to click on, where the client is somebody else's and nobody has clicked on anything yet (RFC 9700
/// section 4.11.2).
pub(crate) fn error_redirect(call: &Call, redirect: &ErrorRedirect, client: &str, cookie: Option<HeaderValue>) -> Response {
    if !redirect.interstitial {
        return respond(call, redirect.response.clone(), client, cookie);
    }
    let (href, fields) = match deliver(call, redirect.response.clone()) {
        Ok(Delivery::Redirect(location)) => (location, Vec::new()),
        Ok(Delivery::Form { action, parameters }) => (action, parameters),
        Err(error) => return undeliverable(call, error),
    };
    let OAuthError { description, .. } = redirect.error;
    let sentence = format!("{client} asked for something that cannot be done: {description}. It is not run by {}.", call.realm.title());
    let onward = Onward { href, fields, label: format!("Return to {client}") };
    with_cookies(render(call, StatusCode::BAD_REQUEST, "This sign-in cannot go on", sentence, Some(onward)), cookie)
}

/// What every page of the realm has around its content.
pub(crate) fn frame(call: &Call) -> Frame {
    Frame { title: call.realm.title() }
}

fn render(call: &Call, status: StatusCode, heading: &'static str, sentence: String, onward: Option<Onward>) -> Response {
    let leads_to = onward.as_ref().filter(|onward| !onward.fields.is_empty()).map(|onward| onward.href.clone());
    page::html(status, &Failure { frame: frame(call), heading, sentence, onward, request: call.recorder.id() }, leads_to.as_deref())
}

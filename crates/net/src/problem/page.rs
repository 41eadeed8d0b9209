//! A problem as a small page, where a browser shows the answer to a person: self-contained, since there may be nothing else at this address.

use axum::response::{IntoResponse as _, Response};
use durward_base::EventId;
use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_FRAME_OPTIONS};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::Problem;

const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");

/// Whether an answer is for a person to read, in a window of its own.
pub(super) fn is_wanted(headers: &HeaderMap) -> bool {
    if headers.get(SEC_FETCH_MODE).is_some_and(|mode| mode != "navigate") {
        return false;
    }
    let accepted = headers.get_all(ACCEPT).iter().filter_map(|accept| accept.to_str().ok());
    accepted.flat_map(|accept| accept.split(',')).any(|range| range.split(';').next().is_some_and(|range| range.trim() == "text/html"))
}

/// The page.
pub(super) fn render(problem: &Problem, request: EventId) -> Response {
    let words = [
        ("STYLE", STYLE.to_owned()),
        ("HEADING", heading(problem.status).to_owned()),
        ("REQUEST", request.to_string()),
        ("SENTENCE", escaped(&problem.detail)),
    ];
    let page = words.iter().fold(PAGE.to_owned(), |page, (place, words)| page.replace(place, words));
    let mut response = (problem.status, page).into_response();
    let headers = response.headers_mut();
    for (name, value) in [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CACHE_CONTROL, "no-store"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (REFERRER_POLICY, "no-referrer"),
        (X_FRAME_OPTIONS, "DENY"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.extend((*problem.headers).clone());
    response
}

const fn heading(status: StatusCode) -> &'static str {
    match status {
        StatusCode::NOT_FOUND => "Not found",
        StatusCode::UNAUTHORIZED => "Sign in first",
        StatusCode::FORBIDDEN => "This is not for you",
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => "Please try again",
        StatusCode::INTERNAL_SERVER_ERROR | StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT => "Something went wrong",
        _ => "This cannot be done",
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const POLICY: &str = "default-src 'none'; style-src 'sha256-f05ZDcHUOBG7HTL/EEFhL+ya6bouTcIRPzU+odRX8o4='; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

#[cfg(test)]
mod tests {
    use durward_base::Timestamp;
    use durward_testkit::seeded;

    use super::*;

    #[test]
    fn the_policy_allows_the_pages_own_style_and_nothing_else() {
        let digest = durward_pki::thumbprint(STYLE.as_bytes()).replace('-', "+").replace('_', "/");
        assert!(POLICY.contains(&format!("'sha256-{digest}='")), "sha256-{digest}=");
    }

    #[test]
    fn a_page_is_for_those_who_ask_for_one() {
        for (accept, wanted) in [
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", true),
            ("application/json, text/html;q=0.5", true),
            ("*/*", false),
            ("application/json", false),
            ("text/htmlx", false),
        ] {
            let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(accept))]);
            assert_eq!(is_wanted(&headers), wanted, "{accept}");
            for (mode, shown) in [("navigate", wanted), ("cors", false), ("no-cors", false)] {
                let mut headers = headers.clone();
                headers.insert("sec-fetch-mode", HeaderValue::from_static(mode));
                assert_eq!(is_wanted(&headers), shown, "{accept} {mode}");
            }
        }
    }

    #[tokio::test]
    async fn what_a_problem_says_is_text_on_its_page() {
        let problem = Problem::new(StatusCode::NOT_FOUND, "not_found", "There is no <script> & \"here\".");
        let response = render(&problem, EventId::new(Timestamp::from_seconds(1_800_000_000), &seeded(1)));
        let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
        let body = std::str::from_utf8(&body).unwrap();
        assert!(body.contains("There is no &lt;script&gt; &amp; &quot;here&quot;.") && body.contains("<h1>Not found</h1>"), "{body}");
    }
}

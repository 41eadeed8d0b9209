//! OAuth 2.0 Form Post Response Mode: the page whose form takes the response to the client.

use askama::Template;
use axum::response::Response;
use http::StatusCode;

use super::{Frame, Policy, Source, held_to};

/// A response on its way, which goes by itself, or by its button where scripts do not run.
#[derive(Debug, Template)]
#[template(path = "form_post.html")]
pub(crate) struct FormPost<'a> {
    pub frame: Frame,
    pub client: &'a str,
    pub action: &'a str,
    pub parameters: &'a [(&'static str, String)],
    pub script: &'static str,
}

/// The one script there is.
pub(crate) const FORM_POST_SCRIPT: &str = "document.getElementById('form-post').submit()";

/// Its SHA-256, by which the page's policy knows it.
const SCRIPT_HASH: &str = "EnPYOQ0/Uu4iIvgmDITJTskVyuz7gBb6s+IZU1dte5o=";

/// The page as an answer. Its policy admits that one script.
pub(crate) fn self_submitting(page: &FormPost<'_>) -> Response {
    let policy = Policy { leads_to: Source::of(page.action), script: Some(SCRIPT_HASH), ..Policy::default() };
    held_to(&policy, StatusCode::OK, page)
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::digest::{SHA256, digest};
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use http::header::CONTENT_SECURITY_POLICY;

    use super::*;

    #[test]
    fn the_policy_admits_exactly_the_script_of_the_page() {
        assert_eq!(STANDARD.encode(digest(&SHA256, FORM_POST_SCRIPT.as_bytes())), SCRIPT_HASH);
        let parameters = [("state", "\"><script>alert(1)</script>".to_owned())];
        let page = FormPost {
            frame: Frame { title: "Harbour".into() },
            client: "<b>Parcels</b>",
            action: "https://parcels.example/cb",
            parameters: &parameters,
            script: FORM_POST_SCRIPT,
        };
        let body = page.render().unwrap();
        assert_eq!(body.matches("<script>").count(), 1);
        assert!(body.contains(&format!("<script>{FORM_POST_SCRIPT}</script>")) && !body.contains("<b>"), "{body}");
        let response = self_submitting(&page);
        assert_eq!(response.headers().get_all(CONTENT_SECURITY_POLICY).iter().count(), 1, "browsers hold a page to every policy");
        let policy = response.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.contains("form-action 'self' https://parcels.example; script-src 'sha256-"), "{policy}");
    }
}

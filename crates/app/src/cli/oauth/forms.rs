//! The login forms, walked without a browser: cookies, redirects, hidden fields. What `durward token --person` is for: trying things out.

use std::collections::BTreeMap;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use durward_authn::TotpSecret;
use durward_authn::totp::{Step, step_at};
use durward_base::Secret;
use durward_net::Client;
use durward_node::machine;
use http::{HeaderValue, Request, Response, header};
use url::Url;

use super::{Pending, form_request};

/// The largest page.
const LARGEST_PAGE: usize = 1 << 20;
/// The most redirects and forms of one login.
const MOST_STEPS: usize = 12;

/// A browser, and the app beside it that shows codes.
pub struct Browser {
    client: Client,
    cookies: BTreeMap<String, String>,
    app: Option<App>,
}

/// A second factor, set up on the way.
struct App {
    secret: TotpSecret,
    used: Step,
}

impl Browser {
    /// A browser with nothing in it.
    pub fn new(client: Client) -> Self {
        Self { client, cookies: BTreeMap::new(), app: None }
    }

    /// Follows redirects and fills in forms until the application is reached; returns the address it is reached with.
    pub(super) async fn log_in(&mut self, pending: &Pending, username: &str, password: &Secret) -> anyhow::Result<Url> {
        let mut url = pending.url.clone();
        let mut request = Request::get(url.as_str()).body(Bytes::new())?;
        for _ in 0..MOST_STEPS {
            let answer = self.client.call(self.with_cookies(request)?, LARGEST_PAGE).await?;
            self.keep_cookies(&answer);
            if let Some(location) = answer.headers().get(header::LOCATION) {
                url = url.join(location.to_str()?)?;
                if url.as_str().starts_with(&pending.redirect_uri) {
                    return Ok(url);
                }
                request = Request::get(url.as_str()).body(Bytes::new())?;
                continue;
            }
            let page = String::from_utf8_lossy(answer.body()).into_owned();
            if let Some(notice) = notice(&page) {
                bail!("the login was not accepted: {notice}");
            }
            if let Some(onward) = attribute(&page, "id=\"totp-continue\"", "href") {
                url = url.join(&onward)?;
                request = Request::get(url.as_str()).body(Bytes::new())?;
                continue;
            }
            let action = attribute(&page, "<form", "action")
                .with_context(|| format!("{url} shows no form to fill in (status {})", answer.status()))?;
            url = url.join(&action)?;
            request = submitted(&page, &url, (username, password), self.code(&page)?)?;
        }
        bail!("the login did not end after {MOST_STEPS} steps")
    }

    /// The code that a page asks for. An app that is set up on this very page is one that the browser has from now on.
    fn code(&mut self, page: &str) -> anyhow::Result<Option<String>> {
        if !page.contains("id=\"totp\"") {
            return Ok(None);
        }
        // One step behind, and each once: more than one code is good within half a minute, if they come in order.
        let present = step_at(machine::clock().now()).saturating_sub(1);
        if let Some(secret) = text_of(page, "id=\"totp-secret\"") {
            let secret = TotpSecret::from_text(&secret).context("the page shows no secret")?;
            self.app = Some(App { secret, used: present.saturating_sub(1) });
        }
        let app = self.app.as_mut().context("the login asks for a code: `durward login` opens a browser for it")?;
        app.used = present.max(app.used + 1);
        Ok(Some(app.secret.code(app.used).to_string()))
    }

    fn with_cookies(&self, mut request: Request<Bytes>) -> anyhow::Result<Request<Bytes>> {
        if !self.cookies.is_empty() {
            let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request.headers_mut().insert(header::COOKIE, HeaderValue::try_from(cookies.join("; "))?);
        }
        Ok(request)
    }

    fn keep_cookies(&mut self, answer: &Response<Bytes>) {
        for cookie in answer.headers().get_all(header::SET_COOKIE).iter().filter_map(|value| value.to_str().ok()) {
            let (pair, attributes) = cookie.split_once(';').unwrap_or((cookie, ""));
            let Some((name, value)) = pair.split_once('=') else { continue };
            if attributes.split(';').any(|attribute| attribute.trim().eq_ignore_ascii_case("max-age=0")) {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}

/// A form filled in: the name and password on the login page, a code where one is asked for, consent on the consent page.
fn submitted(page: &str, url: &Url, (username, password): (&str, &Secret), code: Option<String>) -> anyhow::Result<Request<Bytes>> {
    let mut form: Vec<(String, String)> = hidden_fields(page);
    if page.contains("id=\"username\"") {
        form.push(("username".to_owned(), username.to_owned()));
        form.push(("password".to_owned(), password.expose().to_owned()));
    } else if let Some(code) = code {
        form.push(("code".to_owned(), code));
    } else {
        let allow = |name: &str| attribute(page, "id=\"consent-allow\"", name);
        let name = allow("name").context("the page is neither the login page nor the consent page")?;
        form.push((name, allow("value").unwrap_or_default()));
    }
    let pairs: Vec<(&str, &str)> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let mut request = form_request(url.as_str(), &pairs)?;
    let headers = request.headers_mut();
    headers.insert(header::ORIGIN, HeaderValue::try_from(url.origin().ascii_serialization())?);
    headers.insert("sec-fetch-site", HeaderValue::from_static("same-origin"));
    Ok(request)
}

fn hidden_fields(page: &str) -> Vec<(String, String)> {
    let elements = page.split('<').filter(|element| element.starts_with("input") && element.contains("type=\"hidden\""));
    elements.filter_map(|element| Some((value_of(element, "name")?, value_of(element, "value")?))).collect()
}

/// An attribute of the element in which `mark` stands.
fn attribute(page: &str, mark: &str, name: &str) -> Option<String> {
    let at = page.find(mark)?;
    let start = page.get(..=at)?.rfind('<')?;
    let element = page.get(start..)?;
    value_of(element.split('>').next()?, name)
}

fn value_of(element: &str, name: &str) -> Option<String> {
    let (_, rest) = element.split_once(&format!(" {name}=\""))?;
    let (value, _) = rest.split_once('"')?;
    Some(value.replace("&#38;", "&").replace("&amp;", "&"))
}

/// The text of the element in which `mark` stands.
fn text_of(page: &str, mark: &str) -> Option<String> {
    let (_, rest) = page.split_once(mark)?;
    Some(rest.split_once('>')?.1.split_once('<')?.0.trim().to_owned())
}

/// What a page says is wrong.
fn notice(page: &str) -> Option<String> {
    text_of(page, "role=\"alert\"").filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_as_it_stands_in_its_page() {
        let page = r#"<p>x</p><form method="post" action="/realms/main/login?a=1&#38;b=2">
            <input type="hidden" name="transaction" value="abc"><input id="username" name="username"></form>"#;
        assert_eq!(attribute(page, "<form", "action").as_deref(), Some("/realms/main/login?a=1&b=2"));
        assert_eq!(hidden_fields(page), [("transaction".to_owned(), "abc".to_owned())]);
        assert_eq!(attribute(page, "id=\"consent-allow\"", "name"), None);
    }

    #[test]
    fn only_a_page_that_complains_has_a_notice() {
        assert_eq!(notice(r#"<p role="alert">Wrong password.</p>"#).as_deref(), Some("Wrong password."));
        assert_eq!(notice(r#"<p role="alert"></p>"#), None);
        assert_eq!(notice("<p>Welcome</p>"), None);
    }
}

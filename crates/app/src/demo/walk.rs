//! `durward demo --check`: the shop's walk, each step with its outcome.

use anyhow::{Context as _, bail, ensure};
use bytes::Bytes;
use durward_base::{Duration, Rng, Secret};
use durward_net::Client;
use http::{Method, Request, Response, StatusCode, header};
use serde_json::{Value, json};
use tokio::time::Instant;
use url::Url;

use super::capture::{Capture, ROUTE};
use super::shop::{Shop, program};
use crate::cli::api::Api;
use crate::cli::oauth::{Application, Browser, Wanted};
use crate::cli::output::line;

/// Largest answer, in bytes.
const ANSWER: usize = 1024 * 1024;
/// The time within which what is revoked is dead everywhere.
const WITHIN: Duration = Duration::from_secs(1);
/// Time for the events of all hops to reach the authority.
const GATHERED: Duration = Duration::from_secs(5);

const CUSTOMER: &str = "customer";

/// Everything the walk touches.
pub(super) struct Walk<'a> {
    pub(super) shop: &'a Shop,
    pub(super) client: Client,
    pub(super) rng: Rng,
    pub(super) issuer: String,
    pub(super) gateway: Url,
    pub(super) payments: Url,
    pub(super) inventory: Url,
    pub(super) api: &'a Api,
    pub(super) capture: Capture,
}

/// What a step found, for the next ones and for the eye.
type Found<T> = anyhow::Result<(T, String)>;

/// A request of the walk.
struct Call {
    method: Method,
    url: Url,
    authorization: Option<String>,
    body: Option<Value>,
}

impl Call {
    fn get(url: Url, token: &str) -> Self {
        Self { method: Method::GET, url, authorization: Some(format!("Bearer {token}")), body: None }
    }

    fn post(url: Url, token: &str, body: Value) -> Self {
        Self { method: Method::POST, body: Some(body), ..Self::get(url, token) }
    }

    fn with_key(self, key: &str) -> Self {
        Self { authorization: Some(format!("ApiKey {key}")), ..self }
    }
}

/// How many steps have failed.
#[derive(Default)]
struct Report {
    failed: usize,
}

impl Report {
    /// Prints a step and what came of it; hands on what later steps need.
    fn step<T>(&mut self, what: &str, found: Found<T>) -> Option<T> {
        match found {
            Ok((value, found)) => {
                let _ = line(&format!("  ok    {what}: {found}"));
                Some(value)
            }
            Err(error) => {
                self.failed += 1;
                let _ = line(&format!("  FAIL  {what}: {error:#}"));
                None
            }
        }
    }
}

impl Walk<'_> {
    /// Walks it all and says how many steps failed.
    pub(super) async fn walk(&self) -> usize {
        let mut report = Report::default();
        let mut browser = Browser::new(self.client.clone());
        let customer = report.step("the customer logs in", self.log_in(&mut browser, CUSTOMER, None).await);
        let clerk = report.step("the clerk logs in", self.log_in(&mut Browser::new(self.client.clone()), "clerk", None).await);
        if let (Some(customer), Some(clerk)) = (customer, clerk) {
            let ordered = report.step("the customer orders through the gateway", self.order(&customer).await);
            self.refusals(&mut report, &customer, &clerk).await;
            if let Some(request) = ordered {
                report.step(
                    "the order is explained",
                    self.explained(&request, &["gateway/main", "service/payments", "service/inventory"]).await,
                );
            }
            self.refunds(&mut report, &mut browser, &customer).await;
            self.partner(&mut report).await;
            self.revocations(&mut report, &mut browser, &customer).await;
        }
        report.failed
    }

    async fn refusals(&self, report: &mut Report, customer: &str, clerk: &str) {
        let straight = Call::get(at(&self.inventory, "/stock/lamp"), customer);
        report.step("the customer's token straight at inventory", self.expect(straight, StatusCode::UNAUTHORIZED).await);
        report.step("accounts, with its own token, reserves at inventory", self.reserves_alone("accounts").await);
        report.step("payments, for nobody, reserves at inventory", self.reserves_alone("payments").await);
        let restock = |token| Call::post(at(&self.gateway, "/stock/lamp/restock"), token, json!({"quantity": 5}));
        report.step("the clerk restocks", self.expect(restock(clerk), StatusCode::OK).await);
        report.step("the customer restocks", self.expect(restock(customer), StatusCode::FORBIDDEN).await);
        let nobody = Call { authorization: None, ..Call::get(at(&self.gateway, "/me"), "") };
        report.step("nobody asks", self.expect(nobody, StatusCode::UNAUTHORIZED).await);
        let changed = changed(customer);
        let altered = Call::get(at(&self.gateway, "/me"), &changed);
        report.step("a token with one character changed", self.expect(altered, StatusCode::UNAUTHORIZED).await);
    }

    /// RFC 9470: refused with a challenge, logged in as the challenge says, and not refused.
    async fn refunds(&self, report: &mut Report, browser: &mut Browser, customer: &str) {
        let Some(challenge) = report.step("the customer asks for a refund", self.challenged(customer).await) else { return };
        let stronger = self.log_in(browser, CUSTOMER, Some(&challenge)).await;
        let Some(stronger) = report.step("the customer sets up a second factor, as the challenge asks", stronger) else { return };
        if let Some(request) = report.step("the customer asks again", self.refund(&stronger).await) {
            report.step("the refund is explained", self.explained(&request, &["gateway/main", "service/payments", "acr mfa"]).await);
        }
    }

    /// A program of somebody else's, which comes with an API key.
    async fn partner(&self, report: &mut Report) {
        let Some((id, key)) = report.step("the partner's program is given an API key", self.key().await) else { return };
        let look = || Call::get(at(&self.gateway, "/stock/lamp"), "").with_key(&key);
        report.step("the partner looks at the stock", self.expect(look(), StatusCode::OK).await);
        let restock = Call::post(at(&self.gateway, "/stock/lamp/restock"), "", json!({"quantity": 5})).with_key(&key);
        report.step("the partner restocks, where no key is taken", self.expect(restock, StatusCode::UNAUTHORIZED).await);
        report.step("the partner's key is revoked", self.revoke(&format!("api-keys/{id}")).await);
        report.step("the partner looks again", self.dies(look).await);
    }

    async fn revocations(&self, report: &mut Report, browser: &mut Browser, customer: &str) {
        let identity = report.step("payments takes the identity token made for it", self.identity(customer).await);
        report.step("the customer's login is revoked", self.revoke("people/customer/sessions").await);
        report.step("the customer's token at the gateway", self.dies(|| Call::get(at(&self.gateway, "/me"), customer)).await);
        if let Some(identity) = identity {
            let order = || Call::post(at(&self.payments, "/orders"), &identity, order());
            report.step("the identity token at payments", self.dies(order).await);
        }
        report.step("the payments client is revoked: an order", self.order_without_payments(browser).await);
    }

    /// Logs in with all that the login pages ask for; where there is a challenge, as it says.
    async fn log_in(&self, browser: &mut Browser, username: &str, challenge: Option<&str>) -> Found<String> {
        let application = Application::new(self.client.clone(), &self.issuer, "shop-web");
        let parameter = |name| challenge.and_then(|challenge| parameter(challenge, name));
        let (acr_values, max_age) = (parameter("acr_values"), parameter("max_age"));
        let wanted = Wanted { scope: Some("openid shop".to_owned()), service: None, acr_values, max_age };
        let password = if username == CUSTOMER { &self.shop.customer_password } else { &self.shop.clerk_password };
        let tokens = application.in_browser(browser, (username, &Secret::new(password.as_str())), &wanted, &self.rng).await?;
        Ok((tokens.access_token, format!("a token for {} s", tokens.expires_in)))
    }

    /// Orders a lamp; the request's id.
    async fn order(&self, customer: &str) -> Found<String> {
        let answer = self.call(&Call::post(at(&self.gateway, "/orders"), customer, order())).await?;
        let found = outcome(&answer);
        ensure!(answer.status() == StatusCode::CREATED, "expected 201, found {found}");
        let request = answer.headers().get("x-request-id").context("the answer has no X-Request-Id")?.to_str()?;
        Ok((request.to_owned(), found))
    }

    /// Asks for a refund with a login that does not do; the challenge.
    async fn challenged(&self, customer: &str) -> Found<String> {
        let answer = self.call(&Call::post(at(&self.gateway, "/refunds"), customer, json!({"order": "lamp"}))).await?;
        let challenge = answer.headers().get(header::WWW_AUTHENTICATE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        ensure!(answer.status() == StatusCode::UNAUTHORIZED, "expected 401, found {}", outcome(&answer));
        ensure!(challenge.contains("insufficient_user_authentication"), "no step-up challenge: {challenge}");
        Ok((challenge.to_owned(), format!("{} · {challenge}", outcome(&answer))))
    }

    /// Gets a refund; the request's id.
    async fn refund(&self, customer: &str) -> Found<String> {
        let answer = self.call(&Call::post(at(&self.gateway, "/refunds"), customer, json!({"order": "lamp"}))).await?;
        ensure!(answer.status() == StatusCode::OK, "expected 200, found {}", outcome(&answer));
        let request = answer.headers().get("x-request-id").context("the answer has no X-Request-Id")?.to_str()?;
        Ok((request.to_owned(), outcome(&answer)))
    }

    /// A service reserves with a token of its own, on nobody's behalf.
    async fn reserves_alone(&self, service: &str) -> Found<()> {
        let application = Application::new(self.client.clone(), &self.issuer, &program(service));
        let wanted = Wanted { service: Some("inventory".to_owned()), ..Wanted::default() };
        let secret = Secret::new(self.shop.secret(service)?);
        let token = application.by_secret(&secret, &wanted).await?.access_token;
        let reserve = Call::post(at(&self.inventory, "/stock/lamp/reserve"), &token, json!({"quantity": 1}));
        self.expect(reserve, StatusCode::FORBIDDEN).await
    }

    /// The identity token the gateway makes for payments, shown to be good there.
    async fn identity(&self, customer: &str) -> Found<String> {
        self.expect(Call::get(at(&self.gateway, ROUTE), customer), StatusCode::OK).await?;
        let identity = self.capture.identity().context("no identity token was sent upstream")?;
        let straight = Call::post(at(&self.payments, "/orders"), &identity, order());
        let ((), found) = self.expect(straight, StatusCode::CREATED).await?;
        Ok((identity, found))
    }

    /// An API key of the partner's, by id and text.
    async fn key(&self) -> Found<(String, String)> {
        let made: Value = self.api.post("api-keys", &json!({"client": "shop-partner", "service": "shop", "note": "the walk"})).await?;
        let text = |name| made.get(name).and_then(Value::as_str).map(str::to_owned).with_context(|| format!("the key has no {name}"));
        Ok(((text("id")?, text("key")?), "shown once".to_owned()))
    }

    async fn revoke(&self, path: &str) -> Found<()> {
        self.api.send(Method::DELETE, path, None).await?;
        Ok(((), "done".to_owned()))
    }

    /// Calls until the token is refused, which must be so within a second.
    async fn dies(&self, call: impl Fn() -> Call) -> Found<()> {
        let began = Instant::now();
        loop {
            let answer = self.call(&call()).await?;
            let after = began.elapsed();
            if answer.status() == StatusCode::UNAUTHORIZED {
                return Ok(((), format!("{} · after {} ms", outcome(&answer), after.as_millis())));
            }
            ensure!(after < WITHIN, "still {} after {} ms", outcome(&answer), after.as_millis());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    async fn order_without_payments(&self, browser: &mut Browser) -> Found<()> {
        let (customer, _) = self.log_in(browser, CUSTOMER, None).await?;
        let path = format!("clients/{}", program("payments"));
        let mut payments: Value = self.api.get(&path, &[]).await?;
        let declared = payments.get_mut("resource").and_then(Value::as_object_mut).context("the client is not as expected")?;
        declared.remove("kind");
        declared.insert("disabled".to_owned(), json!(true));
        let declared = Value::Object(declared.clone());
        self.api.send(Method::PUT, &path, Some(&declared)).await?;
        let began = Instant::now();
        loop {
            let answer = self.call(&Call::post(at(&self.gateway, "/orders"), &customer, order())).await?;
            if answer.status() == StatusCode::BAD_GATEWAY {
                return Ok(((), outcome(&answer)));
            }
            ensure!(began.elapsed() < WITHIN, "still {} after a second", outcome(&answer));
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Asks for the explanation until every hop is in it: services send their events in batches.
    async fn explained(&self, request: &str, parts: &[&str]) -> Found<()> {
        let began = Instant::now();
        loop {
            let text = self.api.text(&format!("explain/{request}"), &[("form", "text")]).await?;
            let missing: Vec<_> = parts.iter().filter(|part| !text.contains(**part)).copied().collect();
            if missing.is_empty() {
                return Ok(((), format!("{} are in it\n\n{text}", parts.join(", "))));
            }
            if began.elapsed() > GATHERED {
                bail!("it does not name {}:\n{text}", missing.join(", "));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn expect(&self, call: Call, expected: StatusCode) -> Found<()> {
        let answer = self.call(&call).await?;
        let found = outcome(&answer);
        ensure!(answer.status() == expected, "expected {}, found {found}", expected.as_u16());
        Ok(((), found))
    }

    async fn call(&self, call: &Call) -> anyhow::Result<Response<Bytes>> {
        let mut request = Request::builder().method(call.method.clone()).uri(call.url.as_str());
        if let Some(authorization) = &call.authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        if call.body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let body = call.body.as_ref().map(Value::to_string).unwrap_or_default();
        Ok(self.client.call(request.body(body.into())?, ANSWER).await?)
    }
}

fn at(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_path(path);
    url
}

/// A parameter of a challenge (RFC 9110 section 11.2).
fn parameter(challenge: &str, name: &str) -> Option<String> {
    let (_, rest) = challenge.split_once(&format!("{name}=\""))?;
    Some(rest.split_once('"')?.0.to_owned())
}

fn order() -> Value {
    json!({"sku": "lamp", "quantity": 1})
}

/// Status, a problem's code, its sentence where a service failed, and the request's id: what a step shows.
fn outcome(answer: &Response<Bytes>) -> String {
    let problem: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
    let text = |name| problem.get(name).and_then(Value::as_str).map(|text| format!(" · {text}")).unwrap_or_default();
    let detail = if answer.status().is_server_error() { text("detail") } else { String::new() };
    format!("{}{}{detail}", answer.status().as_u16(), text("code"))
}

/// The token with one character of its signature changed.
fn changed(token: &str) -> String {
    let at = token.len().saturating_sub(20);
    let other = |c| if c == 'A' { 'B' } else { 'A' };
    token.char_indices().map(|(number, c)| if number == at { other(c) } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_token_differs_in_exactly_one_character() {
        let token = "eyJ.eyJ.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        let changed = changed(token);
        assert_eq!(changed.len(), token.len());
        assert_eq!(token.chars().zip(changed.chars()).filter(|(left, right)| left != right).count(), 1);
    }
}

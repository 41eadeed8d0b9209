//! OpenID Connect Back-Channel Logout 1.0 section 2.5: being told that a login is over, by who made it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use axum::body::Body;
use durward_base::{Duration, Timestamp};
use durward_enforce::View;
use durward_jose::{Expected, LEEWAY, UnverifiedJwt};
use durward_model::KeyUse;
use durward_net::{Incoming, Problem};
use http::header::CACHE_CONTROL;
use http::{HeaderValue, Response};
use http_body_util::{BodyExt as _, Limited};
use url::form_urlencoded::parse;

use super::cookie::Session;
use super::party::Party;
use super::{Browsers, bad, foreign};
use crate::gateway::Gateway;
use crate::record::Trail;

/// The largest body that is read.
const LARGEST: usize = 20 * 1024;
/// The longest life of a logout token. 2.4: "it is RECOMMENDED that the exp value be set to no more than two minutes in the future".
const LONGEST: Duration = Duration::from_secs(300);
/// How long an end is remembered: no cookie of a session lives longer without being renewed, and what is over is not renewed.
const REMEMBERED: Duration = Duration::from_secs(24 * 3600);
/// The most ends that are remembered.
const MOST: usize = 65_536;
/// The member that makes a JWT a logout token.
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// What a logout token ends.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Over {
    jti: String,
    sid: Option<String>,
    subject: Option<String>,
}

/// Logins that are over, by `sid` or by subject at their issuer, and the tokens that said so; with when.
#[derive(Default)]
pub(super) struct Ended(Mutex<HashMap<(What, String), Timestamp>>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum What {
    Token,
    Login,
    Subject,
    Session,
}

impl Browsers {
    /// `POST /.durward/backchannel-logout`
    pub(super) async fn backchannel(&self, gateway: &Gateway, body: Incoming, trail: &mut Trail<'_>) -> Result<Response<Body>, Problem> {
        let body = Limited::new(body, LARGEST).collect().await.map_err(|_| invalid("the body cannot be read"))?.to_bytes();
        let mut tokens = parse(&body).filter(|(name, _)| name == "logout_token").map(|(_, value)| value);
        let token = tokens.next().filter(|_| tokens.next().is_none()).ok_or_else(|| invalid("expected one logout_token"))?;
        let (view, now) = (gateway.shared.view(), gateway.clock.now());
        let issuer = UnverifiedJwt::parse(&token).ok().and_then(|unverified| unverified.issuer().map(str::to_owned));
        let party = self.parties.iter().find(|party| Some(&party.settings.issuer) == issuer.as_ref());
        let party = party.ok_or_else(|| invalid("the token is of nobody who is known here"))?;
        trail.edit(|event| event.realm = Some(party.settings.realm.as_str().into()));
        let issuer = &party.settings.issuer;
        let over = verify(&view, party, &token, now).await.and_then(|over| self.ended.end(issuer, over, now)).map_err(|reason| {
            trail.edit(|event| event.detail = Some(format!("the logout token is refused: {reason}")));
            invalid("the logout token does not count")
        })?;
        trail.edit(|event| event.chain.family.clone_from(&over.sid));
        gateway.forget_sessions();
        // 2.8: "The RP's response SHOULD include the Cache-Control HTTP response header field with a no-store value".
        let mut response = Response::new(Body::empty());
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Ok(response)
    }
}

/// 2.6, in its order.
async fn verify(view: &View, party: &Party, text: &str, now: Timestamp) -> Result<Over, &'static str> {
    let issuer = party.settings.issuer.as_str();
    let (verified, typ): (_, &[&str]) = match &party.provider {
        // 2.4: "it is RECOMMENDED" that its typ be logout+jwt; not all have it.
        Some(provider) => (foreign::signed(view, party, provider, text).await?.1, &["logout+jwt", "JWT", ""]),
        None => {
            let unverified = UnverifiedJwt::parse(text).map_err(|error| error.reason())?;
            let key = unverified.kid().and_then(|kid| view.keys().verifying(issuer, kid, KeyUse::Token)).ok_or("key_unknown")?;
            (unverified.verify(key.verifying()).map_err(|error| error.reason())?, &["logout+jwt"])
        }
    };
    let audience = Some(party.settings.client.as_str());
    let expected = Expected { typ, issuer, audience, now, leeway: LEEWAY, max_lifetime: Some(LONGEST) };
    verified.check(&expected).map_err(|error| error.reason())?;
    let claims = verified.claims();
    let text = |name| claims.str(name).map(|text| text.map(str::to_owned)).map_err(|error| error.reason());
    let (sid, subject) = (text("sid")?, text("sub")?);
    // (5): "Verify that the Logout Token contains a sub Claim, a sid Claim, or both."
    if sid.is_none() && subject.is_none() {
        return Err("logout.nobody");
    }
    // (6): "Verify that the Logout Token contains an events Claim whose value is JSON object containing the member name" of the event.
    if !claims
        .object("events")
        .map_err(|error| error.reason())?
        .is_some_and(|events| events.get(EVENT).is_some_and(|event| event.is_object()))
    {
        return Err("logout.events");
    }
    // (7): "Verify that the Logout Token does not contain a nonce Claim."
    if claims.get("nonce").is_some() {
        return Err("logout.nonce");
    }
    if claims.iat().map_err(|error| error.reason())?.is_none() {
        return Err("claim_missing");
    }
    let jti = text("jti")?.filter(|jti| (1..=256).contains(&jti.len())).ok_or("claim_missing")?;
    Ok(Over { jti, sid, subject })
}

impl Ended {
    /// Remembers an end. (8): "Optionally verify that another Logout Token with the same jti value has not been recently received."
    fn end(&self, issuer: &str, over: Over, now: Timestamp) -> Result<Over, &'static str> {
        let mut ended = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if ended.len() >= MOST {
            ended.retain(|_, at| now < *at + REMEMBERED);
        }
        if ended.len() >= MOST {
            return Err("logout.too_many");
        }
        if ended.insert((What::Token, at(issuer, &over.jti)), now).is_some() {
            return Err("logout.replayed");
        }
        match (&over.sid, &over.subject) {
            (Some(sid), _) => ended.insert((What::Login, at(issuer, sid)), now),
            (None, Some(subject)) => ended.insert((What::Subject, at(issuer, subject)), now),
            (None, None) => None,
        };
        Ok(over)
    }

    /// Whether a session's login is over.
    pub(super) fn is_over(&self, issuer: &str, session: &Session) -> bool {
        let ended = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of_login = session.sid.as_ref().is_some_and(|sid| ended.contains_key(&(What::Login, at(issuer, sid))));
        let of_subject = ended.get(&(What::Subject, at(issuer, &session.subject)));
        let itself = ended.contains_key(&(What::Session, at(issuer, &itself(session))));
        itself || of_login || of_subject.is_some_and(|at| session.began <= at.millis())
    }

    /// Remembers that somebody signed out. What the authority made, its feed ends; what another provider made, nobody else would.
    pub(super) fn signed_out(&self, party: &Party, session: &Session, now: Timestamp) {
        if party.provider.is_some() {
            let mut ended = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if ended.len() >= MOST {
                ended.retain(|_, at| now < *at + REMEMBERED);
            }
            ended.insert((What::Session, at(&party.settings.issuer, &itself(session))), now);
        }
    }
}

/// What an issuer names: another may name something else so.
fn at(issuer: &str, name: &str) -> String {
    format!("{issuer}\0{name}")
}

fn itself(session: &Session) -> String {
    format!("{}\0{}", session.began, session.subject)
}

fn invalid(detail: &'static str) -> Problem {
    bad("logout_rejected", detail)
}

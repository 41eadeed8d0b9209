//! What a route says of its answers and its requests besides who may make them: rates, other origins, headers, the path behind it.

use std::borrow::Cow;

use axum::body::Body;
use durward_base::Timestamp;
use durward_enforce::{CompiledRoute, Head};
use durward_model::Decided;
use durward_model::resource::Mode;
use durward_net::Problem;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};

use crate::accept::Client;
use crate::cors;
use crate::decide::Passage;
use crate::gateway::Gateway;
use crate::record::Trail;
use crate::route::route;

/// What decided, where the route shows it.
const DECISION: HeaderName = HeaderName::from_static("durward-decision");

/// Sent for pages and for APIs alike: nothing is sniffed, framed, or told where a visitor came from, and TLS stays.
const SECURITY: [(HeaderName, &str); 4] = [
    (header::STRICT_TRANSPORT_SECURITY, "max-age=31536000; includeSubDomains"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
];

/// Before anybody has proved anything: a preflight is answered, what comes too often is refused.
pub(crate) fn before(
    gateway: &Gateway,
    head: &Head<'_>,
    client: &Client,
    now: Timestamp,
    trail: &mut Trail<'_>,
) -> Result<Option<Response<Body>>, Problem> {
    let view = gateway.shared.view();
    if !view.routes().has_terms() {
        return Ok(None);
    }
    if let Some((route, response)) = cors::preflight(&view, head) {
        trail.read(head.path());
        trail.say(cors::granted(&route, head));
        return Ok(Some(response));
    }
    let Ok(routed) = route(&view, head) else { return Ok(None) };
    let resource = routed.route().resource();
    trail.say(cors::granted(routed.route(), head));
    if resource.security_headers {
        trail.say(SECURITY.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))));
    }
    trail.show_decision(resource.show_decision);
    let admitted = gateway.rates.admit(routed.route(), client, now);
    said(admitted, gateway, routed.route(), trail, head)?;
    Ok(None)
}

/// Once it is known who asks: what they ask too often is refused.
pub(crate) fn after(gateway: &Gateway, passage: &Passage, now: Timestamp, trail: &mut Trail<'_>, head: &Head<'_>) -> Result<(), Problem> {
    let Passage { route, verified: Some(verified), .. } = passage else { return Ok(()) };
    if route.resource().limits.is_empty() {
        return Ok(());
    }
    said(gateway.rates.admit_caller(route, verified, now), gateway, route, trail, head)
}

fn said(
    admitted: Result<Option<crate::rate::Left>, Problem>,
    gateway: &Gateway,
    route: &CompiledRoute,
    trail: &mut Trail<'_>,
    head: &Head<'_>,
) -> Result<(), Problem> {
    match admitted {
        Ok(left) => {
            trail.say(left.iter().flat_map(crate::rate::Left::fields));
            Ok(())
        }
        Err(problem) if route.resource().mode.unwrap_or(gateway.mode) == Mode::Observe => {
            trail.would_answer(&problem);
            Ok(())
        }
        Err(problem) => {
            trail.of_route(route, head.path());
            Err(problem)
        }
    }
}

/// The target as the upstream gets it: the route's own path replaced where it says so, and not one byte else.
pub(crate) fn rewritten<'a>(route: &CompiledRoute, target: &'a str) -> Result<Cow<'a, str>, Problem> {
    let Some(rewrite) = &route.resource().rewrite else { return Ok(target.into()) };
    let path = &route.resource().path;
    let own = path.split_once("/{").map_or(path.as_str(), |(literal, _)| literal).trim_end_matches('/');
    let rest = target.strip_prefix(own).filter(|rest| rest.is_empty() || rest.starts_with(['/', '?']));
    let spelt = || Problem::new(StatusCode::BAD_REQUEST, "path_spelling", "The path must be spelt as the route has it.");
    let (rest, rewrite) = (rest.ok_or_else(spelt)?, rewrite.trim_end_matches('/'));
    let root = if rewrite.is_empty() && !rest.starts_with('/') { "/" } else { "" };
    Ok(format!("{rewrite}{root}{rest}").into())
}

/// `policy; rule="clerks-restock"`.
pub(crate) fn shown(decided: &Decided) -> Option<(HeaderName, HeaderValue)> {
    let rule: String = decided
        .rule
        .chars()
        .filter(|character| character.is_ascii_graphic() && !matches!(character, '"' | '\\') || *character == ' ')
        .collect();
    Some((DECISION, HeaderValue::try_from(format!("{}; rule=\"{rule}\"", decided.by)).ok()?))
}

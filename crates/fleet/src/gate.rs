//! Who is a node: the holder of an access token for the fleet's audience that a service got for itself.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use durward_base::Secret;
use durward_enforce::{Consumer, Head, Presented, Refusal, TokenError, Verified};
use durward_model::{AccessClass, PrincipalKind};
use durward_net::{Gate, Problem, Recorder};
use durward_oauth::FLEET_AUDIENCE;
use durward_oauth::builtin::MAIN_REALM;
use http::request::Parts;
use http::{HeaderValue, StatusCode, header};

use crate::Fleet;

/// A node that was admitted: an extractor for the handlers behind the gate.
#[derive(Debug, Clone)]
pub struct Node {
    /// Its name in events: `service/payments`.
    pub name: Arc<str>,
    /// Its realm.
    pub realm: Arc<str>,
    pub(crate) token: Secret,
}

/// The gate of the nodes listener.
pub struct FleetGate {
    fleet: Fleet,
}

impl Gate for FleetGate {
    fn admit<'a>(
        &'a self,
        access: AccessClass,
        parts: &'a mut Parts,
        recorder: &'a Recorder,
    ) -> Pin<Box<dyn Future<Output = Result<(), Problem>> + Send + 'a>> {
        Box::pin(std::future::ready(self.decide(access, parts, recorder)))
    }
}

impl FleetGate {
    pub(crate) const fn new(fleet: Fleet) -> Self {
        Self { fleet }
    }

    fn decide(&self, access: AccessClass, parts: &mut Parts, recorder: &Recorder) -> Result<(), Problem> {
        if access != AccessClass::Node {
            return Err(Problem::new(StatusCode::FORBIDDEN, "other_listener", "This is served on another listener."));
        }
        let head = Head::new(&parts.method, parts.uri.path(), "", &parts.headers);
        let token = Presented::bearer(&head, MAIN_REALM).map_err(|refusal| refused(&refusal))?;
        let verified = self.fleet.verify(token).map_err(|error| refused(&Refusal::Token(error)))?;
        recorder.edit(|event| {
            event.realm = Some(verified.principal().realm.as_str().into());
            event.caller = Some(Arc::clone(verified.caller()));
        });
        let principal = verified.principal();
        if principal.kind != PrincipalKind::Service || principal.acts_for.is_some() {
            return Err(Problem::new(StatusCode::FORBIDDEN, "not_a_node", "Only a service that acts for itself is a node."));
        }
        let node =
            Node { name: format!("service/{}", principal.id).into(), realm: principal.realm.as_str().into(), token: Secret::new(token) };
        parts.extensions.insert(node);
        Ok(())
    }
}

impl Fleet {
    /// Whether a node's token is good now: once at the gate, and again for as long as a stream lasts.
    pub(crate) fn verify(&self, token: &str) -> Result<Arc<Verified>, TokenError> {
        let consumer = Consumer::entrance(MAIN_REALM, FLEET_AUDIENCE);
        self.credentials().verify(&self.shared().view(), &consumer, token, self.clock().now())
    }
}

fn refused(refusal: &Refusal) -> Problem {
    let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::UNAUTHORIZED);
    let problem = Problem::new(status, refusal.reason(), refusal.to_string());
    match refusal.challenge(MAIN_REALM).and_then(|challenge| HeaderValue::try_from(challenge).ok()) {
        Some(challenge) => problem.header(header::WWW_AUTHENTICATE, challenge),
        None => problem,
    }
}

impl<S: Sync> axum::extract::FromRequestParts<S> for Node {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let missing = || Problem::new(StatusCode::FORBIDDEN, "not_a_node", "This is served to nodes only.");
        parts.extensions.get().cloned().ok_or_else(missing)
    }
}

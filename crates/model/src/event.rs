//! The audit event: declared fields only, never a secret. One per request and one per change.

pub(crate) mod codec;

use std::sync::Arc;

use durward_base::{EventId, Timestamp};
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::principal::{Acting, Assurance, CredentialFacts, PrincipalKind};

/// One line of the audit record. Its CBOR form (field numbers below, never reused) is what the hash tree covers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Encode, Decode)]
pub struct Event {
    /// The event's id. For a request this is the `X-Request-Id` its answer carries.
    #[n(0)]
    #[cbor(with = "codec::id")]
    pub id: EventId,
    /// When it happened.
    #[n(1)]
    #[cbor(with = "codec::timestamp")]
    pub time: Timestamp,
    /// The node that saw it: `authority`, `gateway/main`, `service/payments`.
    #[n(2)]
    #[cbor(with = "codec::text")]
    pub node: Arc<str>,
    /// The name of the realm, once known.
    #[n(3)]
    #[cbor(with = "codec::optional_text")]
    pub realm: Option<Arc<str>>,
    /// What was attempted.
    #[n(4)]
    pub kind: EventKind,
    /// How it ended.
    #[n(5)]
    pub outcome: Outcome,
    /// Why, as a stable code, when it did not simply succeed.
    #[n(6)]
    pub reason: Option<String>,
    /// A sentence for the operator. Never holds input that was not validated.
    #[n(7)]
    pub detail: Option<String>,
    /// Who did it and with what.
    #[n(8)]
    #[cbor(with = "codec::shared")]
    pub caller: Option<Arc<Caller>>,
    /// What it hangs on: joins events of different nodes.
    #[n(9)]
    pub chain: Chain,
    /// The request, when there was one.
    #[n(10)]
    pub request: Option<Request>,
    /// What decided, when something was decided.
    #[n(11)]
    #[cbor(with = "codec::shared")]
    pub decided: Option<Arc<Decided>>,
    /// What was changed: `client/web`, `key/3xJ…`, `session/…`.
    #[n(12)]
    pub target: Option<String>,
    /// The `jti` of the credential that came out of it: access token or identity token.
    #[n(13)]
    pub issued: Option<String>,
    /// Microseconds per step, in order.
    #[n(14)]
    pub steps: Vec<(StepName, u32)>,
    /// How many events this one stands for and could not be recorded: set only for `EventKind::Gap`.
    #[n(15)]
    pub lost: u64,
}

/// A step of a request whose time is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "snake_case")]
#[cbor(index_only)]
pub enum StepName {
    /// Finding the route.
    #[n(0)]
    Route,
    /// Reading the credential.
    #[n(1)]
    Credential,
    /// Verifying it.
    #[n(2)]
    Principal,
    /// Deciding.
    #[n(3)]
    Decide,
    /// Making the identity token.
    #[n(4)]
    Identity,
    /// Waiting for the upstream's answer to begin.
    #[n(5)]
    Upstream,
    /// Loading from the store.
    #[n(6)]
    Load,
    /// Committing to the store.
    #[n(7)]
    Commit,
    /// Signing.
    #[n(8)]
    Sign,
    /// Asking the authority about a credential.
    #[n(9)]
    Resolve,
}

/// The ids that join one event with others.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, Encode, Decode)]
pub struct Chain {
    /// The W3C trace id that all hops of one transaction share: 32 hexadecimal digits.
    #[n(0)]
    pub transaction: Option<String>,
    /// The request that caused this one, when a hop said so.
    #[n(1)]
    pub parent: Option<String>,
    /// The client's family in a login.
    #[n(2)]
    pub family: Option<String>,
    /// The login.
    #[n(3)]
    pub session: Option<String>,
    /// The generation that the family's refresh token moved on to.
    #[n(4)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation: Option<u32>,
}

/// Who acted, and with what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
pub struct Caller {
    /// A person, a service or a client.
    #[n(0)]
    pub kind: PrincipalKind,
    /// Its id.
    #[n(1)]
    pub id: String,
    /// For whom it acted.
    #[n(2)]
    pub acts_for: Option<Acting>,
    /// Its roles.
    #[n(3)]
    pub roles: Vec<String>,
    /// Its scopes.
    #[n(4)]
    pub scopes: Vec<String>,
    /// How it logged in.
    #[n(5)]
    pub assurance: Assurance,
    /// The credential.
    #[n(6)]
    pub credential: Option<CredentialFacts>,
}

/// The request, without its query, headers or body.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, Encode, Decode)]
pub struct Request {
    /// The method.
    #[n(0)]
    pub method: String,
    /// The normalised path.
    #[n(1)]
    pub path: String,
    /// The route's or endpoint's name.
    #[n(2)]
    #[cbor(with = "codec::optional_text")]
    pub route: Option<Arc<str>>,
    /// The peer's address.
    #[n(3)]
    pub address: Option<String>,
    /// The status answered.
    #[n(4)]
    pub status: u16,
    /// The upstream it was forwarded to.
    #[n(5)]
    #[cbor(with = "codec::optional_text")]
    pub upstream: Option<Arc<str>>,
    /// The audience of the identity sent upstream.
    #[n(6)]
    #[cbor(with = "codec::optional_text")]
    pub audience: Option<Arc<str>>,
}

/// What decided, and the values it read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
pub struct Decided {
    /// `requirement`, `policy`, `public` or `default` (nothing allowed it).
    #[n(0)]
    pub by: String,
    /// The requirement's text (`role clerk`) or the policy's name.
    #[n(1)]
    pub rule: String,
    /// The action asked for.
    #[n(2)]
    pub action: Option<String>,
    /// The resource it was asked on.
    #[n(3)]
    pub resource: Option<String>,
    /// Name and value of each thing the rule read.
    #[n(4)]
    pub read: Vec<(String, String)>,
    /// The feed position of the rules that decided.
    #[n(5)]
    pub version: u64,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "lowercase")]
#[cbor(index_only)]
pub enum Outcome {
    /// It was allowed and done.
    #[n(0)]
    Allowed,
    /// It was refused.
    #[n(1)]
    Denied,
    /// It could not be decided or done: 5xx.
    #[n(2)]
    Failed,
    /// Something was changed.
    #[n(3)]
    Changed,
    /// It was let through, and would not have been if its route did more than observe.
    #[n(4)]
    #[serde(rename = "would_deny")]
    WouldDeny,
}

impl Outcome {
    /// Its name, as it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Denied => "denied",
            Self::Failed => "failed",
            Self::Changed => "changed",
            Self::WouldDeny => "would_deny",
        }
    }
}

macro_rules! kinds {
    ($($number:literal $name:ident $text:literal),* $(,)?) => {
        /// What was attempted. The numbers are never reused.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Encode, Decode)]
        #[cbor(index_only)]
        pub enum EventKind {$(
            #[doc = concat!("`", $text, "`")]
            #[serde(rename = $text)]
            #[n($number)]
            $name,
        )*}

        impl EventKind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The stable dotted name.
            pub const fn name(self) -> &'static str {
                match self {$(Self::$name => $text),*}
            }
        }
    };
}

// By number. The next one is 141.
kinds! {
    0 Forwarded "gateway.request",
    1 ServiceRequest "service.request",
    2 DocumentRead "document.read",
    3 AuthorizationRequested "authorization.requested",
    4 LoginShown "login.shown",
    5 LoginSubmitted "login.submitted",
    6 ConsentSubmitted "consent.submitted",
    7 CodeIssued "code.issued",
    8 TokenIssued "token.issued",
    9 TokenIntrospected "token.introspected",
    10 TokenRevoked "token.revoked",
    11 UserinfoRead "userinfo.read",
    12 LoggedOut "session.ended",
    13 SessionsListed "session.listed",
    14 SessionRevoked "session.revoked",
    15 ResourceRead "resource.read",
    16 ResourceChanged "resource.changed",
    17 PersonChanged "person.changed",
    18 KeyChanged "key.changed",
    19 AuditRead "audit.read",
    20 FeedRead "feed.read",
    21 EventsReceived "events.received",
    22 BackupTaken "backup.taken",
    23 Restored "restored",
    24 ConfigurationReloaded "configuration.reloaded",
    25 Gap "audit.gap",
    26 Started "node.started",
    27 OperationsRead "operations.read",
    28 Unrouted "request.unrouted",
    29 ClientSecretChanged "client_secret.changed",
    30 ConnectionRefused "connection.refused",
    31 AuditPruned "audit.pruned",
    40 DeviceAuthorizationRequested "device_authorization.requested",
    41 DeviceShown "device.shown",
    42 DeviceSubmitted "device.submitted",
    43 PersonalTokensListed "personal_token.listed",
    44 PersonalTokenChanged "personal_token.changed",
    45 ConsentsListed "consent.listed",
    46 ConsentRevoked "consent.revoked",
    47 CredentialResolved "credential.resolved",
    50 AuthorizationPushed "authorization.pushed",
    60 ClockConfirmed "clock.confirmed",
    70 SecondFactorShown "second_factor.shown",
    71 SecondFactorChanged "second_factor.changed",
    80 ClientRegistered "client.registered",
    81 RegistrationRead "registration.read",
    82 RegistrationChanged "registration.changed",
    83 InitialAccessChanged "initial_access.changed",
    84 InitialAccessListed "initial_access.listed",
    90 ApiKeysListed "api_key.listed",
    91 ApiKeyChanged "api_key.changed",
    100 LogoutNotified "logout.notified",
    110 BackchannelAuthenticationRequested "backchannel_authentication.requested",
    111 BackchannelAuthenticationsListed "backchannel_authentication.listed",
    112 BackchannelAuthenticationSubmitted "backchannel_authentication.submitted",
    113 BackchannelAuthenticationNotified "backchannel_authentication.notified",
    120 AccessEvaluated "access.evaluated",
    130 BrowserLoginBegun "browser_login.begun",
    131 BrowserLoginEnded "browser_login.ended",
    132 BrowserSessionRead "browser_session.read",
    133 BrowserLoggedOut "browser_session.ended",
    134 LogoutReceived "logout.received",
    140 CertificateObtained "certificate.obtained",
}

impl Event {
    /// An event with nothing but its id, time, node and kind; the rest is filled in as it becomes known.
    pub fn new(id: EventId, time: Timestamp, node: Arc<str>, kind: EventKind) -> Self {
        Self {
            id,
            time,
            node,
            realm: None,
            kind,
            outcome: Outcome::Allowed,
            reason: None,
            detail: None,
            caller: None,
            chain: Chain::default(),
            request: None,
            decided: None,
            target: None,
            issued: None,
            steps: Vec::new(),
            lost: 0,
        }
    }

    /// Adds to what the operator is told.
    pub fn say(&mut self, sentence: String) {
        self.detail = Some(self.detail.take().map_or_else(|| sentence.clone(), |before| format!("{before}; {sentence}")));
    }

    /// Whether it must be on disk before the answer is sent: everything but what passed and changed nothing.
    pub const fn must_be_durable(&self) -> bool {
        !matches!(self.outcome, Outcome::Allowed | Outcome::WouldDeny)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kind_names_are_unique() {
        let names: std::collections::BTreeSet<_> = EventKind::ALL.iter().map(|kind| kind.name()).collect();
        assert_eq!(names.len(), EventKind::ALL.len());
    }

    #[test]
    fn an_event_survives_its_canonical_form() {
        let mut event = Event::new(EventId::from_bytes([7; 16]), Timestamp::from_millis(1), "authority".into(), EventKind::TokenIssued);
        event.steps.push((StepName::Sign, 16));
        let bytes = minicbor::to_vec(&event).unwrap();
        assert_eq!(minicbor::decode::<Event>(&bytes).unwrap(), event);
    }
}

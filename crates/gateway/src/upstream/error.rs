//! Why an upstream gave no answer that can be passed on.

use std::io;

use durward_base::Duration;

/// Why an upstream gave no answer that can be passed on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UpstreamError {
    #[error("no connection to the upstream: {0}")]
    Connect(#[source] io::Error),
    #[error("no connection to the upstream within {0:?}")]
    ConnectTimeout(Duration),
    /// Its certificate is not the one expected, or ours is not the one it expects.
    #[error("no TLS with the upstream: {0}")]
    Tls(#[source] io::Error),
    /// What the route says of TLS cannot be done here.
    #[error("no TLS with the upstream: {0}")]
    TlsSettings(String),
    #[error("the upstream closed the connection before it answered")]
    Closed,
    #[error("the connection to the upstream failed: {0}")]
    Broken(#[source] io::Error),
    #[error("no answer from the upstream within {0:?}")]
    AnswerTimeout(Duration),
    #[error("nothing passed to or from the upstream for {0:?}")]
    IdleTimeout(Duration),
    #[error("the upstream's answer breaks HTTP: {0}")]
    Malformed(&'static str),
    /// The route has as many requests under way as it may have.
    #[error("{0} requests of the route are under way already")]
    Overloaded(u32),
    /// Not the upstream's fault: the credential was revoked, or its time was over, while the answer went on.
    #[error("the credential that the answer was for counts no more")]
    CredentialEnded,
    /// Not the upstream's fault: the request's own body ended early or was no HTTP.
    #[error("the request's body could not be read")]
    RequestBody,
}

impl UpstreamError {
    /// The stable reason for the audit.
    pub(crate) const fn reason(&self) -> &'static str {
        match self {
            Self::Connect(_) => "upstream_unreachable",
            Self::ConnectTimeout(_) => "upstream_connect_timeout",
            Self::Tls(_) | Self::TlsSettings(_) => "upstream_tls",
            Self::Closed | Self::Broken(_) => "upstream_closed",
            Self::AnswerTimeout(_) | Self::IdleTimeout(_) => "upstream_timeout",
            Self::Malformed(_) => "upstream_malformed",
            Self::Overloaded(_) => "upstream_overloaded",
            Self::CredentialEnded => "credential_ended",
            Self::RequestBody => "request_body",
        }
    }

    /// Whether it is the host that failed.
    pub(super) const fn is_the_hosts(&self) -> bool {
        !matches!(self, Self::TlsSettings(_) | Self::Overloaded(_) | Self::CredentialEnded | Self::RequestBody)
    }

    /// Whether nothing of the request has left.
    pub(super) const fn is_before_sending(&self) -> bool {
        matches!(self, Self::Connect(_) | Self::ConnectTimeout(_) | Self::Tls(_))
    }
}

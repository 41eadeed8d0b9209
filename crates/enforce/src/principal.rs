//! RFC 9068 section 4: from a bearer JWT to a principal. Kinds of token are kept apart by key use, `typ` and required claims (RFC 8725
//! sections 3.11 and 3.12): a realm's ID token is signed by the realm, too, and never passes.

mod claims;

use std::net::IpAddr;

use durward_base::{Duration, Timestamp};
use durward_jose::{ClaimError, Expected, GoodSignature, JoseError, LEEWAY, UnverifiedJwt};
use durward_model::resource::TokenType;
use durward_model::{KeyUse, RevocationKind};
use durward_oauth::dpop::ProofError;
use durward_pki::Unvouched;

use crate::identity::IDENTITY_LIFETIME;
use crate::verified::revoked_reason;
use crate::{Verified, View};

/// The longest life of an access token; a realm's setting lies within.
const LONGEST_ACCESS_TOKEN: Duration = Duration::from_secs(3600);

/// Who takes tokens in, and which.
#[derive(Debug, Clone, Copy)]
pub struct Consumer<'a> {
    pub(crate) realm: &'a str,
    pub(crate) audience: Audience<'a>,
    pub(crate) identity_tokens: bool,
    pub(crate) address: Option<IpAddr>,
}

/// Which audience a token must have been made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience<'a> {
    /// This one, byte for byte.
    Exactly(&'a str),
    /// Whichever: for the authority's own endpoints, which every token of the realm may be shown to.
    Any,
}

impl<'a> Consumer<'a> {
    /// An entrance: access tokens for this audience, and never a gateway's identity token.
    pub const fn entrance(realm: &'a str, audience: &'a str) -> Self {
        Self { realm, audience: Audience::Exactly(audience), identity_tokens: false, address: None }
    }

    /// A service: access tokens and gateways' identity tokens for this audience.
    pub const fn service(realm: &'a str, audience: &'a str) -> Self {
        Self { realm, audience: Audience::Exactly(audience), identity_tokens: true, address: None }
    }

    /// The authority itself: access tokens of the realm, whomever they are for.
    pub const fn authority(realm: &'a str) -> Self {
        Self { realm, audience: Audience::Any, identity_tokens: false, address: None }
    }

    /// The same, taking them from there.
    #[must_use]
    pub fn from(self, address: Option<IpAddr>) -> Self {
        Self { address: address.map(|address| address.to_canonical()), ..self }
    }
}

impl Audience<'_> {
    pub(crate) fn accepts(self, audience: &str) -> bool {
        match self {
            Self::Exactly(expected) => expected == audience,
            Self::Any => true,
        }
    }
}

/// Why a token is refused: 401 `invalid_token`, always.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not a well-formed JWT, or its signature is not its key's.
    #[error(transparent)]
    Jose(JoseError),
    /// It names no issuer and key that would count here and now.
    #[error("the token is not signed by a key that counts here")]
    KeyUnknown,
    /// No credential of ours, or one that does not count (any more).
    #[error("the credential does not count here")]
    Unknown,
    /// A claim is missing, malformed, or not what it must be.
    #[error(transparent)]
    Claim(ClaimError),
    /// A token of another kind: an ID token, say, or an identity token at an entrance.
    #[error("the token is of a kind that is not accepted here")]
    WrongKind,
    /// A token bound to a key, presented as if it were not (RFC 9449 section 7.1).
    #[error("the token is bound to a key and must be presented with a proof")]
    Bound,
    /// A token that is bound to no DPoP key, presented as if it were.
    #[error("the token is not bound to a key: present it as a bearer token")]
    NotBound,
    /// The DPoP proof beside it is not good.
    #[error(transparent)]
    Proof(ProofError),
    /// The DPoP proof beside it carries no nonce that counts here and now.
    #[error("the DPoP proof must carry the nonce given in DPoP-Nonce")]
    Nonce {
        /// The nonce to use.
        fresh: String,
    },
    /// A token bound to another certificate than the connection's (RFC 8705 section 3).
    #[error("the token is bound to a certificate that this connection does not have")]
    Certificate,
    /// A client certificate that nobody who counts here vouches for.
    #[error(transparent)]
    Unvouched(Unvouched),
    /// A token of another realm.
    #[error("the token is of another realm")]
    WrongRealm,
    /// A token for somebody else.
    #[error("the token was made for \"{found}\"")]
    WrongAudience {
        /// Its audience.
        found: String,
    },
    /// Its time is over.
    #[error("the token has expired")]
    Expired,
    /// It, or something it hangs on, is revoked.
    #[error("the token is revoked: {reason}")]
    Revoked {
        /// What was revoked.
        kind: RevocationKind,
        /// Why.
        reason: String,
    },
    /// Its realm is gone or disabled.
    #[error("the token's realm is disabled")]
    RealmDisabled,
    /// Its client is disabled.
    #[error("the token's client is disabled")]
    ClientDisabled,
    /// Whoever vouched for its subject is not trusted (any more).
    #[error("the issuer that vouched for the token's subject is not trusted")]
    IssuerNotTrusted,
}

impl TokenError {
    /// A stable name for the audit record.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Jose(error) => error.reason(),
            Self::KeyUnknown => "key_unknown",
            Self::Unknown => "credential_unknown",
            Self::Claim(error) => error.reason(),
            Self::WrongKind => "token_kind",
            Self::Bound => "token_bound",
            Self::NotBound => "token_not_bound",
            Self::Proof(error) => error.reason(),
            Self::Nonce { .. } => "dpop.nonce",
            Self::Certificate => "certificate_mismatch",
            Self::Unvouched(error) => error.reason(),
            Self::WrongRealm => "realm_mismatch",
            Self::WrongAudience { .. } => "audience_mismatch",
            Self::Expired => "token_expired",
            Self::Revoked { kind, .. } => revoked_reason(*kind),
            Self::RealmDisabled => "realm_disabled",
            Self::ClientDisabled => "client_disabled",
            Self::IssuerNotTrusted => "issuer_not_trusted",
        }
    }
}

/// Verifies a token as far as everyone must: form, key, signature, kind, time, claims, standing. Whom it is for is asked at each use.
/// What is `known` of its signature is not found out again.
pub(crate) fn verify(
    view: &View,
    token: &str,
    known: Option<&GoodSignature>,
    now: Timestamp,
) -> Result<(Verified, GoodSignature), TokenError> {
    let unverified = UnverifiedJwt::parse(token).map_err(TokenError::Jose)?;
    let (issuer, kid) = unverified.issuer().zip(unverified.kid()).ok_or(TokenError::KeyUnknown)?;
    let find = |key_use| view.keys().verifying(issuer, kid, key_use);
    let key = find(KeyUse::Token).or_else(|| find(KeyUse::Identity)).ok_or(TokenError::KeyUnknown)?.clone();
    let (verified, signature) = unverified.verify_once(key.verifying(), known).map_err(TokenError::Jose)?;
    let record = key.key();
    let expected =
        |typ, max_lifetime| Expected { typ, issuer: &record.issuer, audience: None, now, leeway: LEEWAY, max_lifetime: Some(max_lifetime) };
    let verified = match record.key_use {
        KeyUse::Token => {
            let audience = claims::only_audience(verified.claims())?;
            let service = view.realm(&record.realm).and_then(|realm| realm.service(audience));
            let typ = service.map_or(TokenType::AccessTokenJwt, |service| service.resource.token_type).name();
            verified.check(&expected(&[typ], LONGEST_ACCESS_TOKEN)).map_err(TokenError::Claim)?;
            claims::access_token(&verified, &record.realm)?
        }
        KeyUse::Identity => {
            verified.check(&expected(&["dw-id+jwt", "JWT"], IDENTITY_LIFETIME)).map_err(TokenError::Claim)?;
            claims::identity_token(&verified, &record.realm)?
        }
    };
    verified.must_stand(view)?;
    Ok((verified, signature))
}

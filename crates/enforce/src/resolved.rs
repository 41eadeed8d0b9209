//! Credentials that the view cannot verify: what is asked of the authority about them, and the credential that its answer makes.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use durward_model::resolve::{ResolveRequest, Resolved};
use durward_model::{AuthorizationDetails, Caller, CredentialKind, Principal, Source};
use durward_oauth::foreign_token::ForeignToken;
use durward_oauth::{api_key, personal_token};

use crate::bounds::Bounds;
use crate::cache::Proved;
use crate::principal::Audience;
use crate::verified::{InUse, NEVER_CHECKED};
use crate::{Consumer, TokenError, TokenKind, Verified, View};

/// What is known about a credential.
#[derive(Debug)]
pub enum Known {
    /// It counts.
    Proved(Proved),
    /// The authority must be asked, and its answer taken in by `CredentialCache::take_in`.
    Ask(ResolveRequest),
}

/// The question about a credential, before it is asked: of most the answer is known, and nothing need be copied.
#[derive(Clone, Copy)]
pub(crate) struct Question<'a> {
    pub realm: &'a str,
    pub kind: CredentialKind,
    pub credential: &'a str,
    pub audience: &'a str,
    pub address: Option<IpAddr>,
}

impl<'a> Question<'a> {
    /// The question about a credential that was presented.
    ///
    /// # Errors
    /// `Unknown` for what is no credential of ours, mistyped or made up: nobody is asked about that.
    pub fn about(view: &View, consumer: &Consumer<'a>, kind: CredentialKind, text: &'a str) -> Result<Self, TokenError> {
        let foreign = || view.realm(consumer.realm).map_or(&[][..], |realm| realm.settings().foreign_api_keys.as_slice());
        let may_be = match kind {
            CredentialKind::OpaqueToken => personal_token::is_well_formed(text),
            CredentialKind::ApiKey => api_key::is_well_formed(text, foreign()),
            CredentialKind::Basic => text.len() <= LONGEST_BASIC,
            // Its thumbprint: the gateway that has the certificate knows whose it is.
            CredentialKind::ClientCertificate => text.len() == THUMBPRINT,
            CredentialKind::BrowserSession => text.len() <= LONGEST_SESSION,
            CredentialKind::Jwt => text.len() <= LONGEST_TOKEN,
            _ => false,
        };
        if !may_be {
            return Err(TokenError::Unknown);
        }
        let audience = audience(consumer, kind);
        Ok(Self { realm: consumer.realm, kind, credential: text, audience, address: consumer.address })
    }

    /// The question that is asked with this.
    pub fn of(request: &'a ResolveRequest) -> Self {
        let ResolveRequest { realm, kind, credential, audience, address } = request;
        Self { realm, kind: *kind, credential, audience, address: *address }
    }

    /// It as it is asked.
    pub fn request(self) -> ResolveRequest {
        let Self { realm, kind, credential, audience, address } = self;
        let (realm, credential, audience) = (realm.to_owned(), credential.to_owned(), audience.to_owned());
        ResolveRequest { realm, kind, credential, audience, address }
    }
}

/// Whether a text says that it is an access token of an issuer that the realm trusts, for the service it is presented to. That alone is worth
/// a question: whether it is one, the authority says.
pub(crate) fn is_of_another_issuer(view: &View, consumer: &Consumer<'_>, text: &str) -> bool {
    let issuer = view.realm(consumer.realm).and_then(|realm| ForeignToken::claimed(text, realm.trusted_issuers()));
    let tokens = issuer.and_then(|issuer| issuer.declared().access_tokens.as_ref());
    tokens.is_some_and(|tokens| tokens.audiences.values().any(|service| consumer.audience == Audience::Exactly(service)))
}

/// The service that the question names: tokens and keys are for one anyway, and a password or certificate is good for whichever it is presented to.
pub(crate) fn audience<'a>(consumer: &Consumer<'a>, kind: CredentialKind) -> &'a str {
    match (kind, consumer.audience) {
        (CredentialKind::Basic | CredentialKind::ClientCertificate, Audience::Exactly(audience)) => audience,
        _ => "",
    }
}

/// A name of 128 and a password of 256 characters, in base64.
const LONGEST_BASIC: usize = 2_048;
/// What a question to the authority has room for.
const LONGEST_TOKEN: usize = 12 * 1024;
/// What browsers keep of one cookie.
const LONGEST_SESSION: usize = 4_096;
/// A SHA-256 in base64url.
const THUMBPRINT: usize = 43;

/// The credential that an answer makes.
pub(crate) fn verified(realm: &str, resolved: &Resolved) -> Verified {
    let Resolved { kind, id, roles, scopes, assurance, audience, limits, credential, made, until } = resolved.clone();
    let caller = Caller {
        kind,
        id: id.clone(),
        acts_for: None,
        roles: roles.clone(),
        scopes: scopes.clone(),
        assurance: assurance.clone(),
        credential: Some(credential.clone()),
    };
    let (realm, source) = (realm.to_owned(), Source::default());
    let principal = Principal {
        realm,
        kind,
        id,
        acts_for: None,
        roles,
        scopes,
        authorization_details: AuthorizationDetails::default(),
        assurance,
        credential,
        source,
    };
    Verified {
        kind: TokenKind::Resolved,
        audience,
        principal,
        caller: Arc::new(caller),
        expires: until,
        bounds: Bounds::new(limits),
        made,
        from: Vec::new(),
        act: None,
        generation: AtomicU64::new(NEVER_CHECKED),
        in_use: InUse::default(),
    }
}

//! Credentials that the view cannot verify: what is asked of the authority about them, and the credential that its answer makes.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, OnceLock};

use durward_model::resolve::{ResolveRequest, Resolved};
use durward_model::{AuthorizationDetails, Caller, Chain, CredentialKind, Principal, Source};

use crate::cache::Proved;
use crate::verified::{NEVER_CHECKED, TokenFacts};
use crate::{PresentedToken, TokenError, TokenKind, Verified};

/// What is known about a credential.
#[derive(Debug)]
pub enum Known {
    /// It counts.
    Proved(Proved),
    /// The authority must be asked, and its answer taken in by `CredentialCache::take_in`.
    Ask(ResolveRequest),
}

impl PresentedToken<'_> {
    /// Whether it is none that can be read here. A JWT has dots (RFC 7515 section 3.1).
    pub(crate) fn is_opaque(self) -> bool {
        !self.with_proof && !self.text.contains('.')
    }

    /// The question about it.
    ///
    /// # Errors
    /// `Unknown` for what is no credential of ours, mistyped or made up: nobody is asked about that.
    pub(crate) fn question(self, realm: &str) -> Result<ResolveRequest, TokenError> {
        if !durward_oauth::personal_token::is_well_formed(self.text) {
            return Err(TokenError::Unknown);
        }
        Ok(ResolveRequest { realm: realm.to_owned(), kind: CredentialKind::OpaqueToken, credential: self.text.to_owned() })
    }
}

/// The credential that an answer makes.
pub(crate) fn verified(realm: &str, resolved: &Resolved) -> Verified {
    let Resolved { kind, id, roles, scopes, assurance, audience, credential, made, until } = resolved.clone();
    let caller = Caller {
        kind,
        id: id.clone(),
        acts_for: None,
        roles: roles.clone(),
        scopes: scopes.clone(),
        assurance: assurance.clone(),
        credential: Some(credential.clone()),
    };
    let chain = Chain { family: credential.family.clone(), session: credential.session.clone(), ..Chain::default() };
    let token = TokenFacts { jti: credential.id.clone(), made, kid: None };
    let (realm, source) = (realm.to_owned(), Source::default());
    let authorization_details = AuthorizationDetails::default();
    let principal = Principal { realm, kind, id, acts_for: None, roles, scopes, authorization_details, assurance, credential, source };
    Verified {
        kind: TokenKind::Resolved,
        audience,
        principal,
        caller: Arc::new(caller),
        chain,
        expires: until,
        token,
        from: Vec::new(),
        act: None,
        generation: AtomicU64::new(NEVER_CHECKED),
        subject: OnceLock::new(),
        decisions: Mutex::default(),
        identities: Mutex::default(),
    }
}

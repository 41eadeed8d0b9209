//! RFC 8693 section 4: who acts for the subject of a token, and which credentials the token comes from.

use durward_base::TokenId;
use durward_jose::{ClaimError, Claims};
use durward_model::{Acting, Actor, PrincipalKind, Revocation, RevocationKind};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::registry::Registry;

/// The longest chain of actors.
pub const MAX_DEPTH: usize = 4;
/// The most credentials a token comes from: for each actor the one it was issued, and the identity token it was shown.
pub const MAX_ANCESTORS: usize = 2 * MAX_DEPTH;

/// RFC 8693 section 4.1: `act`. "The outermost act claim represents the current actor while nested act claims represent prior actors."
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Act {
    /// The actor's `client_id`.
    pub sub: String,
    /// The service that it is the program of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub svc: Option<String>,
    /// Who acted before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub act: Option<Box<Act>>,
}

/// A credential that a token comes from and dies with. A token names the nearest first, in `from`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ancestor {
    /// Its id.
    pub jti: TokenId,
    /// The key it was signed with.
    pub kid: String,
    /// The client it was issued to; none for a gateway's identity token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
}

impl Act {
    /// The `act` of a token.
    ///
    /// # Errors
    /// When it is malformed or deeper than [`MAX_DEPTH`].
    pub fn read(claims: &Claims) -> Result<Option<Self>, ClaimError> {
        let act: Option<Self> = member(claims, "act", "an object with sub, and perhaps svc and act")?;
        match act {
            Some(act) if act.chain().count() > MAX_DEPTH => Err(malformed("act", "a chain of at most four actors")),
            act => Ok(act),
        }
    }

    /// The actors, the present one first.
    pub fn chain(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |act| act.act.as_deref())
    }

    /// The present actor.
    pub fn actor(&self) -> Actor {
        match &self.svc {
            Some(service) => Actor { kind: PrincipalKind::Service, id: service.clone() },
            None => Actor { kind: PrincipalKind::Client, id: self.sub.clone() },
        }
    }

    /// The subject as the actor acts for it, through all who acted before.
    pub fn for_subject(&self, kind: PrincipalKind, id: String) -> Acting {
        Acting { kind, id, through: self.chain().skip(1).map(Self::actor).collect() }
    }
}

impl Ancestor {
    /// The `from` of a token.
    ///
    /// # Errors
    /// When it is malformed or longer than [`MAX_ANCESTORS`].
    pub fn read(claims: &Claims) -> Result<Vec<Self>, ClaimError> {
        let ancestors: Vec<Self> = member(claims, "from", "an array of objects with jti, kid and client_id")?.unwrap_or_default();
        if ancestors.len() > MAX_ANCESTORS { Err(malformed("from", "at most eight credentials")) } else { Ok(ancestors) }
    }

    /// The revocation that killed it, if one did: of itself, of its key, or of what its client had been issued.
    pub(crate) fn revoked<'r>(&self, registry: &'r dyn Registry) -> Option<&'r Revocation> {
        let mark = || registry.revocation(RevocationKind::Client, self.client_id.as_deref()?);
        registry
            .revocation(RevocationKind::Token, &self.jti.to_string())
            .or_else(|| registry.revocation(RevocationKind::Key, &self.kid))
            .or_else(|| mark().filter(|mark| self.jti.time() <= mark.not_before))
    }
}

/// The `kind` of a subject that only a trusted issuer knows.
///
/// # Errors
/// When it is none.
pub fn foreign_kind(claims: &Claims) -> Result<Option<PrincipalKind>, ClaimError> {
    member(claims, "kind", "user, service or client")
}

fn member<T: DeserializeOwned>(claims: &Claims, name: &'static str, expected: &'static str) -> Result<Option<T>, ClaimError> {
    claims.get(name).map(|value| T::deserialize(value).map_err(|_| malformed(name, expected))).transpose()
}

fn malformed(name: &'static str, expected: &'static str) -> ClaimError {
    ClaimError::Malformed { name: name.to_owned(), expected }
}

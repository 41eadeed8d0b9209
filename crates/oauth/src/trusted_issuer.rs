//! RFC 7523 section 3: JWTs of somebody else's issuer, and whom they speak of here.

use std::sync::Arc;

use durward_base::{Duration, Secret, Timestamp};
use durward_jose::{Algorithm, Expected, HmacKey, JoseError, JwkSet, LEEWAY, UnverifiedJwt, VerifiedJwt, VerifyingKey};
use durward_model::resource::{Subjects, TrustedIssuer as Declared, name_fault};
use durward_model::write::Spent;
use durward_model::{EgressUrl, PrincipalKind, Write};

use crate::client_authentication::spent_id;
use crate::client_metadata::Problem;
use crate::foreign_token;
use crate::registry::Registry;
use crate::scope::is_scope_token;

/// What stands between an issuer's name and its subject in an id. No name of ours has it, so that no such id is one of ours.
const SEPARATOR: char = '|';
/// The `kid` of a shared secret, as it is on record.
const SHARED: &str = "shared_secret";
/// The longest subject, in bytes.
const LONGEST_SUBJECT: usize = 256;
/// The most words that are looked at for roles.
const MOST_WORDS: usize = 256;

/// A trusted issuer with its keys parsed.
#[derive(Debug)]
pub struct TrustedIssuer {
    declared: Declared,
    keys: Arc<[VerifyingKey]>,
}

/// What verifies a token: a key that everybody may know, or a secret shared with the issuer. The type keeps them apart (RFC 8725 section 2.1).
#[allow(clippy::large_enum_variant, reason = "one is made for each token that is read, and none is kept")]
enum Key {
    Public(VerifyingKey),
    Shared(HmacKey),
}

/// Somebody that a trusted issuer vouches for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Foreigner {
    /// The issuer's name.
    pub issuer: String,
    /// A person or a client.
    pub kind: PrincipalKind,
    /// `NAME|SUBJECT`.
    pub id: String,
    /// Their roles here, sorted.
    pub roles: Vec<String>,
}

/// A good JWT of a trusted issuer.
#[derive(Debug)]
pub struct Assertion<'r> {
    pub(crate) issuer: &'r TrustedIssuer,
    pub(crate) foreigner: Foreigner,
    pub(crate) verified: VerifiedJwt,
    pub(crate) expires: Timestamp,
}

impl Foreigner {
    /// The name of the issuer that vouches for a subject of this id; none for the realm's own.
    pub fn issuer_of(id: &str) -> Option<&str> {
        id.split_once(SEPARATOR).map(|(issuer, _)| issuer)
    }
}

impl TrustedIssuer {
    /// The one of these issuers that an unverified JWT says it is of; none that is disabled.
    pub fn claimed<'r>(text: &str, issuers: &'r [Arc<Self>]) -> Option<&'r Self> {
        // Most realms trust nobody else.
        if issuers.is_empty() {
            return None;
        }
        let unverified = UnverifiedJwt::parse(text).ok()?;
        let named = |issuer: &&Arc<Self>| unverified.issuer() == Some(&issuer.declared.issuer) && !issuer.declared.disabled;
        issuers.iter().find(named).map(Arc::as_ref)
    }

    /// Where the keys are published that an unverified JWT of one of these issuers is signed with, and their `kid`: to be read first.
    pub fn keys_to_read<'r>(text: &str, registry: &'r dyn Registry) -> Option<(&'r EgressUrl, Option<String>)> {
        let issuer = Self::claimed(text, registry.trusted_issuers())?;
        Some((issuer.declared.jwks_uri.as_ref()?, UnverifiedJwt::parse(text).ok()?.kid().map(str::to_owned)))
    }

    /// Parses an issuer's keys.
    ///
    /// # Errors
    /// When one of them is none, or of an algorithm that the issuer does not sign with.
    pub fn compile(declared: &Declared) -> Result<Self, JoseError> {
        let keys = match &declared.jwks {
            Some(jwks) => JwkSet::parse(jwks.to_string().as_bytes())?.keys.iter().map(VerifyingKey::from_jwk).collect::<Result<_, _>>()?,
            None => Arc::default(),
        };
        Ok(Self { declared: declared.clone(), keys })
    }

    /// As declared.
    pub const fn declared(&self) -> &Declared {
        &self.declared
    }

    /// Verifies the signature of a JWT of this issuer, whom it names: by its own keys, and an algorithm that it is declared with.
    ///
    /// # Errors
    /// The stable reason for the audit record.
    pub(crate) fn verify(&self, unverified: UnverifiedJwt<'_>, registry: &dyn Registry) -> Result<VerifiedJwt, &'static str> {
        let published = self.declared.jwks_uri.as_ref().and_then(|uri| registry.published_keys(uri));
        let secret = self.declared.shared_secret.as_ref().and_then(|name| registry.shared_secret(name));
        self.verify_with(unverified, published.as_deref(), secret)
    }

    /// The same by keys that were got otherwise.
    ///
    /// # Errors
    /// The stable reason for the audit record.
    pub fn verify_with(
        &self,
        unverified: UnverifiedJwt<'_>,
        published: Option<&JwkSet>,
        secret: Option<&Secret>,
    ) -> Result<VerifiedJwt, &'static str> {
        if self.declared.disabled {
            return Err("assertion.issuer_disabled");
        }
        let key = match &self.declared.shared_secret {
            Some(_) => secret.and_then(|secret| self.shared(secret)).map(Key::Shared),
            None => self.key(published, unverified.kid()).map(Key::Public),
        };
        let verified = match key.ok_or("assertion.key_unknown")? {
            Key::Public(key) if !self.signs_with(key.algorithm()) => return Err("assertion.algorithm"),
            Key::Public(key) => unverified.verify(&key),
            Key::Shared(key) => unverified.verify_mac(&key),
        };
        verified.map_err(|error| error.reason())
    }

    /// The shared secret as a key of the one algorithm that the issuer is declared with.
    fn shared(&self, secret: &Secret) -> Option<HmacKey> {
        let [name] = self.declared.algorithms.as_slice() else { return None };
        HmacKey::of(name.parse().ok()?, SHARED, secret.expose().as_bytes()).ok()
    }

    /// The key of this `kid`, among those declared or those fetched from where they are published; without a `kid`, the only one.
    fn key(&self, published: Option<&JwkSet>, kid: Option<&str>) -> Option<VerifyingKey> {
        if self.declared.jwks_uri.is_some() {
            let set = published?;
            // Among what others publish may be keys of kinds that are not in use here.
            let mut keys = set.keys.iter().filter_map(|jwk| VerifyingKey::from_jwk(jwk).ok());
            return match kid {
                Some(kid) => keys.find(|key| key.kid() == kid),
                None => keys.next().filter(|_| keys.next().is_none()),
            };
        }
        match (kid, &*self.keys) {
            (Some(kid), keys) => keys.iter().find(|key| key.kid() == kid).cloned(),
            (None, [only]) => Some(only.clone()),
            (None, _) => None,
        }
    }

    fn signs_with(&self, algorithm: Algorithm) -> bool {
        self.declared.algorithms.iter().any(|name| name == algorithm.name())
    }

    /// Whom a verified token speaks of.
    ///
    /// # Errors
    /// The stable reason for the audit record.
    pub fn foreigner(&self, verified: &VerifiedJwt) -> Result<Foreigner, &'static str> {
        let claims = verified.claims();
        let subject = claims.str(&self.declared.subject_claim).map_err(|error| error.reason())?.unwrap_or_default();
        if subject.is_empty() || subject.len() > LONGEST_SUBJECT {
            return Err("assertion.subject");
        }
        let words = match self.declared.roles_claim.as_deref() {
            None => Vec::new(),
            Some(name) => match claims.str(name) {
                Ok(word) => word.into_iter().collect(),
                Err(_) => claims.strings(name).map_err(|error| error.reason())?.unwrap_or_default(),
            },
        };
        if words.len() > MOST_WORDS {
            return Err("assertion.roles");
        }
        let mut roles: Vec<_> = words.into_iter().filter_map(|word| self.declared.roles.get(word)).cloned().collect();
        roles.sort_unstable();
        roles.dedup();
        let kind = match self.declared.subjects {
            Subjects::People => PrincipalKind::User,
            Subjects::Programs => PrincipalKind::Client,
        };
        let issuer = self.declared.name.clone();
        Ok(Foreigner { kind, id: format!("{issuer}{SEPARATOR}{subject}"), issuer, roles })
    }
}

impl<'r> Assertion<'r> {
    /// Verifies a JWT of a trusted issuer, in the order of RFC 7523 section 3.
    ///
    /// # Errors
    /// The stable reason for the audit record.
    pub fn verify(text: &str, registry: &'r dyn Registry, now: Timestamp) -> Result<Self, &'static str> {
        let unverified = UnverifiedJwt::parse(text).map_err(|error| error.reason())?;
        let named = |issuer: &&Arc<TrustedIssuer>| unverified.issuer() == Some(&issuer.declared.issuer);
        let issuer = registry.trusted_issuers().iter().find(named).ok_or("assertion.issuer_unknown")?;
        let verified = issuer.verify(unverified, registry)?;
        let expected = Expected {
            // RFC 8725 3.12: an access token or an identity token of that issuer was made for something else.
            typ: &["JWT", ""],
            issuer: &issuer.declared.issuer,
            audience: None,
            now,
            leeway: LEEWAY,
            max_lifetime: Some(Duration::from_secs(issuer.declared.max_lifetime_seconds.into())),
        };
        verified.check(&expected).map_err(|error| error.reason())?;
        // 3 (3): "The authorization server MUST reject any JWT that does not contain its own identity as the intended audience." One of
        // several could have been meant for somebody else.
        let audience = match verified.claims().aud().map_err(|error| error.reason())?.as_slice() {
            [only] => (*only).to_owned(),
            _ => return Err("audience_mismatch"),
        };
        let ours = issuer.declared.audiences.contains(&audience);
        if !(ours || issuer.declared.audiences.is_empty() && audience == registry.issuer()) {
            return Err("audience_mismatch");
        }
        let expires = verified.claims().exp().ok().flatten().ok_or("claim_missing")?;
        let foreigner = issuer.foreigner(&verified)?;
        Ok(Self { issuer, foreigner, verified, expires })
    }

    /// The write that uses it up.
    ///
    /// # Errors
    /// When it has no `jti` to be used up by.
    pub fn spend(&self, registry: &dyn Registry) -> Result<Write, &'static str> {
        let jti = self.verified.claims().jti().map_err(|error| error.reason())?.filter(|jti| !jti.is_empty() && jti.len() <= 256);
        let id = spent_id(&self.issuer.declared.issuer, jti.ok_or("assertion.jti")?);
        let realm = registry.realm().name.clone();
        Ok(Write::Spend { realm, what: Spent::GrantAssertion, id, expires: self.expires + LEEWAY })
    }
}

/// Everything that is wrong with a declared issuer; nothing when it may be written.
pub fn problems(issuer: &Declared) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut when = |wrong: bool, field: &str, message: String| {
        if wrong {
            problems.push(Problem { field: field.to_owned(), message });
        }
    };
    let fault = name_fault(&issuer.name);
    when(fault.is_some(), "name", fault.unwrap_or_default());
    when(issuer.name.len() > 64, "name", "expected at most 64 characters: it begins every id of its subjects".to_owned());
    when(!issuer.issuer.starts_with("https://"), "issuer", format!("{:?}: expected an https URL, as it stands in `iss`", issuer.issuer));
    let keys = [issuer.jwks.is_some(), issuer.jwks_uri.is_some(), issuer.shared_secret.is_some()];
    let one = keys.into_iter().filter(|given| *given).count() == 1;
    when(!one, "jwks", "expected exactly one of jwks, jwks_uri and shared_secret".to_owned());
    if let Err(error) = TrustedIssuer::compile(issuer) {
        when(true, "jwks", error.to_string());
    }
    when(issuer.algorithms.is_empty(), "algorithms", "expected at least one: there is no default".to_owned());
    let (offered, example) = match issuer.shared_secret {
        Some(_) => (Algorithm::SYMMETRIC.as_slice(), "HS256, HS384 or HS512, for it is a secret that is shared"),
        None => (Algorithm::ASYMMETRIC.as_slice(), "ES256, EdDSA, PS256 or the like"),
    };
    for (index, name) in issuer.algorithms.iter().enumerate() {
        let taken = name.parse().is_ok_and(|algorithm: Algorithm| offered.contains(&algorithm));
        when(!taken, &format!("algorithms[{index}]"), format!("{name:?} is not taken (expected {example})"));
    }
    let several = issuer.shared_secret.is_some() && issuer.algorithms.len() > 1;
    when(several, "algorithms", "a secret is for one algorithm".to_owned());
    when(issuer.subject_claim.is_empty(), "subject_claim", "expected the name of a claim".to_owned());
    when(
        issuer.roles_claim.is_none() && !issuer.roles.is_empty(),
        "roles",
        "no claim holds words for roles: name it in roles_claim".to_owned(),
    );
    for (index, scope) in issuer.scopes.iter().enumerate() {
        when(!is_scope_token(scope), &format!("scopes[{index}]"), format!("{scope:?} is no scope token (RFC 6749 section 3.3)"));
    }
    let seconds = issuer.max_lifetime_seconds;
    when(!(1..=3600).contains(&seconds), "max_lifetime_seconds", format!("{seconds} seconds, expected 1 to 3600"));
    for problem in issuer.access_tokens.iter().flat_map(|tokens| foreign_token::problems(issuer, tokens)) {
        problems.push(problem);
    }
    problems
}

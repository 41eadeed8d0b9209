//! RFC 9068 section 4: access tokens of somebody else's issuer, as a way in. What they say counts as far as the issuer is declared to be
//! believed: whom it speaks of, their roles and scopes here, and for which of our services its tokens are.

use std::sync::Arc;

use durward_base::{Duration, Timestamp, TokenId};
use durward_jose::{Claims, Expected, LEEWAY, UnverifiedJwt, VerifiedJwt};
use durward_model::resolve::Resolved;
use durward_model::resource::{ForeignAccessTokens, TrustedIssuer as Declared};
use durward_model::{Assurance, BoundKey, CredentialFacts, CredentialKind, CredentialLimits};
use durward_seal::sha256;

use crate::client_metadata::Problem;
use crate::confirmation;
use crate::registry::Registry;
use crate::trusted_issuer::{Foreigner, TrustedIssuer};

/// The longest that what is known of a token holds before its issuer's keys are asked again: what they take back is dead by then.
const HOLDS: Duration = Duration::from_secs(300);
/// The most words that are looked at for scopes.
const MOST_SCOPES: usize = 256;

/// A good access token of a trusted issuer, for one of our services.
#[derive(Debug)]
pub struct ForeignToken {
    /// Whom it speaks of.
    pub foreigner: Foreigner,
    /// The service it is for.
    pub service: String,
    /// What it is good for.
    pub scopes: Vec<String>,
    issuer: String,
    kid: String,
    id: TokenId,
    bound_key: Option<BoundKey>,
    auth_time: Option<Timestamp>,
    issued: Timestamp,
    expires: Timestamp,
}

impl ForeignToken {
    /// The issuer whose access token an unverified JWT says it is, where there is a service here that they are for.
    pub fn claimed<'r>(text: &str, issuers: &'r [Arc<TrustedIssuer>]) -> Option<&'r TrustedIssuer> {
        TrustedIssuer::claimed(text, issuers).filter(|issuer| issuer.declared().access_tokens.is_some())
    }

    /// Verifies an access token of a trusted issuer, in the order of RFC 9068 section 4.
    ///
    /// # Errors
    /// The stable reason for the record.
    pub fn verify(text: &str, registry: &dyn Registry, now: Timestamp) -> Result<Self, &'static str> {
        let issuer = Self::claimed(text, registry.trusted_issuers()).ok_or("issuer_not_trusted")?;
        let (declared, verified) =
            (issuer.declared(), issuer.verify(UnverifiedJwt::parse(text).map_err(|error| error.reason())?, registry)?);
        // Nobody speaks for us by other rules than our own.
        let tokens = declared.access_tokens.as_ref().filter(|_| declared.issuer != registry.issuer()).ok_or("issuer_not_trusted")?;
        let typ: Vec<_> = tokens.types.iter().map(String::as_str).collect();
        let max_lifetime = Some(Duration::from_secs(tokens.max_lifetime_seconds.into()));
        let expected = Expected { typ: &typ, issuer: &declared.issuer, audience: None, now, leeway: LEEWAY, max_lifetime };
        verified.check(&expected).map_err(|error| error.reason())?;
        let claims = verified.claims();
        // RFC 8725 3.12: what has one of these is an ID token, a logout token or an event, whatever its `typ`.
        if ["nonce", "at_hash", "c_hash", "events"].iter().any(|name| claims.get(name).is_some()) {
            return Err("token_kind");
        }
        let service = service(claims, tokens, registry)?;
        let issued = claims.iat().map_err(|error| error.reason())?.ok_or("claim_missing")?;
        Ok(Self {
            foreigner: issuer.foreigner(&verified)?,
            service,
            scopes: scopes(claims, declared, tokens)?,
            issuer: declared.issuer.clone(),
            kid: verified.kid().to_owned(),
            id: id(text, &verified, declared, issued)?,
            bound_key: confirmation::read(claims).map_err(|error| error.reason())?,
            auth_time: claims.timestamp("auth_time").map_err(|error| error.reason())?,
            issued,
            expires: claims.exp().map_err(|error| error.reason())?.ok_or("claim_missing")?,
        })
    }

    /// What a node is told of it. `made` is when it began to be looked at.
    pub fn resolved(self, made: Timestamp) -> Resolved {
        let credential = CredentialFacts {
            kind: if self.bound_key.is_some() { CredentialKind::BoundToken } else { CredentialKind::Jwt },
            id: self.id.to_string(),
            issuer: self.issuer,
            family: None,
            session: None,
            client: None,
            key: Some(self.kid),
            bound_key: self.bound_key,
            issued: self.issued,
            expires: self.expires,
        };
        Resolved {
            kind: self.foreigner.kind,
            id: self.foreigner.id,
            roles: self.foreigner.roles,
            scopes: self.scopes,
            // What its `acr` and `amr` mean, it alone knows.
            assurance: Assurance { auth_time: self.auth_time, ..Assurance::default() },
            audience: self.service,
            limits: CredentialLimits::default(),
            credential,
            made,
            until: (self.expires + LEEWAY).min(made + HOLDS),
        }
    }
}

/// 4: "The resource server MUST validate that the aud claim contains a resource indicator value corresponding to an identifier the resource
/// server expects for itself." Of several, one could be meant for somebody else; and what is for the authority is an assertion.
fn service(claims: &Claims, tokens: &ForeignAccessTokens, registry: &dyn Registry) -> Result<String, &'static str> {
    let audience = match claims.aud().map_err(|error| error.reason())?.as_slice() {
        [only] if *only != registry.issuer() => (*only).to_owned(),
        _ => return Err("audience_mismatch"),
    };
    let service = tokens.audiences.get(&audience).ok_or("audience_mismatch")?;
    match registry.service(service) {
        Some(known) if !known.disabled => Ok(service.clone()),
        _ => Err("service_unavailable"),
    }
}

/// Those of its scopes that the issuer's subjects may have.
fn scopes(claims: &Claims, declared: &Declared, tokens: &ForeignAccessTokens) -> Result<Vec<String>, &'static str> {
    let name = &tokens.scope_claim;
    let words = match claims.get(name) {
        Some(serde_json::Value::Array(_)) => claims.strings(name),
        _ => claims.space_separated(name),
    };
    let words = words.map_err(|error| error.reason())?.unwrap_or_default();
    if words.len() > MOST_SCOPES {
        return Err("claim_malformed");
    }
    Ok(declared.scopes.iter().filter(|scope| words.contains(&scope.as_str())).cloned().collect())
}

/// Its id on our record: the same for the same `jti` of the same issuer, or else for the same text, and with the time that it was made at.
fn id(text: &str, verified: &VerifiedJwt, declared: &Declared, issued: Timestamp) -> Result<TokenId, &'static str> {
    let named = match verified.claims().jti().map_err(|error| error.reason())? {
        Some(jti) => format!("{}\0{jti}", declared.issuer),
        None => text.to_owned(),
    };
    let [_, _, time @ ..] = issued.millis().to_be_bytes();
    let mut bytes = [0; 16];
    let (head, tail) = bytes.split_at_mut(time.len());
    head.copy_from_slice(&time);
    tail.copy_from_slice(sha256(&named).as_ref().get(..tail.len()).unwrap_or_default());
    Ok(TokenId::from_bytes(bytes))
}

/// Everything that is wrong with how its access tokens are taken.
pub(crate) fn problems(issuer: &Declared, tokens: &ForeignAccessTokens) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut when = |wrong: bool, field: &str, message: String| {
        if wrong {
            problems.push(Problem { field: format!("access_tokens.{field}"), message });
        }
    };
    when(tokens.audiences.is_empty(), "audiences", "expected at least one: a token for nobody known here is none".to_owned());
    for audience in tokens.audiences.keys() {
        let both = issuer.audiences.contains(audience);
        when(both, "audiences", format!("{audience:?} is in the issuer's audiences: an assertion would be an access token"));
    }
    let ours = ["dw-id+jwt", "logout+jwt", "dpop+jwt"];
    when(tokens.types.is_empty(), "types", "expected at least one, as at+jwt".to_owned());
    for (index, typ) in tokens.types.iter().enumerate() {
        when(ours.contains(&typ.as_str()), &format!("types[{index}]"), format!("{typ:?} is no access token"));
    }
    when(tokens.scope_claim.is_empty(), "scope_claim", "expected the name of a claim".to_owned());
    let seconds = tokens.max_lifetime_seconds;
    when(!(1..=86_400).contains(&seconds), "max_lifetime_seconds", format!("{seconds} seconds, expected 1 to 86400"));
    problems
}

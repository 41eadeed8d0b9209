//! RFC 7519 and RFC 8725: JSON Web Token, from unverified text to claims that may be acted upon.

use durward_base::{Duration, Timestamp};

use crate::claims::{ClaimError, Claims};
use crate::jws::Compact;
use crate::{Algorithm, GoodSignature, HmacKey, JoseError, VerifyingKey};

/// How far two clocks may be apart, unless there is a reason for another figure.
pub const LEEWAY: Duration = Duration::from_secs(10);

/// A well-formed JWT that nobody has vouched for. It says what is needed to choose a key, and nothing else.
#[derive(Clone)]
pub struct UnverifiedJwt<'a> {
    jws: Compact<'a>,
    claims: Claims,
    issuer: Option<String>,
}

/// A JWT whose signature is good. Whether it is meant for us, and now, [`check`](Self::check) says.
#[derive(Debug, Clone)]
pub struct VerifiedJwt {
    claims: Claims,
    typ: Option<String>,
    kid: String,
    algorithm: Algorithm,
}

/// What a consumer accepts.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// The kinds of token. Compared without an `application/` in front and without regard to ASCII case, as media types are (RFC 7515
    /// section 4.1.9). The empty text stands for a token without `typ`; an empty list accepts none.
    pub typ: &'a [&'a str],
    /// The issuer, byte for byte.
    pub issuer: &'a str,
    /// One of the audiences, byte for byte; `None` where another rule decides it.
    pub audience: Option<&'a str>,
    /// The present moment.
    pub now: Timestamp,
    /// How far the issuer's clock may be off; usually [`LEEWAY`].
    pub leeway: Duration,
    /// The longest time from `iat` (without one: from now) to `exp`.
    pub max_lifetime: Option<Duration>,
}

impl<'a> UnverifiedJwt<'a> {
    /// Reads a token strictly: at most 16 KiB, three segments of canonical base64url, header and claims JSON objects without duplicate
    /// names, no `crit`, `b64`, `zip` or `jwk` in the header, a supported algorithm.
    pub fn parse(text: &'a str) -> Result<Self, JoseError> {
        let jws = Compact::parse(text)?;
        let claims = Claims::parse(&jws.payload()?)?;
        let issuer = claims.iss().map_err(|_| JoseError::IssuerMalformed)?.map(str::to_owned);
        Ok(Self { jws, claims, issuer })
    }

    /// The header's `kid`: which of the issuer's keys to try. Any text; only good for comparing.
    pub fn kid(&self) -> Option<&str> {
        self.jws.header.kid.as_deref()
    }

    /// The header's `alg`. The key decides; this is for explaining.
    pub fn algorithm(&self) -> Algorithm {
        self.jws.header.algorithm
    }

    /// The claimed `iss`: whose keys to look among.
    pub fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    /// The claimed kind of token: which consumer to ask.
    pub fn typ(&self) -> Option<&str> {
        self.jws.header.typ.as_deref()
    }

    /// Verifies the signature. The algorithm is the key's; a header that names another is refused.
    pub fn verify(self, key: &VerifyingKey) -> Result<VerifiedJwt, JoseError> {
        self.jws.verify(key.algorithm(), |message, signature| key.verifies(message, signature))?;
        Ok(self.verified(key.kid(), key.algorithm()))
    }

    /// The same for a token that may come again: what is known of its signature is not found out once more, and whatever was, is given back.
    ///
    /// # Errors
    /// As for `verify`.
    pub fn verify_once(self, key: &VerifyingKey, known: Option<&GoodSignature>) -> Result<(VerifiedJwt, GoodSignature), JoseError> {
        let text = self.jws.text;
        match known.filter(|known| known.is_of(text, key)) {
            Some(known) => Ok((self.verified(key.kid(), key.algorithm()), known.clone())),
            None => Ok((self.verify(key)?, GoodSignature::new(text, key))),
        }
    }

    /// Verifies a token under a shared secret. No public key can get here: it is of another type.
    pub fn verify_mac(self, key: &HmacKey) -> Result<VerifiedJwt, JoseError> {
        self.jws.verify(key.algorithm(), |message, signature| key.verifies(message, signature))?;
        Ok(self.verified(key.kid(), key.algorithm()))
    }

    fn verified(self, kid: &str, algorithm: Algorithm) -> VerifiedJwt {
        VerifiedJwt::new(self.claims, self.jws.header.typ, kid, algorithm)
    }
}

impl VerifiedJwt {
    /// Only for those who have verified it.
    pub(crate) fn new(claims: Claims, typ: Option<String>, kid: &str, algorithm: Algorithm) -> Self {
        Self { claims, typ, kid: kid.to_owned(), algorithm }
    }

    /// The kind of token, where it says one.
    pub fn typ(&self) -> Option<&str> {
        self.typ.as_deref()
    }

    /// The `kid` of the key that verified it.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The algorithm of the key that verified it.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// What it says.
    pub fn claims(&self) -> &Claims {
        &self.claims
    }

    /// Whether the token is of the kind, from the issuer, for the audience and within the time expected. `sub` and `jti` must be texts
    /// if they are there; whether they must be there is the consumer's to say.
    pub fn check(&self, expected: &Expected<'_>) -> Result<(), ClaimError> {
        self.must_have_typ(expected)?;
        self.must_be_from_issuer(expected)?;
        self.must_be_for_audience(expected)?;
        self.must_be_timely(expected)?;
        self.claims.sub()?;
        self.claims.jti()?;
        Ok(())
    }

    /// RFC 8725 section 3.11: explicit typing.
    fn must_have_typ(&self, expected: &Expected<'_>) -> Result<(), ClaimError> {
        let found = media_type(self.typ().unwrap_or_default());
        if expected.typ.iter().any(|typ| media_type(typ).eq_ignore_ascii_case(found)) {
            return Ok(());
        }
        let expected = expected.typ.iter().map(|typ| (*typ).to_owned()).collect();
        Err(ClaimError::TypMismatch { found: self.typ.clone(), expected })
    }

    /// RFC 8725 section 3.8.
    fn must_be_from_issuer(&self, expected: &Expected<'_>) -> Result<(), ClaimError> {
        let found = self.claims.iss()?.ok_or_else(|| missing("iss"))?;
        if found == expected.issuer {
            return Ok(());
        }
        Err(ClaimError::IssuerMismatch { found: found.to_owned(), expected: expected.issuer.to_owned() })
    }

    /// RFC 7519 section 4.1.3: if the principal does not identify itself with a value in the "aud" claim, the JWT MUST be rejected.
    fn must_be_for_audience(&self, expected: &Expected<'_>) -> Result<(), ClaimError> {
        let found = self.claims.aud()?;
        match expected.audience {
            Some(_) if self.claims.get("aud").is_none() => Err(missing("aud")),
            Some(audience) if !found.contains(&audience) => Err(ClaimError::AudienceMismatch { expected: audience.to_owned() }),
            _ => Ok(()),
        }
    }

    /// RFC 7519 sections 4.1.4 to 4.1.6: good while `nbf` and `iat` have come and `exp` has not.
    fn must_be_timely(&self, expected: &Expected<'_>) -> Result<(), ClaimError> {
        let Expected { now, leeway, max_lifetime, .. } = *expected;
        let (exp, nbf, iat) = (self.claims.exp()?.ok_or_else(|| missing("exp"))?, self.claims.nbf()?, self.claims.iat()?);
        if now >= exp + leeway {
            return Err(ClaimError::Expired { at: exp });
        }
        if let Some(at) = nbf.filter(|nbf| *nbf > now + leeway) {
            return Err(ClaimError::NotYetValid { at });
        }
        if let Some(at) = iat.filter(|iat| *iat > now + leeway) {
            return Err(ClaimError::IssuedInFuture { at });
        }
        let lifetime = exp.since(iat.unwrap_or(now));
        match max_lifetime {
            Some(limit) if lifetime > limit => Err(ClaimError::LifetimeTooLong { found: lifetime.as_secs(), limit: limit.as_secs() }),
            _ => Ok(()),
        }
    }
}

/// RFC 7515 section 4.1.9: a recipient treats a value without "/" as if "application/" were prepended.
fn media_type(typ: &str) -> &str {
    match typ.split_at_checked("application/".len()) {
        Some((prefix, rest)) if prefix.eq_ignore_ascii_case("application/") && !rest.is_empty() => rest,
        _ => typ,
    }
}

fn missing(name: &str) -> ClaimError {
    ClaimError::Missing { name: name.to_owned() }
}

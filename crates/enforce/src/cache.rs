//! Verified credentials, so that a signature is checked once. Facts are kept, not decisions (R11): whom a token is for is asked at each use,
//! and whether it still stands whenever the view has changed. Of a token that came once only its signature is kept.

mod memory;

use std::net::IpAddr;
use std::sync::Arc;

use aws_lc_rs::hmac;
use durward_base::{Duration, Rng, Timestamp};
use durward_jose::token_digest;
use durward_model::resolve::{Resolution, ResolveRequest};
use durward_model::{CredentialKind, Principal};
use durward_oauth::dpop::Admitted;

use crate::principal::{TokenError, verify};
use crate::profile::Profiles;
use crate::resolved::{self, Known, Question};
use crate::{Consumer, Evidence, Possession, PresentedToken, Refusal, Verified, View};

use memory::{Found, Key, Memory};

/// How many bytes are kept where nothing else is said.
pub const DEFAULT_BYTES: usize = 16 * 1024 * 1024;

/// A credential in a request that proves what it is bound to.
#[derive(Debug)]
pub struct Proved {
    /// The credential.
    pub verified: Arc<Verified>,
    /// What became of its DPoP proof, where it had one.
    pub admitted: Option<Admitted>,
    /// What the authority was asked about it, to be asked again by what goes on for longer than the answer holds.
    pub asked: Option<Box<ResolveRequest>>,
}

/// The credentials verified lately. A token is found by the digest of its one canonical spelling, which names its issuer and its `jti`: any
/// other spelling is another key. What is looked up may be a password, which no fast digest is kept of: a MAC under a key of this process is.
#[derive(Debug)]
pub struct CredentialCache {
    memory: Memory,
    profiles: Profiles,
    lookups: hmac::Key,
}

impl CredentialCache {
    /// An empty one of [`DEFAULT_BYTES`].
    pub fn new(rng: &Rng) -> Self {
        Self::within(DEFAULT_BYTES, rng)
    }

    /// An empty one that takes about so many bytes at most.
    pub fn within(bytes: usize, rng: &Rng) -> Self {
        let lookups = hmac::Key::new(hmac::HMAC_SHA256, &rng.bytes::<32>());
        Self { memory: Memory::within(bytes), profiles: Profiles::default(), lookups }
    }

    /// The credential that a bearer JWT is, if it counts for this consumer, here and now. One that is bound to a key counts for nobody here.
    ///
    /// # Errors
    /// `TokenError` when it does not.
    pub fn verify(&self, view: &View, consumer: &Consumer<'_>, token: &str, now: Timestamp) -> Result<Arc<Verified>, TokenError> {
        let verified = self.standing(view, consumer, token, now)?;
        // RFC 7800 section 3.1: a token with `cnf` is good for nothing without the proof it names.
        if verified.principal.credential.bound_key.is_some() { Err(TokenError::Bound) } else { Ok(verified) }
    }

    /// The credential that a JWT is, bound to a key or not, if it counts for this consumer, here and now, in a request that proves what it must.
    ///
    /// # Errors
    /// `TokenError` when it does not.
    pub fn prove(
        &self,
        view: &View,
        consumer: &Consumer<'_>,
        (token, possession): (PresentedToken<'_>, &Possession<'_>),
        now: Timestamp,
    ) -> Result<Proved, TokenError> {
        let verified = self.standing(view, consumer, token.text, now)?;
        self.proved(verified, (token, possession), now)
    }

    fn proved(
        &self,
        verified: Arc<Verified>,
        (token, possession): (PresentedToken<'_>, &Possession<'_>),
        now: Timestamp,
    ) -> Result<Proved, TokenError> {
        let Principal { realm, credential, .. } = &verified.principal;
        let admitted = possession.must_prove(credential.bound_key.as_ref(), token, realm, now)?;
        Ok(Proved { verified, admitted, asked: None })
    }

    /// The same for any credential. One that the view cannot verify is asked about, once, and again when what is known of it has come to its end.
    ///
    /// # Errors
    /// `TokenError` when it does not count.
    pub fn prove_or_ask(
        &self,
        view: &View,
        consumer: &Consumer<'_>,
        (evidence, possession): (Evidence<'_>, &Possession<'_>),
        now: Timestamp,
    ) -> Result<Known, TokenError> {
        let (kind, text) = match evidence {
            Evidence::Token(token) => match self.prove(view, consumer, (token, possession), now) {
                Err(TokenError::KeyUnknown) if resolved::is_of_another_issuer(view, consumer, token.text) => {
                    return self.prove_foreign(view, consumer, (token, possession), now);
                }
                known => return known.map(Known::Proved),
            },
            Evidence::Lookup(kind, text) => (kind, text),
        };
        let (question, known) = self.looked_at(view, consumer, (kind, text), now)?;
        Ok(match known {
            // A session is opened by its gateway: of its cookie nobody else is asked.
            Some(verified) => {
                let asked = (kind != CredentialKind::BrowserSession).then(|| Box::new(question.request()));
                Known::Proved(Proved { verified, admitted: None, asked })
            }
            None => Known::Ask(question.request()),
        })
    }

    /// A token of another issuer, which the authority is asked about, with the proof of the key that it is bound to.
    fn prove_foreign(
        &self,
        view: &View,
        consumer: &Consumer<'_>,
        (token, possession): (PresentedToken<'_>, &Possession<'_>),
        now: Timestamp,
    ) -> Result<Known, TokenError> {
        let (question, known) = self.looked_at(view, consumer, (CredentialKind::Jwt, token.text), now)?;
        let Some(verified) = known else { return Ok(Known::Ask(question.request())) };
        let proved = self.proved(verified, (token, possession), now)?;
        Ok(Known::Proved(Proved { asked: Some(Box::new(question.request())), ..proved }))
    }

    /// The question about something that only the authority can say, and what is known of it.
    fn looked_at<'a>(
        &self,
        view: &View,
        consumer: &Consumer<'a>,
        (kind, text): (CredentialKind, &'a str),
        now: Timestamp,
    ) -> Result<(Question<'a>, Option<Arc<Verified>>), TokenError> {
        let question = Question::about(view, consumer, kind, text)?;
        let known = self.known(view, question, now)?;
        known.iter().try_for_each(|known| known.must_be_for(consumer))?;
        Ok((question, known))
    }

    /// What the authority said when it was asked this, for as long as that holds.
    ///
    /// # Errors
    /// `TokenError` when it is known that the credential does not count any more.
    pub fn answered(&self, view: &View, request: &ResolveRequest, now: Timestamp) -> Result<Option<Arc<Verified>>, TokenError> {
        self.known(view, Question::of(request), now)
    }

    fn known(&self, view: &View, question: Question<'_>, now: Timestamp) -> Result<Option<Arc<Verified>>, TokenError> {
        let Some(known) = self.memory.used(&self.looked_up(&Held::by(view, question), question)) else { return Ok(None) };
        match known.must_stand(view) {
            Ok(()) => Ok((!known.is_expired(now)).then_some(known)),
            // A watermark ends what was known, and the authority says what is so since.
            Err(TokenError::Revoked { kind, .. }) if !kind.is_absolute() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Takes in what the authority said of a credential.
    ///
    /// # Errors
    /// `Refusal` when it does not count, or not any more, or was not looked at.
    pub fn take_in(&self, view: &View, request: &ResolveRequest, answer: &Resolution) -> Result<(), Refusal> {
        let question = Question::of(request);
        let key = self.looked_up(&Held::by(view, question), question);
        let resolved = match answer {
            Resolution::Proved(resolved) => resolved,
            Resolution::Refused => {
                self.memory.forget(&key);
                return Err(Refusal::Token(TokenError::Unknown));
            }
            Resolution::Throttled { seconds } => return Err(Refusal::Throttled(Duration::from_secs(*seconds))),
        };
        let mut verified = resolved::verified(&request.realm, resolved);
        verified.must_stand(view).map_err(Refusal::Token)?;
        // Wherever it comes from, it is counted once.
        let count = self.looked_up(&Held::Count, question);
        let known = self.memory.used(&count).or_else(|| self.memory.used(&key));
        known.iter().for_each(|known| verified.bounds.count_with(&known.bounds));
        let verified = Arc::new(verified.among(&self.profiles));
        if verified.bounds.are_counted() {
            self.memory.keep(count, &verified);
        }
        self.memory.keep(key, &verified);
        Ok(())
    }

    /// Takes in the access token that a browser's session stands for, as that session.
    ///
    /// # Errors
    /// `TokenError` when it does not count (any more).
    pub fn take_in_session(&self, view: &View, request: &ResolveRequest, token: &str, now: Timestamp) -> Result<(), TokenError> {
        let (verified, _) = verify(view, token, None, now)?;
        let verified = verified.into_session()?.among(&self.profiles);
        let question = Question::of(request);
        self.memory.keep(self.looked_up(&Held::by(view, question), question), &Arc::new(verified));
        Ok(())
    }

    /// Forgets every browser's session: each is asked about when it comes again.
    pub fn forget_sessions(&self) {
        self.memory.retain(|verified| verified.principal.credential.kind != CredentialKind::BrowserSession);
    }

    /// The key of what is looked up: in one realm, of one kind, presented to one service, and as the policies about issuing would have it.
    fn looked_up(&self, held: &Held, question: Question<'_>) -> Key {
        let Question { realm, kind, credential, audience, address: _ } = question;
        let mut mac = hmac::Context::with_key(&self.lookups);
        for field in [realm, audience, credential] {
            mac.update(&field.len().to_be_bytes());
            mac.update(field.as_bytes());
        }
        mac.update(&[kind as u8]);
        match held {
            Held::Anywhere => {}
            Held::Count => mac.update(b"count"),
            Held::Under { version, from } => {
                mac.update(&version.to_be_bytes());
                match from {
                    Some(IpAddr::V4(address)) => mac.update(&address.octets()),
                    Some(IpAddr::V6(address)) => mac.update(&address.octets()),
                    None => {}
                }
            }
        }
        let mut key = Key::default();
        key.copy_from_slice(mac.sign().as_ref());
        key
    }

    fn standing(&self, view: &View, consumer: &Consumer<'_>, token: &str, now: Timestamp) -> Result<Arc<Verified>, TokenError> {
        let key = token_digest(token);
        let verified = match self.memory.find(&key) {
            Found::InUse(known) => match known.must_stand(view) {
                Ok(()) if !known.is_expired(now) => known,
                stands => {
                    self.memory.forget(&key);
                    return Err(stands.err().unwrap_or(TokenError::Expired));
                }
            },
            Found::Once(signature) => {
                let (verified, _) = verify(view, token, Some(&signature), now)?;
                let verified = Arc::new(verified.among(&self.profiles));
                self.memory.keep(key, &verified);
                verified
            }
            Found::Nothing => {
                let (verified, signature) = verify(view, token, None, now)?;
                self.memory.keep_signature(&key, signature);
                Arc::new(verified.among(&self.profiles))
            }
        };
        verified.must_be_for(consumer)?;
        Ok(verified)
    }

    /// How many are in use.
    pub fn len(&self) -> usize {
        self.memory.len()
    }

    /// Whether none is in use.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// About how many bytes are kept.
    pub fn bytes(&self) -> usize {
        self.memory.bytes()
    }
}

/// Where an answer of the authority holds.
enum Held {
    /// From whatever address: no policy had a say.
    Anywhere,
    /// Under the policies about issuing of this version; from one address, where any of them reads it.
    Under { version: u64, from: Option<IpAddr> },
    /// Nowhere: only how often the credential was used counts on.
    Count,
}

impl Held {
    fn by(view: &View, question: Question<'_>) -> Self {
        // Of sessions and certificates the authority says nothing.
        let is_issued = !matches!(question.kind, CredentialKind::BrowserSession | CredentialKind::ClientCertificate);
        match view.realm(question.realm).filter(|realm| is_issued && realm.policies().concern_issuing()) {
            Some(realm) => {
                let from = question.address.filter(|_| realm.policies().issue_by_address());
                Self::Under { version: realm.policy_version().seq, from }
            }
            None => Self::Anywhere,
        }
    }
}

//! The life of a realm's signing keys: made, published, active, retiring, removed. OpenID Connect Core 10.1.1: "The signer can begin using
//! a new key at any time and signals the change to the verifier using the kid value": ours is always published before it signs.

use durward_base::{Duration, Rng, SecretBytes, Timestamp};
use durward_jose::{Algorithm, JoseError, SigningKey};
use durward_model::key::SealedKey;
use durward_model::resource::{Client, Realm};
use durward_model::{Key, KeyState, KeyUse, Write};
use durward_seal::{Context, Sealer};

use crate::protection;

/// The algorithms every realm signs with, each with an active key and the next: access tokens are of the first, and RS256 is the default of
/// OpenID Connect.
pub const ALGORITHMS: [Algorithm; 2] = [Algorithm::ES256, Algorithm::RS256];
/// How long a key signs.
const ACTIVE: Duration = Duration::from_secs(30 * 86_400);
/// How long a key is published, at least, before the schedule lets it sign: verifiers refetch within a day.
const PUBLISHED: Duration = Duration::from_secs(86_400);
/// How long a key verifies after it signed last: the longest access token, and five minutes.
const RETIRING: Duration = Duration::from_secs(3600 + 300);

/// Why a key could not be made or opened.
#[derive(Debug, thiserror::Error)]
pub enum KeyScheduleError {
    /// The cryptographic library, or the key's own form.
    #[error("the key `{kid}` cannot be used: {cause}")]
    Key {
        /// Which; `new` for one being made.
        kid: String,
        /// What is wrong.
        #[source]
        cause: JoseError,
    },
    /// It was sealed under another root key, or its row was altered.
    #[error("the private half of key `{0}` does not open under this root key")]
    Sealed(String),
}

/// One realm's keys, and what making and moving them takes.
pub struct KeySchedule<'a> {
    /// The realm's name.
    pub realm: &'a str,
    /// Its issuer.
    pub issuer: &'a str,
    /// Seals private halves: derived for signing, for this realm.
    pub sealer: &'a Sealer,
    /// Where new keys' sealing draws its nonces from.
    pub rng: &'a Rng,
    /// The present moment.
    pub now: Timestamp,
}

/// The algorithms that a realm holds keys of because of what is declared, beside [`ALGORITHMS`].
pub fn demanded<'a>(realm: &Realm, clients: impl IntoIterator<Item = &'a Client>) -> Vec<Algorithm> {
    let of_realm = realm.signing_algorithms.iter().filter_map(|name| name.parse().ok());
    let of_clients = clients.into_iter().flat_map(protection::asked_for);
    let mut demanded: Vec<Algorithm> = Vec::new();
    for algorithm in of_realm.chain(of_clients).filter(|algorithm| protection::SIGNING.contains(algorithm)) {
        if !demanded.contains(&algorithm) {
            demanded.push(algorithm);
        }
    }
    demanded
}

impl KeySchedule<'_> {
    /// What is due: the first keys of a realm that has none, rotation after thirty days, removal of what no living token needs. Making an RSA key
    /// takes a tenth of a second.
    ///
    /// # Errors
    /// When a key cannot be made.
    pub fn due(&self, keys: &[Key]) -> Result<Vec<Write>, KeyScheduleError> {
        self.due_for(keys, &[])
    }

    /// As [`due`](Self::due), and the first keys of what is demanded. An algorithm that there ever was a key of stays.
    ///
    /// # Errors
    /// When a key cannot be made.
    pub fn due_for(&self, keys: &[Key], demanded: &[Algorithm]) -> Result<Vec<Write>, KeyScheduleError> {
        let mut writes = Vec::new();
        for key in self.own(keys).filter(|key| key.state == KeyState::Retiring && self.now >= key.since + RETIRING) {
            writes.push(self.advance(key, KeyState::Removed));
        }
        for algorithm in self.algorithms(keys, demanded) {
            match (self.in_state(keys, algorithm, KeyState::Active), self.in_state(keys, algorithm, KeyState::Published)) {
                (None, None) => {
                    writes.push(self.make(algorithm, KeyState::Active)?);
                    writes.push(self.make(algorithm, KeyState::Published)?);
                }
                (Some(_), None) => writes.push(self.make(algorithm, KeyState::Published)?),
                (None, Some(next)) => {
                    writes.push(self.advance(next, KeyState::Active));
                    writes.push(self.make(algorithm, KeyState::Published)?);
                }
                (Some(active), Some(next)) if self.now >= active.since + ACTIVE && self.now >= next.since + PUBLISHED => {
                    writes.extend(self.succeed(active, next, algorithm)?);
                }
                (Some(_), Some(_)) => {}
            }
        }
        Ok(writes)
    }

    /// Lets the next key of every algorithm sign from now on, and publishes one more behind it.
    ///
    /// # Errors
    /// When a key cannot be made.
    pub fn rotate(&self, keys: &[Key]) -> Result<Vec<Write>, KeyScheduleError> {
        let mut writes = Vec::new();
        for algorithm in self.algorithms(keys, &[]) {
            let active = self.in_state(keys, algorithm, KeyState::Active);
            if let (Some(active), Some(next)) = (active, self.in_state(keys, algorithm, KeyState::Published)) {
                writes.extend(self.succeed(active, next, algorithm)?);
            }
        }
        Ok(writes)
    }

    /// Opens the private half of a key.
    ///
    /// # Errors
    /// When it was sealed under another root key, or is none of ours.
    pub fn open(&self, key: &SealedKey) -> Result<SigningKey, KeyScheduleError> {
        let kid = &key.key.kid;
        let wrong = |cause| KeyScheduleError::Key { kid: kid.clone(), cause };
        let foreign = || KeyScheduleError::Sealed(kid.clone());
        let private = self.sealer.open(&context(kid), key.sealed.as_ref().ok_or_else(foreign)?.expose()).map_err(|_| foreign())?;
        SigningKey::from_pkcs8(key.key.algorithm.parse().map_err(wrong)?, private.expose()).map_err(wrong)
    }

    fn succeed(&self, active: &Key, next: &Key, algorithm: Algorithm) -> Result<[Write; 3], KeyScheduleError> {
        let published = self.make(algorithm, KeyState::Published)?;
        Ok([self.advance(active, KeyState::Retiring), self.advance(next, KeyState::Active), published])
    }

    fn advance(&self, key: &Key, to: KeyState) -> Write {
        Write::MoveKey { kid: key.kid.clone(), from: key.state, to, at: self.now }
    }

    fn make(&self, algorithm: Algorithm, state: KeyState) -> Result<Write, KeyScheduleError> {
        let signing = SigningKey::generate(algorithm).map_err(|cause| KeyScheduleError::Key { kid: "new".to_owned(), cause })?;
        let sealed = self.sealer.seal(&context(signing.kid()), signing.to_pkcs8().expose(), self.rng);
        let key = Key {
            kid: signing.kid().to_owned(),
            realm: self.realm.to_owned(),
            issuer: self.issuer.to_owned(),
            key_use: KeyUse::Token,
            algorithm: algorithm.to_string(),
            state,
            since: self.now,
            jwk: serde_json::json!(signing.jwk()),
        };
        Ok(Write::PutKey(Box::new(SealedKey { key, sealed: Some(SecretBytes::new(sealed)) })))
    }

    fn algorithms(&self, keys: &[Key], demanded: &[Algorithm]) -> Vec<Algorithm> {
        let held = |algorithm: &Algorithm| self.own(keys).any(|key| key.algorithm == algorithm.name());
        let wanted = |algorithm: &Algorithm| ALGORITHMS.contains(algorithm) || demanded.contains(algorithm) || held(algorithm);
        Algorithm::ASYMMETRIC.into_iter().filter(wanted).collect()
    }

    fn own<'k>(&self, keys: &'k [Key]) -> impl Iterator<Item = &'k Key> + use<'k, '_> {
        let issuer = self.issuer;
        keys.iter().filter(move |key| key.key_use == KeyUse::Token && key.issuer == issuer)
    }

    /// The key of this algorithm and state that has been there longest.
    fn in_state<'k>(&self, keys: &'k [Key], algorithm: Algorithm, state: KeyState) -> Option<&'k Key> {
        let algorithm = algorithm.to_string();
        self.own(keys).filter(|key| key.algorithm == algorithm && key.state == state).min_by_key(|key| key.since)
    }
}

fn context(kid: &str) -> Context {
    Context::new("signing key").with(kid)
}

#[cfg(test)]
mod tests {
    use durward_base::{Entropy, EntropyError};
    use durward_seal::{Purpose, RootKey};

    use super::*;

    struct Sevens;

    impl Entropy for Sevens {
        fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
            bytes.fill(7);
            Ok(())
        }
    }

    fn apply(keys: &mut Vec<Key>, writes: Vec<Write>) {
        for write in writes {
            match write {
                Write::PutKey(sealed) => keys.push(sealed.key),
                Write::MoveKey { kid, from, to, at } => {
                    let key = keys.iter_mut().find(|key| key.kid == kid).unwrap();
                    assert!(key.state == from && from.may_become(to));
                    (key.state, key.since) = (to, at);
                }
                other => panic!("{other:?}"),
            }
        }
    }

    fn states(keys: &[Key]) -> Vec<(KeyState, usize)> {
        [KeyState::Published, KeyState::Active, KeyState::Retiring, KeyState::Removed]
            .map(|state| (state, keys.iter().filter(|key| key.state == state).count()))
            .into()
    }

    #[test]
    fn a_realm_always_has_one_active_key_and_the_next_of_each_algorithm() {
        let rng = Rng::new(Sevens);
        let sealer = RootKey::generate(&rng).derive(Purpose::Signing, None).sealer();
        let at = |now| KeySchedule { realm: "main", issuer: "https://a/realms/main", sealer: &sealer, rng: &rng, now };
        let start = Timestamp::from_seconds(1_000_000);
        let mut keys = Vec::new();
        let writes = at(start).due(&keys).unwrap();
        apply(&mut keys, writes);
        assert_eq!(states(&keys), [(KeyState::Published, 2), (KeyState::Active, 2), (KeyState::Retiring, 0), (KeyState::Removed, 0)]);
        assert!(at(start + ACTIVE - Duration::from_secs(1)).due(&keys).unwrap().is_empty());

        let writes = at(start + ACTIVE).due(&keys).unwrap();
        apply(&mut keys, writes);
        assert_eq!(states(&keys), [(KeyState::Published, 2), (KeyState::Active, 2), (KeyState::Retiring, 2), (KeyState::Removed, 0)]);

        let writes = at(start + ACTIVE + RETIRING).due(&keys).unwrap();
        apply(&mut keys, writes);
        assert_eq!(states(&keys), [(KeyState::Published, 2), (KeyState::Active, 2), (KeyState::Retiring, 0), (KeyState::Removed, 2)]);

        let writes = at(start + ACTIVE + RETIRING).rotate(&keys).unwrap();
        apply(&mut keys, writes);
        assert_eq!(states(&keys), [(KeyState::Published, 2), (KeyState::Active, 2), (KeyState::Retiring, 2), (KeyState::Removed, 2)]);
    }

    #[test]
    fn a_key_of_another_algorithm_is_made_when_it_is_asked_for_and_then_kept() {
        let rng = Rng::new(Sevens);
        let sealer = RootKey::generate(&rng).derive(Purpose::Signing, None).sealer();
        let schedule =
            KeySchedule { realm: "main", issuer: "https://a/realms/main", sealer: &sealer, rng: &rng, now: Timestamp::default() };
        let asks = |name: &str| Client { id_token_signed_response_alg: Some(name.to_owned()), ..Client::default() };
        let realm = Realm { signing_algorithms: vec!["EdDSA".to_owned()], ..Realm::named("main") };
        let demanded = demanded(&realm, &[asks("ES384"), asks("RS256"), asks("HS256"), asks("ES384"), Client::default()]);
        assert_eq!(demanded, [Algorithm::EdDSA, Algorithm::ES384, Algorithm::RS256]);
        let mut keys = Vec::new();
        let of = |keys: &[Key], name: &str| keys.iter().filter(|key| key.algorithm == name).count();

        apply(&mut keys, schedule.due(&[]).unwrap());
        assert_eq!((of(&keys, "ES256"), of(&keys, "RS256"), keys.len()), (2, 2, 4));
        let writes = schedule.due_for(&keys, &demanded).unwrap();
        apply(&mut keys, writes);
        assert_eq!((of(&keys, "ES384"), of(&keys, "EdDSA"), keys.len()), (2, 2, 8));
        let writes = schedule.rotate(&keys).unwrap();
        apply(&mut keys, writes);
        assert_eq!(states(&keys), [(KeyState::Published, 4), (KeyState::Active, 4), (KeyState::Retiring, 4), (KeyState::Removed, 0)]);
        assert!(schedule.due(&keys).unwrap().is_empty(), "nobody asks for them now, but they stay");
    }

    #[test]
    fn a_sealed_key_opens_under_its_own_kid_only() {
        let rng = Rng::new(Sevens);
        let sealer = RootKey::generate(&rng).derive(Purpose::Signing, None).sealer();
        let schedule = KeySchedule { realm: "main", issuer: "https://a", sealer: &sealer, rng: &rng, now: Timestamp::default() };
        let Write::PutKey(mut sealed) = schedule.make(Algorithm::ES256, KeyState::Active).unwrap() else { panic!("a key is made") };
        assert_eq!(schedule.open(&sealed).unwrap().kid(), sealed.key.kid);
        sealed.key.kid.push('x');
        assert!(schedule.open(&sealed).is_err());
    }
}

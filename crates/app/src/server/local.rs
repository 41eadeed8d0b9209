//! Keys of this process alone, kept sealed in its data directory: the gateway's, and the journal's.

use std::path::Path;

use anyhow::Context as _;
use durward_audit::NoteKey;
use durward_base::{EventId, Rng, SecretBytes, Timestamp};
use durward_enforce::{IdentityIssuer, gateway_issuer};
use durward_jose::{Algorithm, SigningKey};
use durward_model::key::SealedKey;
use durward_model::{Event, EventKind, Key, KeyState, KeyUse, Outcome, Write};
use durward_seal::{Context, Purpose, RootKey};
use durward_store::{CommitError, Store};

use super::root::write_private;

/// The name of the authority's log in its checkpoints.
const JOURNAL: &str = "durward/authority";

/// The key that signs the journal's checkpoints.
pub fn journal_key(data: &Path, root: &RootKey, rng: &Rng) -> anyhow::Result<NoteKey> {
    let made = || Ok(NoteKey::generate(JOURNAL)?.1);
    let private = kept(&data.join("journal.key"), Purpose::Audit, root, rng, made)?;
    Ok(NoteKey::from_pkcs8(JOURNAL, &private)?)
}

/// The gateway's key, made here and known to the authority by its public half only.
pub fn gateway_key(name: &str, public_url: &str, data: &Path, root: &RootKey, rng: &Rng) -> anyhow::Result<IdentityIssuer> {
    let made = || Ok(SigningKey::generate(Algorithm::ES256)?.to_pkcs8());
    let private = kept(&data.join(format!("gateway-{name}.key")), Purpose::Signing, root, rng, made)?;
    let key = SigningKey::from_pkcs8(Algorithm::ES256, private.expose())?;
    Ok(IdentityIssuer::new(gateway_issuer(public_url, name), key))
}

/// Registers the gateway's public key, so that services accept what it signs. A key that is registered stays as it is.
pub async fn enrol(store: &Store, realm: &str, identity: &IdentityIssuer, now: Timestamp, rng: &Rng) -> anyhow::Result<()> {
    let signing = identity.key();
    let key = Key {
        kid: signing.kid().to_owned(),
        realm: realm.to_owned(),
        issuer: identity.issuer().to_owned(),
        key_use: KeyUse::Identity,
        algorithm: signing.algorithm().to_string(),
        state: KeyState::Active,
        since: now,
        jwk: serde_json::to_value(signing.jwk())?,
    };
    let mut event = Event::new(EventId::new(now, rng), now, "authority".into(), EventKind::KeyChanged);
    event.outcome = Outcome::Changed;
    event.realm = Some(realm.into());
    event.target = Some(format!("key/{}", key.kid));
    match store.commit(&[Write::PutKey(Box::new(SealedKey { key, sealed: None }))], event).await {
        Ok(_) | Err(CommitError::Conflict { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// The private key in a file, sealed under the root key; made when there is no file.
fn kept(
    path: &Path,
    purpose: Purpose,
    root: &RootKey,
    rng: &Rng,
    make: impl FnOnce() -> anyhow::Result<SecretBytes>,
) -> anyhow::Result<SecretBytes> {
    let sealer = root.derive(purpose, None).sealer();
    let context = Context::new("local key").with(path.file_name().unwrap_or_default().as_encoded_bytes());
    if path.exists() {
        let sealed = std::fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
        return sealer
            .open(&context, &sealed)
            .with_context(|| format!("{} does not open under this root key: remove it to make a new one", path.display()));
    }
    let made = make()?;
    write_private(path, &sealer.seal(&context, made.expose(), rng))?;
    Ok(made)
}

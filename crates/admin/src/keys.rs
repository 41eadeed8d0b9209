//! Moving a realm's signing keys on, ahead of their schedule.

use durward_base::{RealmId, Timestamp};
use durward_model::{Event, Key, KeyState, KeyUse, Outcome, Revocation, RevocationKind, Write};
use durward_net::Recorder;
use durward_oauth::key_schedule::{KeySchedule, KeyScheduleError};

use crate::{Admin, Refused};

/// How often a commit that meets another's is decided again.
const ATTEMPTS: usize = 3;

impl Admin {
    /// The public sides of a realm's keys, gateways' among them, the oldest first.
    pub(crate) async fn keys(&self, realm: &str) -> Result<Vec<Key>, Refused> {
        self.realm_id(realm).await?;
        Ok(self.store().sealed_keys(realm).await?.into_iter().map(|sealed| sealed.key).collect())
    }

    /// Lets the next key of each algorithm sign from now on. It was published when the one before began to sign, so every node knows it.
    ///
    /// However many ask for it at the same moment, one rotation answers them all: a key that signs no more has made way for all of them.
    pub(crate) async fn rotate(&self, realm: &str, recorder: &Recorder) -> Result<Vec<Key>, Refused> {
        let id = self.realm_id(realm).await?;
        let seen = self.keys(realm).await?;
        let mut keys = seen.clone();
        for _ in 0..ATTEMPTS {
            if active(&keys) != active(&seen) {
                return Ok(keys);
            }
            let (now, known) = (self.now(), keys.clone());
            let writes = self.scheduled(realm, id, now, move |schedule| schedule.rotate(&known)).await?;
            match self.commit(&writes, told(recorder, format!("realm/{realm}"), "rotated")).await {
                Err(Refused::Conflict) => keys = self.keys(realm).await?,
                done => {
                    done?;
                    recorder.committed();
                    return self.keys(realm).await;
                }
            }
        }
        Err(Refused::Conflict)
    }

    /// Takes a key out of use at once, and with it everything it ever signed. When it was the one that signs, the next one takes its place.
    pub(crate) async fn revoke_key(&self, realm: &str, kid: &str, recorder: &Recorder) -> Result<Vec<Key>, Refused> {
        let id = self.realm_id(realm).await?;
        for _ in 0..ATTEMPTS {
            let mut keys = self.keys(realm).await?;
            let now = self.now();
            let key = keys.iter_mut().find(|key| key.kid == kid).ok_or_else(|| Refused::no("key", kid))?;
            let mut writes = vec![Write::Revoke(Revocation::new(realm, RevocationKind::Key, kid, now, "revoked"))];
            if key.state != KeyState::Removed {
                writes.push(Write::MoveKey { kid: kid.to_owned(), from: key.state, to: KeyState::Removed, at: now });
                key.state = KeyState::Removed;
            }
            if key.key_use == KeyUse::Token {
                writes.extend(self.scheduled(realm, id, now, move |schedule| schedule.due(&keys)).await?);
            }
            match self.commit(&writes, told(recorder, format!("key/{kid}"), "revoked")).await {
                Err(Refused::Conflict) => {}
                done => {
                    done?;
                    recorder.committed();
                    return self.keys(realm).await;
                }
            }
        }
        Err(Refused::Conflict)
    }

    /// What the schedule of a realm's keys answers, worked out off the threads that answer requests: an RSA key takes a tenth of a second.
    async fn scheduled<F>(&self, realm: &str, id: RealmId, now: Timestamp, ask: F) -> Result<Vec<Write>, Refused>
    where
        F: FnOnce(&KeySchedule<'_>) -> Result<Vec<Write>, KeyScheduleError> + Send + 'static,
    {
        let (realm, issuer, sealer, rng) = (realm.to_owned(), self.issuer(realm), self.sealer(id), self.settings.rng.clone());
        let work = move || ask(&KeySchedule { realm: &realm, issuer: &issuer, sealer: &sealer, rng: &rng, now });
        let failed = |error: &dyn std::fmt::Display| Refused::Failed(error.to_string());
        tokio::task::spawn_blocking(work).await.map_err(|error| failed(&error))?.map_err(|error| failed(&error))
    }
}

fn active(keys: &[Key]) -> Vec<&str> {
    let signs = |key: &&Key| key.key_use == KeyUse::Token && key.state == KeyState::Active;
    let mut kids: Vec<&str> = keys.iter().filter(signs).map(|key| key.kid.as_str()).collect();
    kids.sort_unstable();
    kids
}

fn told(recorder: &Recorder, target: String, detail: &str) -> Event {
    let mut event = recorder.event();
    event.outcome = Outcome::Changed;
    event.target = Some(target);
    event.detail = Some(detail.to_owned());
    if let Some(request) = &mut event.request {
        request.status = 200;
    }
    event
}

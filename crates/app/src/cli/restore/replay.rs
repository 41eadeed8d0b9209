//! What was ended after a backup was taken stays ended: the journal tells of it, and is replayed over the store that is put back. Where it
//! cannot tell, everything ends that could have been ended.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use durward_audit::Query;
use durward_base::{ClientId, Clock, Duration, FamilyId, KeyId, PersonId, Rng, SessionId, Timestamp, TokenId};
use durward_feed::Snapshot;
use durward_model::{
    ClientSecret, Consent, Event, EventKind, KeyState, Outcome, Resource, ResourceKind, Revocation, RevocationKind, Stored, Write,
};
use durward_node::{Journal, JournalSettings};
use durward_seal::RootKey;
use durward_store::Store;

use crate::server::local::journal_key;

/// The node whose journal it is.
const NODE: &str = "authority";
/// How long before the backup's last event something may have begun that was done after it.
const LATE: Duration = Duration::from_secs(300);
/// The most changes that are replayed; after more than that everything ends.
const MOST: usize = 1_000_000;
/// Why, as in `Revocation::reason`.
const REASON: &str = "restored";

/// The changes that the journal tells of and the restored store does not know, the oldest first.
///
/// # Errors
/// Why the journal cannot tell.
pub async fn since_backup(store: &Store, data: &Path, root: &RootKey, (clock, rng): (&Clock, &Rng)) -> anyhow::Result<Vec<Event>> {
    let directory = data.join("journal");
    ensure!(directory.is_dir() && data.join("journal.key").is_file(), "there is no journal in {}", data.display());
    let journal = Journal::open(JournalSettings::new(directory, NODE.into(), journal_key(data, root, rng)?), clock.clone(), rng.clone())?;
    let changes = of(&journal, store).await;
    journal.close().await;
    changes
}

async fn of(journal: &Journal, store: &Store) -> anyhow::Result<Vec<Event>> {
    journal.verify().await?;
    let last = store.events(&Query::default(), 1).await?.pop().context("the backup has no event that says when it was taken")?;
    let same = journal.find(Query { event: Some(last.id), ..Query::default() }, 1).await?;
    ensure!(!same.is_empty(), "the journal does not reach back to the backup");
    let from = last.time - LATE;
    let mut changes = journal.changes(from, MOST).await?;
    ensure!(changes.len() < MOST, "more has changed since than can be replayed");
    let known = store.events(&Query { from: Some(from), ..Query::default() }, durward_store::EVENTS_PAGE).await?;
    let known: BTreeSet<_> = known.into_iter().map(|event| event.id).collect();
    changes.retain(|event| !known.contains(&event.id));
    changes.reverse();
    Ok(changes)
}

/// What it takes to end and disable again what these changes ended and disabled.
///
/// # Errors
/// When the store cannot be read.
pub async fn again(store: &Store, snapshot: &Snapshot, changes: &[Event], now: Timestamp) -> anyhow::Result<Again> {
    let mut replay =
        Replay { store, snapshot, now, writes: Vec::new(), people: BTreeSet::new(), disabled: BTreeMap::new(), without: BTreeSet::new() };
    let mut generations = BTreeMap::new();
    for event in changes {
        let Some(realm) = event.realm.as_deref() else { continue };
        if let (Some(family), Some(generation)) = (family(event), event.chain.generation) {
            let newest: &mut u32 = generations.entry((realm, family)).or_default();
            *newest = generation.max(*newest);
        }
        replay.one(realm, event).await?;
    }
    let ahead = |((realm, family), generation): ((&str, FamilyId), u32)| Write::AdoptGeneration {
        realm: realm.to_owned(),
        family,
        generation,
        at: now,
    };
    replay.writes.extend(generations.into_iter().map(ahead));
    let disabled = replay.disable().await?;
    Ok(Again { writes: replay.writes, disabled, without: replay.without })
}

/// Ends every login, every personal access token and every API key.
///
/// # Errors
/// When the store cannot be read.
pub async fn end_all(store: &Store, snapshot: &Snapshot, now: Timestamp) -> anyhow::Result<Vec<Write>> {
    let mut writes = Vec::new();
    for (realm, ..) in snapshot.resources().keys().filter(|(_, kind, _)| *kind == ResourceKind::Realm) {
        let mut last = None;
        loop {
            let keys = store.api_keys(realm, last, now).await?;
            let Some(newest) = keys.last() else { break };
            last = Some(newest.id);
            writes.extend(keys.iter().map(|key| Write::EndApiKey { realm: realm.clone(), key: key.id, at: now }));
        }
        let mut after = None;
        loop {
            let page = store.people(realm, after.as_ref(), durward_store::PEOPLE_PAGE).await?;
            for person in page.people {
                writes.push(Write::EndSessionsOf { realm: realm.clone(), person: person.id, at: now, reason: REASON });
                let end = |token: TokenId| Write::EndPersonalToken { realm: realm.clone(), person: person.id, token, at: now };
                writes.extend(store.personal_tokens_of(realm, person.id, now).await?.into_iter().map(|token| end(token.id)));
            }
            match page.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
    }
    Ok(writes)
}

/// What is done again.
pub struct Again {
    /// The writes.
    pub writes: Vec<Write>,
    /// What is disabled by them, as `person/alice`.
    pub disabled: Vec<String>,
    /// What had a new password or secret, which is lost, and keeps no older one, as `person/alice`.
    pub without: BTreeSet<String>,
}

struct Replay<'a> {
    store: &'a Store,
    snapshot: &'a Snapshot,
    now: Timestamp,
    writes: Vec<Write>,
    /// Whose logins end.
    people: BTreeSet<PersonId>,
    /// Whether what is named was disabled or deleted when it was last changed.
    disabled: BTreeMap<(String, ResourceKind, String), bool>,
    /// What keeps no password or secret of before.
    without: BTreeSet<String>,
}

impl Replay<'_> {
    async fn one(&mut self, realm: &str, event: &Event) -> anyhow::Result<()> {
        let replayed = |reason: &String| reason.ends_with(".reused") || reason.ends_with(".replayed");
        if event.outcome == Outcome::Denied && event.reason.as_ref().is_some_and(replayed) {
            self.writes.extend(family(event).map(|family| self.end_family(realm, family)));
        }
        // A login that took the place of another is allowed like any.
        let target = event.target.as_deref().unwrap_or_default();
        if event.outcome != Outcome::Changed && !(event.outcome == Outcome::Allowed && target.starts_with("session/")) {
            return Ok(());
        }
        for target in target.split(' ') {
            if let Some((what, name)) = target.split_once('/') {
                self.ended(realm, (what, name), event).await?;
            }
        }
        for word in event.detail.as_deref().unwrap_or_default().split(' ') {
            self.changed(realm, word).await?;
        }
        Ok(())
    }

    /// What an event that changed `what` of this name ended.
    async fn ended(&mut self, realm: &str, (what, name): (&str, &str), event: &Event) -> anyhow::Result<()> {
        let owned = realm.to_owned();
        match what {
            "session" => {
                let end = |session: SessionId| Write::EndSession { realm: owned, session, at: self.now, reason: REASON };
                self.writes.extend(name.parse().ok().map(end));
            }
            "family" => self.writes.extend(name.parse().ok().map(|family| self.end_family(realm, family))),
            "person" => {
                self.end_logins(realm, name).await?;
                self.superseded_password(realm, name, event).await?;
            }
            "personal_token" => {
                let Ok(token) = name.parse() else { return Ok(()) };
                let found = self.store.personal_token(realm, token).await?;
                let end = found.map(|found| Write::EndPersonalToken { realm: owned, person: found.person.id, token, at: self.now });
                self.writes.extend(end);
            }
            "api_key" => {
                let Ok(key) = name.parse() else { return Ok(()) };
                let known = self.store.api_key(realm, key).await?;
                self.writes.extend(known.map(|_| Write::EndApiKey { realm: owned, key, at: self.now }));
            }
            "consent" => self.end_consents(realm, name, event).await?,
            "client" => {
                self.writes.extend(self.deleted_secret(realm, event));
                self.superseded_secrets(realm, name, event);
            }
            "key" if event.detail.as_deref() == Some("revoked") => self.revoke_key(realm, name).await?,
            _ => {}
        }
        Ok(())
    }

    /// A word of a plan that was applied: `~role/clerk`; `!` is what was disabled, `-` what was deleted.
    async fn changed(&mut self, realm: &str, word: &str) -> anyhow::Result<()> {
        let known = |sign: &char| "+~!-".contains(*sign);
        let Some(sign) = word.chars().next().filter(known) else { return Ok(()) };
        let Some((kind, name)) = word.get(1..).and_then(|word| word.split_once('/')) else { return Ok(()) };
        let Some(kind) = ResourceKind::from_name(kind) else { return Ok(()) };
        if kind == ResourceKind::Person {
            self.end_logins(realm, name).await?;
        }
        self.disabled.insert((realm.to_owned(), kind, name.to_owned()), "!-".contains(sign));
        Ok(())
    }

    async fn end_logins(&mut self, realm: &str, username: &str) -> anyhow::Result<()> {
        let Some(found) = self.store.person_by_username(realm, username).await? else { return Ok(()) };
        if self.people.insert(found.person.id) {
            self.writes.push(Write::EndSessionsOf { realm: realm.to_owned(), person: found.person.id, at: self.now, reason: REASON });
        }
        Ok(())
    }

    /// Whose consent it was is the caller of the event; which client, its target.
    async fn end_consents(&mut self, realm: &str, client: &str, event: &Event) -> anyhow::Result<()> {
        let Some(caller) = &event.caller else { return Ok(()) };
        let Some(person) = self.store.person_by_sub(realm, &caller.id).await? else { return Ok(()) };
        let named = self.snapshot.resource(realm, ResourceKind::Client, client).map(|stored| ClientId::from_bytes(stored.id.to_bytes()));
        let consents = self.store.consents_of(realm, person.id).await?;
        // One of a client that is gone is named by its id.
        let is_named = |consent: &Consent| consent.client_name == client || consent.client.to_string() == client;
        let ended = consents.into_iter().filter(|consent| Some(consent.client) == named || is_named(consent));
        self.writes.extend(ended.map(|consent| Write::EndConsent {
            realm: realm.to_owned(),
            person: person.id,
            client: consent.client,
            audience: consent.audience,
            at: self.now,
        }));
        Ok(())
    }

    /// A secret that was deleted, by the address it was deleted at.
    fn deleted_secret(&self, realm: &str, event: &Event) -> Option<Write> {
        let request = event.request.as_ref().filter(|request| request.method == "DELETE")?;
        let secret: KeyId = request.path.rsplit_once("/secrets/")?.1.parse().ok()?;
        let lives = |end: Option<Timestamp>| end.is_none_or(|end| end > self.now);
        let known = self.snapshot.client_secrets().values().any(|known| known.id == secret && lives(known.expires));
        known.then(|| Write::ExpireClientSecret { realm: realm.to_owned(), secret, at: self.now })
    }

    /// A password that was changed: the new one is lost, and whoever knew the old one is not to be let in by it again.
    async fn superseded_password(&mut self, realm: &str, username: &str, event: &Event) -> anyhow::Result<()> {
        if !event.request.as_ref().is_some_and(|request| request.method == "PUT" && request.path.ends_with("/password")) {
            return Ok(());
        }
        let Some(found) = self.store.person_by_username(realm, username).await? else { return Ok(()) };
        if self.without.insert(format!("person/{username}")) {
            self.writes.push(Write::SetPassword { realm: realm.to_owned(), person: found.person.id, hash: None });
        }
        Ok(())
    }

    /// The secrets of a client that was given a new one.
    fn superseded_secrets(&mut self, realm: &str, client: &str, event: &Event) {
        let made = event.kind == EventKind::ClientSecretChanged && event.request.as_ref().is_some_and(|request| request.method == "POST");
        let Some(stored) = self.snapshot.resource(realm, ResourceKind::Client, client).filter(|_| made) else { return };
        let id = ClientId::from_bytes(stored.id.to_bytes());
        let live = |secret: &&Arc<ClientSecret>| secret.client == id && secret.expires.is_none_or(|end| end > self.now);
        if self.without.insert(format!("client/{client}")) {
            let end = |secret: &Arc<ClientSecret>| Write::ExpireClientSecret { realm: realm.to_owned(), secret: secret.id, at: self.now };
            self.writes.extend(self.snapshot.client_secrets().values().filter(live).map(end));
        }
    }

    async fn revoke_key(&mut self, realm: &str, kid: &str) -> anyhow::Result<()> {
        self.writes.push(Write::Revoke(Revocation::new(realm, RevocationKind::Key, kid, self.now, REASON)));
        let keys = self.store.sealed_keys(realm).await?;
        let known = keys.into_iter().map(|sealed| sealed.key).find(|key| key.kid == kid && key.state != KeyState::Removed);
        self.writes.extend(known.map(|key| Write::MoveKey { kid: key.kid, from: key.state, to: KeyState::Removed, at: self.now }));
        Ok(())
    }

    fn end_family(&self, realm: &str, family: FamilyId) -> Write {
        Write::EndFamily { realm: realm.to_owned(), family, at: self.now, reason: REASON }
    }

    /// Disables again what was disabled. What was deleted may be needed by what the backup has, and is disabled too.
    async fn disable(&mut self) -> anyhow::Result<Vec<String>> {
        let mut names = Vec::new();
        for ((realm, kind, name), _) in std::mem::take(&mut self.disabled).into_iter().filter(|(_, disabled)| *disabled) {
            let write = match kind {
                ResourceKind::Person => self.disabled_person(&realm, &name).await?,
                _ => self.disabled_resource(&realm, kind, &name),
            };
            if let Some(write) = write {
                self.writes.push(write);
                names.push(format!("{}/{name}", kind.name()));
            }
        }
        Ok(names)
    }

    async fn disabled_person(&self, realm: &str, username: &str) -> anyhow::Result<Option<Write>> {
        let found = self.store.person_by_username(realm, username).await?.map(|found| found.person).filter(|person| !person.disabled);
        Ok(found.map(|person| Write::UpdatePerson(durward_model::Person { disabled: true, version: person.version + 1, ..person })))
    }

    fn disabled_resource(&self, realm: &str, kind: ResourceKind, name: &str) -> Option<Write> {
        let mut stored = Stored::clone(self.snapshot.resource(realm, kind, name)?);
        let disabled = match &mut stored.resource {
            Resource::Client(client) => &mut client.disabled,
            Resource::Service(service) => &mut service.disabled,
            Resource::TrustedIssuer(issuer) => &mut issuer.disabled,
            // These cannot be disabled: what of them was deleted is back, and stands in the journal.
            _ => return None,
        };
        if std::mem::replace(disabled, true) {
            return None;
        }
        let expected = Some(stored.version);
        stored.version += 1;
        Some(Write::PutResource { stored: Box::new(stored), expected })
    }
}

fn family(event: &Event) -> Option<FamilyId> {
    event.chain.family.as_deref()?.parse().ok()
}

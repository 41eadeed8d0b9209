//! From the resources asked for to the batch that makes them so: load, compare, validate whole, commit.

use std::collections::{BTreeMap, BTreeSet};

use durward_base::{RealmId, Secret};
use durward_feed::Snapshot;
use durward_model::resource::ClientAuthentication;
use durward_model::{AdminRole, Event, Outcome, Resource, ResourceKind, Write};
use durward_oauth::builtin::MAIN_REALM;
use durward_oauth::key_schedule::KeySchedule;

use crate::people::all_people;
use crate::plan::consequences::Writer;
use crate::plan::draft::{Asked, Change, Current, Draft};
use crate::plan::faults;
use crate::{Admin, Apply, Fault, Plan, Refused, escalation};

/// The most resources of one request.
const MOST_RESOURCES: usize = 5_000;
/// The most passwords of one request: each costs a hash.
const MOST_PASSWORDS: usize = 200;
/// How often a commit that meets another's is decided again.
const ATTEMPTS: usize = 3;

impl Admin {
    /// Makes a realm have these resources. `event` is committed with the change, where there is one.
    pub(crate) async fn apply(&self, realm: &str, apply: Apply, role: AdminRole, event: Event) -> Result<Plan, Refused> {
        let Apply { resources, secrets, passwords, prune, dry_run } = apply;
        well_formed(&resources, &secrets, &passwords)?;
        let passwords = self.hashed(realm, passwords, role).await?;
        let asked = Asked { resources, secrets, passwords, delete: Vec::new(), prune };
        self.change(realm, &asked, dry_run, role, event).await
    }

    /// Deletes one resource.
    pub(crate) async fn delete(&self, realm: &str, kind: ResourceKind, name: &str, role: AdminRole, event: Event) -> Result<Plan, Refused> {
        let asked = Asked {
            resources: Vec::new(),
            secrets: BTreeMap::new(),
            passwords: BTreeMap::new(),
            delete: vec![(kind, name.to_owned())],
            prune: false,
        };
        let plan = self.change(realm, &asked, false, role, event).await?;
        if plan.delete.is_empty() { Err(Refused::no(kind.name(), name)) } else { Ok(plan) }
    }

    async fn change(&self, realm: &str, asked: &Asked, dry_run: bool, role: AdminRole, event: Event) -> Result<Plan, Refused> {
        // What is declared is valid as a whole or not at all: two changes that are good each by itself must not pass each other. Those of
        // another process meet in `Write::Declare`.
        let _turn = self.turn.lock().await;
        let mut refused = Refused::Conflict;
        for _ in 0..ATTEMPTS {
            match self.attempt(realm, asked, dry_run, role, event.clone()).await {
                Err(Refused::Conflict) => refused = Refused::Conflict,
                decided => return decided,
            }
        }
        Err(refused)
    }

    async fn attempt(&self, realm: &str, asked: &Asked, dry_run: bool, role: AdminRole, mut event: Event) -> Result<Plan, Refused> {
        let seen = self.store().declaration().await?;
        let current = self.current(realm, asked).await?;
        let draft = Draft::new(&current, asked, &self.hasher, self.now());
        if let Some((change, needed)) = escalation::beyond(&draft, role, &current.snapshot) {
            return Err(Refused::Beyond { kind: change.kind, name: change.name.clone(), needed });
        }
        self.possible(&draft, &current).await?;
        let faults = faults::brought_by(&draft, &current, &self.settings.shared.view());
        if !faults.is_empty() {
            return Err(Refused::Faults(faults));
        }
        let mut plan = draft.plan();
        if !dry_run && !plan.is_empty() {
            let mut writes = vec![Write::Declare { seen }];
            writes.extend(self.writes(&draft, &current).await?);
            tell(&mut event, &draft);
            self.commit(&writes, event).await?;
            plan.applied = true;
        }
        Ok(plan)
    }

    /// The present state. Everybody is asked for only where anybody may be concerned.
    async fn current(&self, realm: &str, asked: &Asked) -> Result<Current, Refused> {
        let (position, records) = self.store().snapshot().await?;
        let snapshot = Snapshot::new(position, records);
        let begins = asked.resources.iter().any(|resource| resource.kind() == ResourceKind::Realm && resource.name() == realm);
        if !begins && snapshot.resource(realm, ResourceKind::Realm, realm).is_none() {
            return Err(Refused::NotFound(format!("there is no realm \"{realm}\"")));
        }
        let everybody = asked.prune || asked.delete.iter().any(|(kind, _)| matches!(kind, ResourceKind::Role | ResourceKind::Group));
        let mut people = BTreeMap::new();
        if everybody {
            people = all_people(self.store(), realm).await?.into_iter().map(|person| (person.username.clone(), person)).collect();
        } else {
            let asked_for = asked.resources.iter().map(|resource| (resource.kind(), resource.name()));
            let deleted = asked.delete.iter().map(|(kind, name)| (*kind, name.as_str()));
            for (_, name) in asked_for.chain(deleted).filter(|(kind, _)| *kind == ResourceKind::Person) {
                if let Some(found) = self.store().person_by_username(realm, name).await? {
                    people.insert(name.to_owned(), found.person);
                }
            }
        }
        Ok(Current { realm: realm.to_owned(), snapshot, people })
    }

    /// What no validation of resources can say: a realm goes last, and the first one never.
    async fn possible(&self, draft: &Draft, current: &Current) -> Result<(), Refused> {
        for change in draft.changes.iter().filter(|change| change.kind == ResourceKind::Realm && change.after.is_none()) {
            if change.name == MAIN_REALM {
                return Err(Refused::Impossible(format!(
                    "the realm \"{MAIN_REALM}\" cannot be deleted: its people administer this installation"
                )));
            }
            let declared =
                current.snapshot.resources().keys().any(|(realm, kind, _)| *realm == change.name && *kind != ResourceKind::Realm);
            if declared || !self.store().people(&change.name, None, 1).await?.people.is_empty() {
                return Err(Refused::Impossible(format!("the realm \"{}\" still has resources or people: delete them first", change.name)));
            }
        }
        Ok(())
    }

    async fn writes(&self, draft: &Draft, current: &Current) -> Result<Vec<Write>, Refused> {
        let now = self.now();
        let writer = Writer { snapshot: &current.snapshot, hasher: &self.hasher, now, rng: &self.settings.rng };
        let mut writes = writer.writes(draft);
        let made: Vec<(String, RealmId)> = writes.iter().filter_map(new_realm).collect();
        for (realm, id) in made {
            let (issuer, sealer, rng) = (self.issuer(&realm), self.sealer(id), self.settings.rng.clone());
            // An RSA key takes a tenth of a second to make: not on a thread that answers requests.
            let first = move || KeySchedule { realm: &realm, issuer: &issuer, sealer: &sealer, rng: &rng, now }.due(&[]);
            let first = tokio::task::spawn_blocking(first).await.map_err(|error| Refused::Failed(error.to_string()))?;
            writes.extend(first.map_err(|error| Refused::Failed(error.to_string()))?);
        }
        Ok(writes)
    }

    /// The hashes of those passwords that are not what is stored. Whether one is, only those are told who might set it: to all others it
    /// would be a guess that no throttle counts.
    async fn hashed(&self, realm: &str, passwords: BTreeMap<String, Secret>, role: AdminRole) -> Result<BTreeMap<String, String>, Refused> {
        let mut hashes = BTreeMap::new();
        for (name, password) in passwords {
            let known = self.store().person_by_username(realm, &name).await?;
            if let Some(known) = &known {
                self.may_touch(&known.person, role)?;
            }
            let stored = known.and_then(|known| known.password_hash);
            let (admin, of, username) = (self.clone(), realm.to_owned(), name.clone());
            let hashed = tokio::task::spawn_blocking(move || match stored {
                Some(stored) if admin.is_stored(&password, stored.expose()) => Ok(None),
                _ => admin.hash_chosen(&of, &username, password).map(Some),
            });
            match hashed.await.map_err(|error| Refused::Failed(error.to_string()))? {
                Ok(None) => {}
                Ok(Some(hash)) => drop(hashes.insert(name, hash)),
                Err(error) => return Err(Refused::Faults(vec![fault(ResourceKind::Person, &name, "password", error.to_string())])),
            }
        }
        Ok(hashes)
    }
}

/// The realm that a write makes, with its id.
fn new_realm(write: &Write) -> Option<(String, RealmId)> {
    match write {
        Write::PutResource { stored, expected: None } if stored.resource.kind() == ResourceKind::Realm => {
            Some((stored.realm.clone(), RealmId::from_bytes(stored.id.to_bytes())))
        }
        _ => None,
    }
}

/// Writes into the event what is done.
fn tell(event: &mut Event, draft: &Draft) {
    event.outcome = Outcome::Changed;
    event.target = match draft.changes.as_slice() {
        [change] => Some(format!("{}/{}", change.kind.name(), change.name)),
        changes => Some(format!("{} resources", changes.len())),
    };
    let verb = |change: &Change| match (&change.before, &change.after) {
        (_, Some(after)) if is_disabled(after) => "!",
        (None, _) => "+",
        (_, Some(_)) => "~",
        (_, None) => "-",
    };
    let mut all: Vec<String> =
        draft.changes.iter().map(|change| format!("{}{}/{}", verb(change), change.kind.name(), change.name)).collect();
    // What was taken away is never among those for which there is no room.
    all.sort_by_key(|change| !change.starts_with(['!', '-']));
    event.detail = Some(all.join(" ").chars().take(1_000).collect());
    if let Some(request) = &mut event.request {
        request.status = 200;
    }
}

const fn is_disabled(resource: &Resource) -> bool {
    match resource {
        Resource::Client(client) => client.disabled,
        Resource::Service(service) => service.disabled,
        Resource::TrustedIssuer(issuer) => issuer.disabled,
        Resource::Person(person) => person.disabled,
        Resource::Realm(_) | Resource::Route(_) | Resource::Role(_) | Resource::Group(_) | Resource::Policy(_) | Resource::Schema(_) => {
            false
        }
    }
}

/// What can be said before anything is loaded: bounds, each resource once, and secrets where they belong.
fn well_formed(
    resources: &[Resource],
    secrets: &BTreeMap<String, Vec<Secret>>,
    passwords: &BTreeMap<String, Secret>,
) -> Result<(), Refused> {
    if resources.len() > MOST_RESOURCES || passwords.len() > MOST_PASSWORDS {
        return Err(Refused::Invalid(format!(
            "one request takes at most {MOST_RESOURCES} resources and {MOST_PASSWORDS} passwords: apply in parts"
        )));
    }
    let mut faults = Vec::new();
    let mut seen = BTreeSet::new();
    for resource in resources {
        let (kind, name) = (resource.kind(), resource.name());
        if !seen.insert((kind, name)) {
            faults.push(fault(kind, name, "name", format!("the {} \"{name}\" is declared twice: keep one", kind.name())));
        }
        let elsewhere = |list: &str| format!("a reference means nothing to the server: send the value under `{list}`");
        match resource {
            Resource::Client(client) if !client.secrets.is_empty() => faults.push(fault(kind, name, "secrets", elsewhere("secrets"))),
            Resource::Person(person) if person.password.is_some() => faults.push(fault(kind, name, "password", elsewhere("passwords"))),
            _ => {}
        }
    }
    for (name, secrets) in secrets {
        faults.extend(secret_faults(name, secrets, resources));
    }
    for name in passwords.keys().filter(|name| !seen.contains(&(ResourceKind::Person, name.as_str()))) {
        faults.push(fault(ResourceKind::Person, name, "password", "no person of this name is among the resources".to_owned()));
    }
    if faults.is_empty() { Ok(()) } else { Err(Refused::Faults(faults)) }
}

fn secret_faults(name: &str, secrets: &[Secret], resources: &[Resource]) -> Option<Fault> {
    let client = resources.iter().find_map(|resource| match resource {
        Resource::Client(client) if client.name == name => Some(client),
        _ => None,
    });
    let wrong = |message: &str| Some(fault(ResourceKind::Client, name, "secrets", message.to_owned()));
    let Some(client) = client else { return wrong("no client of this name is among the resources") };
    if !matches!(client.authentication, ClientAuthentication::ClientSecretBasic | ClientAuthentication::ClientSecretPost) {
        return wrong("this client uses no secret: remove it, or use client_secret_basic");
    }
    if secrets.len() > 4 {
        return wrong("a client has at most 4 secrets at a time");
    }
    // RFC 6749 appendix A.2: "client-secret = *VSCHAR". Short ones could be guessed: only a keyed hash stands before them.
    let strong =
        |secret: &Secret| (32..=256).contains(&secret.expose().len()) && secret.expose().bytes().all(|byte| byte.is_ascii_graphic());
    if secrets.iter().all(strong) {
        None
    } else {
        wrong("a secret is 32 to 256 printable ASCII characters: make one with `openssl rand -hex 32`")
    }
}

fn fault(kind: ResourceKind, name: &str, field: &str, message: String) -> Fault {
    Fault { kind, name: name.to_owned(), field: field.to_owned(), found: None, place: None, message }
}

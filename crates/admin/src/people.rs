//! People of a realm, found by the name they log in with.

use durward_authn::password::{self, NewPassword};
use durward_authn::{PasswordError, Username};
use durward_base::Secret;
use durward_model::{AdminRole, Person, ResourceKind};
use durward_store::{PEOPLE_PAGE, Store};

use crate::plan::draft::declared;
use crate::{Admin, Refused, escalation};

/// All people of a realm.
pub(crate) async fn all_people(store: &Store, realm: &str) -> Result<Vec<Person>, Refused> {
    let (mut people, mut after) = (Vec::new(), None);
    loop {
        let page = store.people(realm, after.as_ref(), PEOPLE_PAGE).await?;
        people.extend(page.people);
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(people),
        }
    }
}

impl Admin {
    /// The person of this name.
    pub(crate) async fn person(&self, realm: &str, name: &str) -> Result<Person, Refused> {
        let username = Username::parse(name).map_err(|_| Refused::no("person", name))?;
        let found = self.store().person_by_username(realm, username.as_str()).await?;
        found.map(|found| found.person).ok_or_else(|| Refused::no("person", name))
    }

    /// The hash of a password that somebody chose for a person. For threads that may block: it takes a while, and looks through a file.
    pub(crate) fn hash_chosen(&self, realm: &str, username: &str, password: Secret) -> Result<String, PasswordError> {
        let chosen = NewPassword::choose(password, &[username, realm], self.settings.breached.as_deref())?;
        password::hash(&chosen, &self.settings.rng)
    }

    /// Whether a password is the one of this hash.
    pub(crate) fn is_stored(&self, password: &Secret, stored: &str) -> bool {
        self.passwords.is(password, stored, || durward_authn::password::verify(password, stored)) == Ok(true)
    }

    /// Whether someone of this role may end the logins of a person, or change how they log in.
    pub(crate) fn may_touch(&self, person: &Person, role: AdminRole) -> Result<(), Refused> {
        let view = self.settings.shared.view();
        let administers = escalation::is_administrator(&declared(person), &person.realm, view.snapshot());
        let needed = if administers { AdminRole::Admin } else { AdminRole::Operator };
        if role.holds(needed) { Ok(()) } else { Err(Refused::Beyond { kind: ResourceKind::Person, name: person.username.clone(), needed }) }
    }
}

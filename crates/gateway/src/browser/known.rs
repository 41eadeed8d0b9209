//! Known browsers: whether the person had logged in with this one before the present login. It opens nothing; policies may ask more of strange ones.

use durward_base::{Duration, Timestamp};
use durward_enforce::{Head, RealmView, Verified, View};
use durward_model::CredentialKind;
use http::HeaderValue;

use super::Browsers;
use super::cookie::Cookie;

/// How long a browser is known in which nobody logs in.
const KNOWN: Duration = Duration::from_secs(365 * 24 * 3600);
/// The most people that one browser is known by, the last first.
const MOST: usize = 4;

impl Browsers {
    /// Whether the browser was known when the person of a session logged in; none of other credentials, or where nothing says when that was.
    pub(crate) fn known(&self, view: &View, head: &Head<'_>, verified: &Verified) -> Option<bool> {
        let principal = verified.principal();
        let (realm, logged_in) = (view.realm(&principal.realm)?, principal.assurance.auth_time?);
        let is_session = principal.credential.kind == CredentialKind::BrowserSession;
        is_session.then(|| self.since(realm, head, &principal.id).is_some_and(|since| since.seconds() < logged_in.seconds()))
    }

    /// The cookie by which a browser is known from now on, too.
    pub(super) fn mark(&self, realm: &RealmView, head: &Head<'_>, subject: &str, now: Timestamp) -> Option<HeaderValue> {
        let own = self.marks.make(realm.id(), subject, self.since(realm, head, subject).unwrap_or(now));
        let others = marks(realm, head).filter(|mark| self.marks.since(realm.id(), subject, mark).is_none());
        let all: Vec<_> = std::iter::once(own.as_str()).chain(others).take(MOST).collect();
        Cookie::Known.set(realm.name(), &all.join("."), Some(KNOWN))
    }

    fn since(&self, realm: &RealmView, head: &Head<'_>, subject: &str) -> Option<Timestamp> {
        marks(realm, head).find_map(|mark| self.marks.since(realm.id(), subject, mark))
    }
}

fn marks<'h>(realm: &RealmView, head: &Head<'h>) -> impl Iterator<Item = &'h str> {
    Cookie::Known.read(realm.name(), head).into_iter().flat_map(|marks| marks.split('.')).take(MOST)
}

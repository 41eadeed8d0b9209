//! RFC 6265: the gateway's cookies, and what is sealed into them. `__Host-` keeps sibling hosts and plain HTTP from planting them.

use durward_base::{Duration, RealmId, Rng, Timestamp};
use durward_enforce::{Head, cookie_pairs};
use durward_seal::{StateError, StateKeys, Validity};
use http::HeaderValue;
use minicbor::{Decode, Encode};

/// How long somebody may take to log in.
pub(super) const LOGIN_LIFE: Duration = Duration::from_secs(30 * 60);
/// The most logins that may be under way in one browser: one a tab.
const MOST_PENDING: usize = 4;

/// A cookie of one realm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cookie {
    /// The logins under way.
    Pending,
    /// The session.
    Session,
    /// Who logged in with this browser, and since when.
    Known,
}

/// A login under way.
#[derive(Debug, Clone, Encode, Decode)]
pub(super) struct Pending {
    #[n(0)]
    pub state: String,
    #[n(1)]
    pub nonce: String,
    #[n(2)]
    pub verifier: String,
    /// The gateway's origin that the browser is to come back to.
    #[n(3)]
    pub origin: String,
    /// The path and query it wanted.
    #[n(4)]
    pub return_to: String,
    /// The login that was asked for because a weaker one would not do.
    #[n(5)]
    pub acr: Option<String>,
    /// In milliseconds.
    #[n(6)]
    pub expires: i64,
}

/// The logins under way in one browser, the latest last.
#[derive(Debug, Default, Encode, Decode)]
pub(super) struct Pendings(#[n(0)] pub Vec<Pending>);

/// A session: nothing of it is in the clear.
#[derive(Clone, Encode, Decode)]
pub(super) struct Session {
    /// The access token: who it is, as of the last five minutes.
    #[n(0)]
    pub token: String,
    /// The handle on the family, by which the next one is got.
    #[n(1)]
    pub refresh: String,
    /// Whom the ID token named.
    #[n(2)]
    pub subject: String,
    /// The family, as the ID token named it.
    #[n(3)]
    pub sid: Option<String>,
    /// When the login began, in milliseconds.
    #[n(4)]
    pub began: i64,
}

/// What is sealed, with the name that keeps its kind from being taken for another.
pub(super) trait Sealed: Encode<()> + for<'b> Decode<'b, ()> {
    const PURPOSE: &'static str;
}

impl Sealed for Pendings {
    const PURPOSE: &'static str = "gateway pending logins";
}

impl Sealed for Session {
    const PURPOSE: &'static str = "gateway session";
}

impl Cookie {
    /// `__Host-dw-app-main`.
    pub(super) fn name(self, realm: &str) -> String {
        match self {
            Self::Pending => format!("__Host-dw-pending-{realm}"),
            Self::Session => format!("__Host-dw-app-{realm}"),
            Self::Known => format!("__Host-dw-known-{realm}"),
        }
    }

    /// Its value. A name that comes twice was planted by somebody: neither counts.
    pub(super) fn read<'h>(self, realm: &str, head: &Head<'h>) -> Option<&'h str> {
        let name = self.name(realm);
        let pairs = head.header("cookie").flat_map(cookie_pairs);
        let mut values = pairs.filter_map(|pair| pair.strip_prefix(name.as_bytes())?.strip_prefix(b"="));
        values.next().filter(|_| values.next().is_none()).and_then(|value| std::str::from_utf8(value).ok())
    }

    /// `Set-Cookie` with a value; until the browser closes when no life is given.
    pub(super) fn set(self, realm: &str, value: &str, life: Option<Duration>) -> Option<HeaderValue> {
        let life = life.map(|life| format!("; Max-Age={}", life.as_secs())).unwrap_or_default();
        let value = format!("{}={value}; Path=/; Secure; HttpOnly; SameSite=Lax{life}", self.name(realm));
        let mut value = HeaderValue::try_from(value).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    /// `Set-Cookie` that removes it.
    pub(super) fn clear(self, realm: &str) -> Option<HeaderValue> {
        self.set(realm, "", Some(Duration::ZERO))
    }
}

/// Seals and opens the cookies of one realm.
#[derive(Clone, Copy)]
pub(super) struct Sealing<'a> {
    pub keys: &'a StateKeys,
    pub realm: RealmId,
    pub now: Timestamp,
}

impl Sealing<'_> {
    pub(super) fn seal<T: Sealed>(&self, value: &T, life: Duration, rng: &Rng) -> Result<String, StateError> {
        self.keys.seal(T::PURPOSE, self.realm, value, Validity { now: self.now, expires: self.now + life }, rng)
    }

    pub(super) fn open<T: Sealed>(&self, text: &str) -> Result<T, StateError> {
        self.keys.open(T::PURPOSE, self.realm, text, self.now)
    }
}

impl Pendings {
    /// One more, in place of what is over and of the oldest of too many.
    pub(super) fn push(&mut self, pending: Pending, now: Timestamp) {
        self.0.retain(|known| now.millis() < known.expires);
        let over = (self.0.len() + 1).saturating_sub(MOST_PENDING);
        self.0.drain(..over);
        self.0.push(pending);
    }

    /// Takes out the one of this state.
    pub(super) fn take(&mut self, state: &str, now: Timestamp) -> Option<Pending> {
        let is_it = |known: &Pending| durward_base::equal(known.state.as_bytes(), state.as_bytes()) && now.millis() < known.expires;
        let index = self.0.iter().position(is_it)?;
        Some(self.0.remove(index))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head<'a>(cookies: &[&'a str]) -> Head<'a> {
        let headers = cookies.iter().map(|value| ("cookie", value.as_bytes())).collect();
        Head { method: "GET", target: "/", authority: "a", headers }
    }

    /// SESS-004
    #[test]
    fn a_cookie_is_read_by_its_exact_name_and_never_when_it_comes_twice() {
        for (sent, read) in [
            (&["a=b; __Host-dw-app-main=x; c=d"][..], Some("x")),
            (&["a=b", "__Host-dw-app-main=x"], Some("x")),
            (&["__Host-dw-app-main=x; __Host-dw-app-main=y"], None),
            (&["__Host-dw-app-main=x", "__Host-dw-app-main=x"], None),
            (&["__%48ost-dw-app-main=x"], None),
            (&["__host-dw-app-main=x"], None),
            (&["__Host-dw-app-mai=x; __Host-dw-app-main2=y; __Host-dw-pending-main=z"], None),
            (&[], None),
        ] {
            assert_eq!(Cookie::Session.read("main", &head(sent)), read, "{sent:?}");
        }
    }

    /// SESS-004
    #[test]
    fn a_cookie_is_for_this_host_over_tls_and_out_of_reach_of_scripts() {
        let set = Cookie::Session.set("main", "x", None).unwrap();
        assert_eq!(set, "__Host-dw-app-main=x; Path=/; Secure; HttpOnly; SameSite=Lax");
        assert_eq!(Cookie::Pending.clear("main").unwrap(), "__Host-dw-pending-main=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0");
    }

    #[test]
    fn a_browser_has_four_logins_under_way_and_each_ends_once() {
        let (mut pendings, now) = (Pendings::default(), Timestamp::from_seconds(1000));
        for number in 0..6 {
            let text = number.to_string();
            let (state, expires) = (text.clone(), (now + LOGIN_LIFE).millis());
            let [nonce, verifier, origin, return_to] = std::array::from_fn(|_| text.clone());
            pendings.push(Pending { state, nonce, verifier, origin, return_to, acr: None, expires }, now);
        }
        assert!(pendings.take("1", now).is_none());
        assert!(pendings.take("2", now + LOGIN_LIFE).is_none());
        assert!(pendings.take("2", now).is_some());
        assert!(pendings.take("2", now).is_none());
        assert_eq!(pendings.0.len(), 3);
    }
}

//! RFC 6265: the issuer's own cookies. `__Host-` keeps sibling hosts and plain HTTP from planting them.

use durward_base::Duration;
use http::header::{COOKIE, InvalidHeaderValue};
use http::{HeaderMap, HeaderValue};

/// A cookie of one realm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cookie {
    /// A random value that binds login transactions to the browser they began in.
    Login,
    /// The sealed single sign-on session.
    Session,
}

impl Cookie {
    /// `__Host-dw-sso-main`.
    pub(crate) fn name(self, realm: &str) -> String {
        match self {
            Self::Login => format!("__Host-dw-login-{realm}"),
            Self::Session => format!("__Host-dw-sso-{realm}"),
        }
    }

    /// Its value. A name that comes twice was planted by somebody: neither counts.
    pub(crate) fn read<'h>(self, realm: &str, headers: &'h HeaderMap) -> Option<&'h str> {
        let name = self.name(realm);
        let mut values = headers
            .get_all(COOKIE)
            .iter()
            .filter_map(|header| header.to_str().ok())
            .flat_map(|header| header.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .filter_map(|(found, value)| (found == name).then_some(value));
        values.next().filter(|_| values.next().is_none())
    }

    /// `Set-Cookie` with a value; until the browser closes when no life is given.
    pub(crate) fn set(self, realm: &str, value: &str, life: Option<Duration>) -> Result<HeaderValue, InvalidHeaderValue> {
        let life = life.map(|life| format!("; Max-Age={}", life.as_secs())).unwrap_or_default();
        HeaderValue::try_from(format!("{}={value}; Path=/; Secure; HttpOnly; SameSite=Lax{life}", self.name(realm)))
    }

    /// `Set-Cookie` that removes it.
    pub(crate) fn clear(self, realm: &str) -> Result<HeaderValue, InvalidHeaderValue> {
        self.set(realm, "", Some(Duration::ZERO))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(values: &[&'static str]) -> HeaderMap {
        values.iter().map(|value| (COOKIE, HeaderValue::from_static(value))).collect()
    }

    /// SESS-004
    #[test]
    fn a_cookie_is_read_by_its_exact_name_and_never_when_it_comes_twice() {
        for (sent, read) in [
            (&["a=b; __Host-dw-sso-main=x; c=d"][..], Some("x")),
            (&["a=b", "__Host-dw-sso-main=x"], Some("x")),
            (&["__Host-dw-sso-main=x; __Host-dw-sso-main=y"], None),
            (&["__Host-dw-sso-main=x", "__Host-dw-sso-main=x"], None),
            (&["__%48ost-dw-sso-main=x"], None),
            (&["__host-dw-sso-main=x"], None),
            (&["__Host-dw-sso-mai=x; __Host-dw-sso-main2=y; __Host-dw-login-main=z"], None),
            (&[], None),
        ] {
            assert_eq!(Cookie::Session.read("main", &headers(sent)), read, "{sent:?}");
        }
    }

    #[test]
    fn a_cookie_is_for_this_host_over_tls_and_out_of_reach_of_scripts() {
        let set = Cookie::Session.set("main", "x", Some(Duration::from_secs(60))).unwrap();
        assert_eq!(set, "__Host-dw-sso-main=x; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=60");
    }
}

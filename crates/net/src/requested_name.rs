//! RFC 9110 section 7.4, RFC 9113 section 9.1.2: the name that a connection was opened for, and the hosts that requests on it may name.

use std::fmt;

use http::StatusCode;

use crate::http1::host_and_port;
use crate::{Problem, ServerIdentity};

/// The name that a client gave in its handshake (RFC 6066 section 3), at a listener whose certificate depends on it.
#[derive(Clone)]
pub struct RequestedName {
    name: String,
    identity: ServerIdentity,
}

impl RequestedName {
    pub(crate) fn new(name: &str, identity: ServerIdentity) -> Self {
        Self { name: name.to_owned(), identity }
    }

    /// Refuses a request to another host (`host[:port]`) with 421, unless the certificate that this name leads to is for that host as well: so the
    /// connections that browsers share between names of one certificate stay shared.
    ///
    /// # Errors
    /// 9110 7.4: "a request for an "https" resource MUST be rejected unless it has been received over a connection that has been secured via a
    /// certificate valid for that target URI's origin".
    pub fn must_cover(&self, authority: &str) -> Result<(), Problem> {
        let (host, _) = host_and_port(authority);
        if host.eq_ignore_ascii_case(&self.name) || self.identity.shows_alike(&self.name, host) {
            return Ok(());
        }
        let detail = "This connection was opened for another host, whose certificate is not for this one.";
        Err(Problem::new(StatusCode::MISDIRECTED_REQUEST, "misdirected", detail))
    }
}

impl fmt::Debug for RequestedName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("RequestedName").field(&self.name).finish()
    }
}

#[cfg(test)]
mod tests {
    use durward_base::{Duration, Timestamp};
    use durward_pki::RootAuthority;
    use rcgen::{CertificateParams, KeyPair};

    use super::*;
    use crate::{NamedCertificate, NamedCertificates};

    fn named(names: &[&str]) -> NamedCertificate {
        let key = KeyPair::generate().unwrap();
        let names = names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let certificate = CertificateParams::new(names).unwrap().self_signed(&key).unwrap();
        NamedCertificate::from_pem(certificate.pem().as_bytes(), key.serialize_pem().as_bytes()).unwrap()
    }

    fn identity() -> (ServerIdentity, NamedCertificates) {
        let (now, rng) = (Timestamp::from_seconds(1_795_348_504), durward_testkit::seeded(5));
        let intermediate = RootAuthority::create("root", now, &rng).unwrap().issue_intermediate("intermediate", now, &rng).unwrap();
        let leaf = intermediate.issue_server(&["localhost".try_into().unwrap()], now, Duration::from_secs(60), &rng).unwrap();
        let certificates = NamedCertificates::default();
        certificates.replace(vec![named(&["api.example"]), named(&["shop.example", "www.shop.example"]), named(&["*.cloud.example"])]);
        (ServerIdentity::new(leaf.chain_der, leaf.key_pkcs8.expose()).unwrap().beside(vec![certificates.clone()]), certificates)
    }

    /// GWPATH-008
    #[test]
    fn a_connection_carries_requests_to_hosts_that_its_certificate_is_for_and_to_no_others() {
        let (identity, certificates) = identity();
        let asked = |name: &str, authority: &str| RequestedName::new(name, identity.clone()).must_cover(authority).is_ok();
        for (name, authority) in [
            ("api.example", "api.example"),
            ("api.example", "API.example:8443"),
            ("shop.example", "www.shop.example"),
            ("a.cloud.example", "b.cloud.example:443"),
            ("localhost", "[::1]:8443"),
            ("localhost", "192.0.2.1"),
            ("nobody.test", "localhost"),
        ] {
            assert!(asked(name, authority), "{name} {authority}");
        }
        for (name, authority) in [
            ("api.example", "shop.example"),
            ("shop.example", "api.example:8443"),
            ("localhost", "api.example"),
            ("nobody.test", "Shop.Example"),
            ("api.example", "localhost"),
            ("api.example", "a.cloud.example"),
            ("api.example", "[::1]:8443"),
            ("api.example", "192.0.2.1"),
        ] {
            assert!(!asked(name, authority), "{name} {authority}");
        }
        certificates.replace(vec![named(&["api.example", "shop.example"])]);
        assert!(asked("api.example", "shop.example"), "certificates are replaced under those who are connected");
    }
}

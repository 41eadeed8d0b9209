//! RFC 9773: ACME Renewal Information, and when a certificate is renewed that nobody suggests a time for.

use durward_base::{Duration, Rng, Timestamp};

use crate::Certificate;

/// No certificate is renewed sooner after it was obtained, whatever the authority suggests.
const SETTLED: Duration = Duration::from_secs(60 * 60);

/// When to renew a certificate: at two thirds of its life and up to a thirtieth of it later, so that not all are renewed at once; earlier where the
/// authority suggests a window (from, to) that begins earlier.
pub fn renew_at(certificate: &Certificate, obtained: Timestamp, window: Option<(Timestamp, Timestamp)>, rng: &Rng) -> Timestamp {
    let begins = certificate.not_before();
    let life = certificate.expires().since(begins);
    let by_age = begins + life * 2 / 3 + part(life / 30, rng);
    // Section 4.2: "Select a uniform random time within the suggested window."
    let suggested = window.map(|(from, to)| from + part(to.since(from), rng));
    suggested.unwrap_or(by_age).min(by_age).max(obtained + SETTLED.min(life / 3))
}

/// A random part of a time.
pub fn part(whole: Duration, rng: &Rng) -> Duration {
    whole.mul_f64(f64::from(u32::from_be_bytes(rng.bytes())) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{NOW, rng};
    use crate::{RootAuthority, ServerName};

    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    /// One of thirty days, an hour old.
    fn certificate() -> Certificate {
        let root = RootAuthority::create("root", NOW, &rng()).unwrap();
        let intermediate = root.issue_intermediate("intermediate", NOW, &rng()).unwrap();
        let issued = intermediate.issue_server(&[ServerName::try_from("localhost").unwrap()], NOW, DAY * 30, &rng()).unwrap();
        issued.certificate
    }

    #[test]
    fn without_a_suggestion_it_is_renewed_once_two_thirds_of_its_life_are_over() {
        let (certificate, rng) = (certificate(), rng());
        for _ in 0..100 {
            let after = renew_at(&certificate, NOW, None, &rng).since(NOW);
            assert!(after > DAY * 19 && after < DAY * 21 + DAY / 24, "{after:?}");
        }
    }

    #[test]
    fn a_suggested_window_is_followed_where_it_is_earlier_and_never_at_once() {
        let (certificate, rng) = (certificate(), rng());
        let after = |from: Timestamp, to: Timestamp| renew_at(&certificate, NOW, Some((from, to)), &rng).since(NOW);
        for _ in 0..100 {
            let suggested = after(NOW + DAY * 3, NOW + DAY * 4);
            assert!(suggested >= DAY * 3 && suggested <= DAY * 4, "{suggested:?}");
            assert_eq!(after(NOW - DAY * 2, NOW - DAY), SETTLED, "a window that is over");
            assert!(after(NOW + DAY * 100, NOW + DAY * 200) < DAY * 22, "one beyond its end");
            assert_eq!(after(NOW - DAY, NOW - DAY * 2), SETTLED, "one that ends before it begins");
        }
        assert_eq!(renew_at(&certificate, NOW + DAY * 40, None, &rng).since(NOW + DAY * 40), SETTLED, "one that was over when it came");
    }
}

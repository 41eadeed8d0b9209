//! OpenID Connect Core section 2 (`acr`, `amr`) and RFC 8176: what a login is worth.

use durward_base::{Duration, Timestamp};
use durward_model::Assurance;

/// The authentication context class of a login by password alone.
pub const PASSWORD: &str = "pwd";

/// The authentication context class of a login by two factors.
pub const MULTI_FACTOR: &str = "mfa";

/// What a recovery code leaves in `amr`. It is no method of RFC 8176.
const RECOVERY: &str = "recovery";

/// How recent a login must be for its person to change how they log in, or to make what outlives it.
pub const FRESH: Duration = Duration::from_secs(5 * 60);

/// What a login by password at this moment is worth. RFC 8176 section 2: "pwd: Password-based authentication".
pub fn by_password(now: Timestamp) -> Assurance {
    of(PASSWORD, &[PASSWORD], now)
}

/// What a password and a one-time password are worth. RFC 8176 section 2: "mfa: Multiple-factor authentication. When this is present,
/// specific authentication methods used may also be included."
pub fn by_totp(now: Timestamp) -> Assurance {
    of(MULTI_FACTOR, &[PASSWORD, "otp", MULTI_FACTOR], now)
}

/// What a password and a recovery code are worth: not two factors, for a code on paper is as well known as a password (NIST SP 800-63B).
pub fn by_recovery_code(now: Timestamp) -> Assurance {
    of(PASSWORD, &[PASSWORD, RECOVERY], now)
}

/// Whether a login is good for changing how its person logs in: all that they have must have been proved, just now. `has_totp` says what that
/// is; a recovery code stands in for what was lost, for this alone.
pub fn may_change_factors(assurance: &Assurance, has_totp: bool, now: Timestamp) -> bool {
    is_fresh(assurance, now) && (proved_all(assurance, has_totp) || is_recovery(assurance))
}

/// Whether a login is good for making a credential that outlives it: the same, and a recovery code stands in for nothing.
pub fn may_make_credentials(assurance: &Assurance, has_totp: bool, now: Timestamp) -> bool {
    is_fresh(assurance, now) && proved_all(assurance, has_totp)
}

fn is_fresh(assurance: &Assurance, now: Timestamp) -> bool {
    assurance.auth_time.is_some_and(|time| now.since(time) <= FRESH)
}

fn proved_all(assurance: &Assurance, has_totp: bool) -> bool {
    !has_totp || assurance.acr.as_deref() == Some(MULTI_FACTOR)
}

/// Whether a login was by a recovery code.
pub fn is_recovery(assurance: &Assurance) -> bool {
    assurance.amr.iter().any(|method| method == RECOVERY)
}

fn of(acr: &str, amr: &[&str], now: Timestamp) -> Assurance {
    Assurance { acr: Some(acr.to_owned()), amr: amr.iter().map(|method| (*method).to_owned()).collect(), auth_time: Some(now) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

    /// MFA-004
    #[test]
    fn factors_are_changed_with_all_that_a_person_has_proved_just_now() {
        let later = |seconds| NOW + Duration::from_secs(seconds);
        let cases = [
            (by_password(NOW), false, 300, true),
            (by_password(NOW), false, 301, false),
            (by_password(NOW), true, 0, false),
            (by_totp(NOW), true, 300, true),
            (by_totp(NOW), true, 301, false),
            (by_recovery_code(NOW), true, 0, true),
            (by_recovery_code(NOW), true, 301, false),
            (Assurance::default(), false, 0, false),
        ];
        for (assurance, has_totp, seconds, may) in cases {
            assert_eq!(may_change_factors(&assurance, has_totp, later(seconds)), may, "{assurance:?} after {seconds} s");
            let may_make = may && !is_recovery(&assurance);
            assert_eq!(may_make_credentials(&assurance, has_totp, later(seconds)), may_make, "{assurance:?} after {seconds} s");
        }
    }
}

//! RFC 9126 section 7.2: how often a client may push a request. Nothing of a request is stored, so this bounds the work alone.

use std::sync::{Mutex, PoisonError};

use durward_authn::{Budget, Verdict};
use durward_base::{ClientId, Duration, Timestamp};
use durward_oauth::{ErrorCode, OAuthError};

/// Counters of this process.
#[derive(Debug)]
pub(crate) struct Pushes(Mutex<Budget<ClientId>>);

impl Default for Pushes {
    fn default() -> Self {
        Self(Mutex::new(Budget::new(PUSHES, MINUTE)))
    }
}

impl Pushes {
    /// Counts a request of a client.
    ///
    /// # Errors
    /// `temporarily_unavailable`, with 429.
    pub(crate) fn count(&self, client: ClientId, now: Timestamp) -> Result<(), OAuthError> {
        match self.0.lock().unwrap_or_else(PoisonError::into_inner).attempt(&client, now) {
            Verdict::Allowed => Ok(()),
            Verdict::Wait(wait) => Err(TOO_MANY.after(wait)),
        }
    }
}

/// Requests of one client, in a minute: as many logins as no application has, and a fraction of what one processor does.
const PUSHES: u32 = 12_000;
const MINUTE: Duration = Duration::from_secs(60);

const TOO_MANY: OAuthError =
    OAuthError::new(ErrorCode::TooManyAttempts, "par.too_many", "the client pushes too many requests: wait and try again");

#[cfg(test)]
mod tests {
    use super::*;

    /// PAR-007
    #[test]
    fn a_client_has_so_many_pushes_a_minute_and_takes_none_from_others() {
        let (pushes, now) = (Pushes::default(), Timestamp::from_seconds(1_800_000_000));
        let [greedy, modest] = [[1; 16], [2; 16]].map(ClientId::from_bytes);
        let taken = (0..100_000).filter(|_| pushes.count(greedy, now).is_ok()).count();
        assert_eq!(taken, 12_000);
        assert_eq!(pushes.count(greedy, now).unwrap_err().status(), 429);
        assert!(pushes.count(modest, now).is_ok());
        assert!(pushes.count(greedy, now + MINUTE).is_ok());
    }
}

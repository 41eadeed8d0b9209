//! Dropping what has expired, a bounded piece at a time.

use durward_base::{Duration, Timestamp};

use crate::batch::Batch;
use crate::{
    Store, StoreError, api_key, device, event, family, feed, logout_notice, personal_token, registration, revocation, session, spent,
};

/// How long what is over stays, for `explain`: logins and what hangs on them, personal access tokens, API keys, events that are in the journal.
pub(crate) const KEPT: Duration = Duration::from_secs(30 * 86_400);

/// Most rows of one table that one call drops: some milliseconds of the writer's time.
const PIECE: u64 = 500;

impl Store {
    /// Drops some of what had expired by `now`: spent ids, revocations, logins and families long over, old changes, events long in the
    /// journal, clients that registered themselves and were never used. Lets clients be told of logins that came to their end. Says how many
    /// rows were touched; when that is not zero, there may be more.
    pub async fn expire(&self, now: Timestamp) -> Result<u64, StoreError> {
        let mut steps = vec![
            spent::expire(now, PIECE),
            device::expire(now, PIECE),
            personal_token::expire(now, PIECE),
            api_key::expire(now, PIECE),
            revocation::expire(now, PIECE),
            family::expire(now, PIECE),
            session::expire(now, PIECE),
            logout_notice::expire(now, PIECE),
            feed::expire(now, PIECE),
            event::expire(now, PIECE),
        ];
        steps.extend(registration::expire(now, PIECE));
        steps.extend(logout_notice::enqueue_outlived(now, PIECE));
        Ok(self.run(Batch::of_steps(steps, now)).await?.touched)
    }
}

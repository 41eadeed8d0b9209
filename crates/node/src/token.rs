//! Where a node's access token for the fleet's audience comes from.

use std::future::Future;
use std::pin::Pin;

use durward_base::Secret;

/// No token could be had; the text says why, for the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no access token for the fleet: {0}")]
pub struct TokenError(pub String);

/// Hands out the node's access token, and gets a new one before the present one dies.
pub trait TokenSource: Send + Sync + 'static {
    /// A token that is good now.
    fn token(&self) -> Pin<Box<dyn Future<Output = Result<Secret, TokenError>> + Send + '_>>;

    /// Says that the last token was refused: the next must be a new one.
    fn refused(&self);
}

//! What every process keeps: the feed client and its snapshot file, the present view, the audit journal and its shipping.

mod backoff;
mod feed_client;
#[cfg(test)]
mod fixture;
mod journal;
mod key_sets;
pub mod machine;
mod resolver;
mod shared;
mod shipper;
mod snapshot_file;
mod token;

pub use durward_audit::NoteKey;
pub use durward_net::RecordError as AuditUnavailable;
pub use feed_client::{FeedClient, FeedSettings};
pub use journal::{Journal, JournalError, JournalSettings, JournalStatus, Pruned, Recorded, Verified};
pub use key_sets::KeySets;
pub use resolver::{CannotResolve, NoAuthority, RemoteAuthority, Resolve, Resolver, Resolving};
pub use shared::{Follow, Shared};
pub use shipper::{EventShipper, ShipperSettings};
pub use token::{TokenError, TokenSource};

//! The change feed: the present state of everything declared and revoked, how it moves on, and how it travels and rests.

mod disk;
mod follower;
mod frame;
mod revocations;
mod snapshot;
mod staleness;

#[cfg(test)]
mod fixture;

pub use disk::DiskError;
pub use follower::{Followed, Follower, FollowerError};
pub use frame::{Delta, Frame, FrameDecoder, FrameError, MAXIMUM_LINE};
pub use revocations::{Revocations, TokenKeys};
pub use snapshot::{Applied, Gap, ResourceKey, Snapshot, for_nodes};
pub use staleness::{ClockDifference, MAXIMUM_CLOCK_DIFFERENCE, Staleness, check_clock};

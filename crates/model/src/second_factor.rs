//! A person's second factor: an app that computes one-time passwords (RFC 6238), and codes on paper for when it is lost.

use durward_base::Timestamp;

/// A person's app, as far as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Totp {
    /// The secret, sealed: the database alone computes no code.
    pub sealed: Vec<u8>,
    /// The last step whose code was used; none before it is good.
    pub used: u64,
    /// When the person set it up.
    pub enrolled: Timestamp,
    /// How many recovery codes are left.
    pub recovery_codes: u32,
}

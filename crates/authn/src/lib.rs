//! Password policy, throttles, assurance levels.

pub mod assurance;
pub mod password;
pub mod throttle;
pub mod username;

pub use password::{PasswordError, StoredHashError};
pub use throttle::{Account, Throttle, Verdict};
pub use username::{Username, UsernameError};

//! Password policy, throttles, assurance levels.

pub mod assurance;
pub mod password;
pub mod throttle;
pub mod username;

pub use password::{PasswordError, StoredHashError};
pub use throttle::budget::{Budget, CodeGuesses, TooManyGuesses};
pub use throttle::client::{ClientClaim, ClientThrottle};
pub use throttle::pace::Pace;
pub use throttle::{Account, Throttle, Verdict};
pub use username::{Username, UsernameError};

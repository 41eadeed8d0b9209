//! Password policy, second factors, throttles, assurance levels.

pub mod assurance;
pub mod password;
pub mod recovery_code;
pub mod throttle;
pub mod totp;
pub mod username;

pub use password::{PasswordError, StoredHashError};
pub use recovery_code::RecoveryCode;
pub use throttle::allowance::Allowance;
pub use throttle::budget::{Budget, CodeGuesses, TooManyGuesses};
pub use throttle::client::{ClientClaim, ClientThrottle};
pub use throttle::host::Host;
pub use throttle::key::KeyGuesses;
pub use throttle::pace::Pace;
pub use throttle::{Account, Throttle, Verdict};
pub use totp::{TotpCode, TotpError, TotpSecret};
pub use username::{Username, UsernameError};

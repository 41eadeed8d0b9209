//! OpenID Connect Core section 2 (`acr`, `amr`) and RFC 8176: what a login is worth.

use durward_base::Timestamp;
use durward_model::Assurance;

/// The authentication context class of a login by password alone.
pub const PASSWORD: &str = "pwd";

/// What a login by password at this moment is worth. RFC 8176 section 2: "pwd: Password-based authentication".
pub fn by_password(now: Timestamp) -> Assurance {
    Assurance { acr: Some(PASSWORD.to_owned()), amr: vec![PASSWORD.to_owned()], auth_time: Some(now) }
}

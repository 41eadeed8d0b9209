//! `/oauth2/…`: the protocol's endpoints.

pub mod authorize;
pub mod bc_authorize;
pub mod device_authorization;
pub mod introspect;
pub mod jwks;
pub mod logout;
pub mod par;
pub mod register;
pub mod revoke;
pub mod token;
pub mod userinfo;

//! `/gateways/{name}/…`: the issuers of identity tokens, for upstreams that discover keys.

pub mod _well_known;
pub mod jwks;

//! The OpenID Foundation's conformance plans as a list of what they look at, a test for each thing, tried on the surface.

mod backchannel;
mod fapi;
mod logout;
mod openid;
mod registration;

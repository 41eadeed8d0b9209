//! One module a path segment, one function a method.

pub mod feed;
pub mod internal;

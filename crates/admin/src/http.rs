//! One file an endpoint; the path of the file is the path of the URL.

pub mod admin;

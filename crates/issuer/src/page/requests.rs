//! The pages where people answer applications that ask for them while they sit somewhere else.

use askama::Template;

use super::scopes::ScopeRow;
use super::{Frame, Navigation};

/// What waits for an answer.
#[derive(Debug, Template)]
#[template(path = "requests.html")]
pub(crate) struct Requests<'a> {
    pub frame: Frame,
    pub navigation: Navigation,
    pub username: &'a str,
    pub requests: Vec<RequestRow>,
    pub action: String,
}

/// One of them.
#[derive(Debug)]
pub(crate) struct RequestRow {
    pub id: String,
    pub client: String,
    /// Whether it registered itself, so that nobody vouches for what it calls itself.
    pub unverified: bool,
    pub binding_message: Option<String>,
    pub address: Option<String>,
    pub since: String,
    pub scopes: Vec<ScopeRow>,
    pub transaction: String,
}

/// The application may know by now.
#[derive(Debug, Template)]
#[template(path = "request_answered.html")]
pub(crate) struct RequestAnswered<'a> {
    pub frame: Frame,
    pub navigation: Navigation,
    pub client: &'a str,
    pub allowed: bool,
    /// Where the others are answered.
    pub others: String,
}

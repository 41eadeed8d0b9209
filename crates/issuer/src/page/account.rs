//! The pages on which people see who they are here, and where they are signed in.

use askama::Template;

use super::{Frame, Navigation};

/// Who one is here.
#[derive(Debug, Template)]
#[template(path = "account.html")]
pub(crate) struct Account<'a> {
    pub frame: Frame,
    pub navigation: Navigation,
    pub username: &'a str,
    pub display_name: Option<&'a str>,
    pub email: Option<&'a str>,
    /// Whether they have a second factor, and where they set one up.
    pub two_factor: bool,
    pub set_up: String,
    pub since: String,
}

/// Where one is signed in.
#[derive(Debug, Template)]
#[template(path = "sessions.html")]
pub(crate) struct Sessions<'a> {
    pub frame: Frame,
    pub navigation: Navigation,
    pub username: &'a str,
    pub sessions: Vec<SessionRow>,
    pub action: String,
    pub transaction: &'a str,
}

/// One login.
#[derive(Debug)]
pub(crate) struct SessionRow {
    pub id: String,
    pub browser: String,
    /// Whether it is the one that shows this page.
    pub present: bool,
    pub since: String,
    pub since_words: String,
    pub address: Option<String>,
    pub families: Vec<FamilyRow>,
}

/// One application in a login.
#[derive(Debug)]
pub(crate) struct FamilyRow {
    pub client: String,
    pub last_used: String,
    pub last_used_words: String,
}

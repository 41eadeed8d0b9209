//! The pages on which people see who may act for them: their own tokens, and the applications they allowed.

use askama::Template;

use super::{Frame, Navigation};

/// A person's tokens, and the form for a new one.
#[derive(Debug, Template)]
#[template(path = "tokens.html")]
pub(crate) struct Tokens<'a> {
    pub frame: Frame,
    pub navigation: Navigation,
    pub username: &'a str,
    pub tokens: Vec<TokenRow>,
    pub services: Vec<ServiceRow>,
    pub lifetimes: Vec<Lifetime>,
    /// Whether the form is for a login that is more recent, or proves more.
    pub must_prove: bool,
    pub name: &'a str,
    pub error: Option<String>,
    pub action: String,
    /// Seals the form for a new token.
    pub making: &'a str,
    /// Seals the forms that end one.
    pub ending: &'a str,
}

/// One token.
#[derive(Debug)]
pub(crate) struct TokenRow {
    pub id: String,
    pub name: String,
    pub service: String,
    pub scopes: Vec<String>,
    pub created: String,
    pub expires: Option<String>,
    pub used: Option<String>,
}

/// A service that a token may be for.
#[derive(Debug)]
pub(crate) struct ServiceRow {
    pub name: String,
    pub words: String,
    pub scopes: Vec<ServiceScope>,
    pub chosen: bool,
}

/// A scope of such a service: the checkbox's name, and what people read.
#[derive(Debug)]
pub(crate) struct ServiceScope {
    pub field: String,
    pub words: String,
}

/// How long a token may last: the field's value, and what people read.
#[derive(Debug)]
pub(crate) struct Lifetime {
    pub value: String,
    pub words: String,
}

/// A token that was just made: the one time its text is shown.
#[derive(Debug, Template)]
#[template(path = "token_made.html")]
pub(crate) struct TokenMade<'a> {
    pub frame: Frame,
    pub navigation: Navigation,
    pub name: &'a str,
    pub text: &'a str,
    pub expires: Option<String>,
    pub tokens: String,
}

/// What a person allowed applications.
#[derive(Debug, Template)]
#[template(path = "consents.html")]
pub(crate) struct Consents<'a> {
    pub frame: Frame,
    pub navigation: Navigation,
    pub username: &'a str,
    pub consents: Vec<ConsentRow>,
    pub action: String,
    pub transaction: &'a str,
}

/// What one application may do.
#[derive(Debug)]
pub(crate) struct ConsentRow {
    pub id: String,
    pub client: String,
    pub scopes: Vec<String>,
    pub declined: Vec<String>,
    pub since: String,
    pub since_words: String,
}

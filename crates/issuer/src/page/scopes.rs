//! What an application asks for, as a list to read and, where it may do without, to untick.

use durward_oauth::consent::is_optional;
use durward_oauth::{Parameters, Registry as _};

use super::scope_words;
use crate::call::Call;

/// One thing that an application asks for.
#[derive(Debug)]
pub(crate) struct ScopeRow {
    pub words: String,
    /// The checkbox's name, when it may be left out.
    pub field: Option<String>,
}

/// A row for each scope that a client asks for at a service.
pub(crate) fn rows(call: &Call, client_id: &str, audience: &str, scopes: &[String]) -> Vec<ScopeRow> {
    let client = call.realm.client(client_id);
    let known = call.realm.service(audience).map(|service| service.scopes.as_slice()).unwrap_or_default();
    let row = |(index, scope): (usize, &String)| ScopeRow {
        words: scope_words(scope, known),
        field: client.is_some_and(|client| is_optional(client.metadata, scope)).then(|| field(index)),
    };
    scopes.iter().enumerate().map(row).collect()
}

/// The optional ones that the person has unticked: a checkbox that is not ticked is not sent.
pub(crate) fn left_out(call: &Call, (client_id, scopes): (&str, &[String]), answer: &Parameters) -> Vec<String> {
    let Some(client) = call.realm.client(client_id) else { return Vec::new() };
    let unticked = |(index, scope): &(usize, &String)| is_optional(client.metadata, scope) && answer.get(&field(*index)).is_none();
    scopes.iter().enumerate().filter(unticked).map(|(_, scope)| scope.clone()).collect()
}

fn field(index: usize) -> String {
    format!("scope-{index}")
}

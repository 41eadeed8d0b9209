//! Scopes in human words, for the consent page.

use durward_model::resource::Scope;

/// What people read for a scope: the realm's own by what they mean, a service's by its description, or its name when it has none.
pub(crate) fn scope_words(name: &str, of_service: &[Scope]) -> String {
    match name {
        "openid" => "Know that it is you".to_owned(),
        "profile" => "See your name and username".to_owned(),
        "email" => "See your e-mail address".to_owned(),
        "offline_access" => "Keep its access while you are away".to_owned(),
        _ => of_service
            .iter()
            .find(|scope| scope.name == name)
            .and_then(|scope| scope.description.clone())
            .unwrap_or_else(|| name.to_owned()),
    }
}

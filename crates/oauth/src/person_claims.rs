//! OpenID Connect Core section 5.1 and 5.4: what can be told about a person, and the scope that allows it.

use durward_model::Person;
use serde::Serialize;

/// The claims about people, each with its scope.
pub const CLAIMS: [(&str, &str); 4] =
    [("name", "profile"), ("preferred_username", "profile"), ("email", "email"), ("email_verified", "email")];

/// The scope that allows a claim; none for one that is never told.
pub(crate) fn scope_of(claim: &str) -> Option<&'static str> {
    CLAIMS.into_iter().find(|(name, _)| *name == claim).map(|(_, scope)| scope)
}

/// What is told about a person.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct PersonClaims {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    preferred_username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email_verified: Option<bool>,
}

impl PersonClaims {
    /// All that the scopes allow.
    pub(crate) fn allowed(person: &Person, scopes: &[String]) -> Self {
        let has = |scope: &str| scopes.iter().any(|granted| granted == scope);
        let email = person.email.clone().filter(|_| has("email"));
        Self {
            name: person.display_name.clone().filter(|_| has("profile")),
            preferred_username: has("profile").then(|| person.username.clone()),
            // Nobody has verified it.
            email_verified: email.is_some().then_some(false),
            email,
        }
    }

    /// Those of them that are named.
    pub(crate) fn only(self, names: &[String]) -> Self {
        let named = |name: &str| names.iter().any(|asked| asked == name);
        Self {
            name: self.name.filter(|_| named("name")),
            preferred_username: self.preferred_username.filter(|_| named("preferred_username")),
            email: self.email.filter(|_| named("email")),
            email_verified: self.email_verified.filter(|_| named("email_verified")),
        }
    }
}

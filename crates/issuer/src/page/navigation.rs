//! The pages of one's account, and the way from each to the others.
use crate::call::Call;

/// A page of the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Profile,
    TwoFactor,
    Sessions,
    Consents,
    Requests,
    Tokens,
}

/// What leads from one to the others.
#[derive(Debug)]
pub(crate) struct Navigation {
    pub links: Vec<Link>,
    pub logout: String,
}

/// A link, and whether it leads to where one is.
#[derive(Debug)]
pub(crate) struct Link {
    pub id: &'static str,
    pub words: &'static str,
    pub href: String,
    pub present: bool,
}

impl Navigation {
    /// As seen from a page.
    pub(crate) fn at(call: &Call, present: Place) -> Self {
        let account = format!("/realms/{}/account", call.realm.name());
        let link = |(place, id, words, path): (Place, &'static str, &'static str, &str)| Link {
            id,
            words,
            href: format!("{account}{path}"),
            present: place == present,
        };
        let links = [
            (Place::Profile, "account-profile", "Profile", ""),
            (Place::TwoFactor, "account-totp", "Two-factor", "/totp"),
            (Place::Sessions, "account-sessions", "Logins", "/sessions"),
            (Place::Consents, "account-consents", "Applications", "/consents"),
            (Place::Requests, "account-requests", "Requests", "/requests"),
            (Place::Tokens, "account-tokens", "Tokens", "/tokens"),
        ];
        Self { links: links.map(link).into(), logout: format!("/realms/{}/oauth2/logout", call.realm.name()) }
    }
}

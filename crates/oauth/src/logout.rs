//! OpenID Connect RP-Initiated Logout 1.0: a client asks that a person's login be ended.

use durward_base::{FamilyId, SessionId, Timestamp};
use durward_model::Family;
use durward_model::resource::{Client, Trust};

use crate::error::OAuthError;
use crate::id_token::IdTokenHint;
use crate::parameters::Parameters;
use crate::redirect_uri::with_query;
use crate::registry::Registry;

/// A logout request that was found valid.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogoutRequest {
    /// Who should be logged in, where an ID token says so.
    pub hint: Option<IdTokenHint>,
    /// Where to send the person afterwards: one of the client's registered addresses, with `state` added.
    pub redirect: Option<String>,
    /// Whether somebody who is not signed in follows a link there, rather than being sent: nothing shows that they come from the client, and
    /// whoever has one could use us to send people anywhere (RFC 9700 section 4.11.2).
    pub interstitial: bool,
}

impl LogoutRequest {
    /// Validates a logout request. No mistake in it ever leads to a redirect.
    ///
    /// # Errors
    /// `invalid_request`.
    pub fn read(parameters: &Parameters, registry: &dyn Registry, now: Timestamp) -> Result<Self, OAuthError> {
        let hint = parameters.get("id_token_hint").filter(|hint| !IdTokenHint::is_under_a_secret(hint));
        let hint = hint.map(|hint| IdTokenHint::verify(hint, registry, now)).transpose()?;
        let hinted = hint.as_ref().map(|hint| hint.client_id.as_str());
        let client_id = parameters.get("client_id");
        // 2: "When both client_id and id_token_hint are present, the OP MUST verify that the Client Identifier matches the one used as the
        // audience of the ID Token."
        if client_id.is_some() && hinted.is_some() && client_id != hinted {
            return Err(OAuthError::invalid_request("logout.client_mismatch", "client_id is not the client of id_token_hint"));
        }
        let Some(wanted) = parameters.get("post_logout_redirect_uri") else {
            return Ok(Self { hint, redirect: None, interstitial: false });
        };
        let client = client_id.or(hinted).and_then(|name| registry.client(name)).filter(|client| !client.metadata.disabled);
        // 3: "the OP MUST NOT perform post-logout redirection if the post_logout_redirect_uri value supplied does not exactly match one of
        // the previously registered post_logout_redirect_uris values."
        if !client.is_some_and(|client| client.metadata.post_logout_redirect_uris.iter().any(|registered| registered == wanted)) {
            return Err(OAuthError::invalid_request(
                "logout.redirect_unregistered",
                "post_logout_redirect_uri is not registered for the client",
            ));
        }
        let state = parameters.limited("state")?.map(|state| ("state", state));
        // A hint is easily had by whoever may register a client and log in themselves.
        let is_ours = |client: &Client| client.trust == Trust::FirstParty || client.origin.is_declared() && hint.is_some();
        let interstitial = !client.is_some_and(|client| is_ours(client.metadata));
        Ok(Self { redirect: Some(with_query(wanted, state)), hint, interstitial })
    }

    /// Whether the person must be asked before the login of `subject` is ended; `hinted` is the family that the hint is of, and
    /// `session` the login.
    ///
    /// RP-Initiated Logout 2: the OP "MUST ask the End-User this question if an id_token_hint was not provided or if the supplied ID Token
    /// does not belong to the current OP session with the RP and/or currently logged in End-User."
    pub fn must_ask(&self, registry: &dyn Registry, subject: &str, session: SessionId, hinted: Option<&Family>) -> bool {
        let is_of_this_login =
            |hint: &IdTokenHint| hinted.is_some_and(|family| Some(family.id) == hint.family && family.session == session);
        !self.hint.as_ref().is_some_and(|hint| hint.is_about(registry, subject) && is_of_this_login(hint))
    }
}

/// What the browser loads so that a client knows that a login of its is over; nothing where the client does not want to.
///
/// Front-Channel Logout 2: "The OP MAY add these query parameters when rendering the logout URI, and if either is included, both MUST be: iss
/// [and] sid".
pub fn frontchannel_uri(registry: &dyn Registry, client: &Client, family: FamilyId) -> Option<String> {
    let uri = client.frontchannel_logout_uri.as_ref().filter(|_| !client.disabled)?;
    Some(with_query(uri.as_str(), [("iss", registry.issuer()), ("sid", &family.to_string())]))
}

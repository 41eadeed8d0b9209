//! RFC 7617: The 'Basic' HTTP Authentication Scheme.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use durward_base::{Secret, Timestamp};
use durward_model::{Assurance, CredentialKind, Person};

use crate::eligibility::{Ineligible, roles_of};
use crate::issue_policy::{self, OfPerson};
use crate::registry::Registry;

/// The name and the password that a credential is made of.
///
/// Section 2: "user-pass = user-id ":" password", in UTF-8, as the challenge asks for; "The user-id and password MUST NOT contain any control
/// characters". An empty one of them proves nothing.
pub fn read(credential: &str) -> Option<(String, Secret)> {
    let decoded = Secret::new(String::from_utf8(STANDARD.decode(credential).ok()?).ok()?);
    let (name, password) = decoded.expose().split_once(':')?;
    let plain = !decoded.expose().chars().any(char::is_control) && !name.is_empty() && !password.is_empty();
    plain.then(|| (name.to_owned(), Secret::new(password)))
}

/// What a person is worth at a service by their password alone: their roles, sorted, where policies about issuing leave them any say.
///
/// # Errors
/// The first reason why they are worth nothing.
pub fn standing(
    registry: &dyn Registry,
    (person, assurance): (&Person, &Assurance),
    audience: &str,
    now: Timestamp,
) -> Result<Vec<String>, &'static str> {
    let service = registry.service(audience).ok_or(Ineligible::ServiceUnavailable.reason())?;
    let roles = roles_of(registry, person);
    let of = OfPerson { person, roles: &roles, assurance, grant: GRANT, kind: CredentialKind::Basic };
    issue_policy::ask_of_person(registry, of, service, Vec::new(), now).map_err(|why| why.reason())?;
    Ok(roles)
}

/// What policies about issuing know it as.
const GRANT: &str = "basic";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_ends_at_the_first_colon_and_what_is_no_text_is_none() {
        let read = |text: &[u8]| read(&STANDARD.encode(text)).map(|(name, password)| (name, password.expose().to_owned()));
        assert_eq!(read(b"alice:a:b"), Some(("alice".to_owned(), "a:b".to_owned())));
        // The example of section 2.1.
        assert_eq!(super::read("dGVzdDoxMjPCow==").unwrap().1.expose(), "123\u{a3}");
        for wrong in [&b"alice"[..], b":x", b"alice:", b"alice:\x00x", b"ali\x7fce:x", b"alice:x\r\n", b"alice:\xff"] {
            assert_eq!(read(wrong), None, "{wrong:?}");
        }
        assert!(super::read("YWxpY2U6eA").is_none(), "without its padding");
    }
}

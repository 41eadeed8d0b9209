//! RFC 9396: OAuth 2.0 Rich Authorization Requests. A service declares which types of authorization details it understands and what may stand
//! in them; nothing else is asked for, shown, kept or issued.

use std::collections::BTreeMap;

use durward_jose::Claims;
use durward_jose::json::{self, Limits};
use durward_model::authorization_details::type_of;
use durward_model::resource::{Client, DetailsMember, DetailsType, DetailsValue, Service};
use durward_model::{AuthorizationDetails, GrantType};
use serde_json::{Map, Value};

use crate::eligibility::Eligible;
use crate::error::{ErrorCode, OAuthError};
use crate::parameters::Parameters;
use crate::{resource_indicator, scope};

/// The most objects in one request.
pub const MOST: usize = 16;
/// The largest `authorization_details`, in bytes: they travel in every access token, whose readers bound their headers.
pub const MAX_BYTES: usize = 4 * 1024;
/// The longest text in them, in bytes.
const LONGEST_TEXT: usize = 512;
/// The deepest that a type's objects may stand in each other.
pub(crate) const DEEPEST: usize = 4;

/// What a request asks for in detail.
///
/// # Errors
/// `invalid_authorization_details`. Section 5: "The AS MUST refuse to process any unknown authorization details type or authorization details
/// not conforming to the respective type definition."
pub fn requested(parameters: &Parameters, client: &Client, service: &Service) -> Result<AuthorizationDetails, OAuthError> {
    let details = read(parameters)?.unwrap_or_default();
    for object in details.iter() {
        conforms(object, declared(object, client, service).ok_or(UNKNOWN_TYPE)?, service)?;
    }
    Ok(details)
}

/// The scopes that go with them: who asks for details alone asks for no scope, where who asks for nothing asks for all.
///
/// # Errors
/// `invalid_scope`.
pub(crate) fn scopes(
    parameters: &Parameters,
    details: &AuthorizationDetails,
    (client, service): (&Client, &Service),
    grant: GrantType,
) -> Result<Vec<String>, OAuthError> {
    match parameters.get("scope") {
        None if !details.is_empty() => Ok(Vec::new()),
        requested => scope::resolve(requested, client, service, grant),
    }
}

/// What a token gets of the details that were granted: those that its request names, or all, less those of types that were lost meanwhile.
///
/// # Errors
/// `invalid_authorization_details`. Section 6: "The AS checks whether the underlying grant [...] allows the issuance of an access token with
/// the requested authorization details. Otherwise, the AS refuses the request with the error code invalid_authorization_details".
pub(crate) fn narrowed(
    parameters: &Parameters,
    granted: &AuthorizationDetails,
    eligible: &Eligible<'_>,
) -> Result<AuthorizationDetails, OAuthError> {
    let details = match read(parameters)? {
        Some(requested) => requested,
        None => granted.clone(),
    };
    if !details.iter().all(|object| granted.iter().any(|granted| lies_within(object, granted))) {
        return Err(OAuthError::new(ErrorCode::InvalidAuthorizationDetails, "details.not_granted", "these details were not granted"));
    }
    let (client, service) = (eligible.applicant().client.metadata, eligible.service());
    Ok(AuthorizationDetails::new(details.iter().filter(|object| declared(object, client, service).is_some()).cloned().collect()))
}

/// What an exchanged token gets of the details in its subject's token: none but those that its request names, since those of one service are
/// seldom another's.
///
/// # Errors
/// `invalid_authorization_details`.
pub(crate) fn exchanged(
    parameters: &Parameters,
    held: &AuthorizationDetails,
    eligible: &Eligible<'_>,
) -> Result<AuthorizationDetails, OAuthError> {
    if parameters.get("authorization_details").is_none() {
        return Ok(AuthorizationDetails::default());
    }
    requested(parameters, eligible.applicant().client.metadata, eligible.service())?;
    narrowed(parameters, held, eligible)
}

/// Refuses them where nobody could be asked about them. Section 5 again: what is not understood is refused, and never passed over.
///
/// # Errors
/// `invalid_authorization_details`.
pub(crate) fn not_taken(parameters: &Parameters) -> Result<(), OAuthError> {
    match parameters.get("authorization_details") {
        None => Ok(()),
        Some(_) => Err(invalid("details.not_taken", "authorization_details are not taken with this grant")),
    }
}

/// Section 9.1: what a token of this realm says. What is no such array was not made here, and is none.
pub fn of_token(claims: &Claims) -> AuthorizationDetails {
    let details = claims.get("authorization_details").and_then(|details| serde_json::from_value(details.clone()).ok());
    details.unwrap_or_default()
}

/// What people read of one object: the declared sentence with its members filled in, and those members that it does not name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// The sentence; the type's name where none is declared.
    pub sentence: String,
    /// Path and value of every member that the sentence leaves out: nothing is allowed that was not shown.
    pub others: Vec<(String, String)>,
}

/// The words for each object. Section 5 leaves to the consent page what is asked for; the texts in it are the client's, and no markup.
pub fn words(details: &AuthorizationDetails, service: Option<&Service>) -> Vec<Words> {
    details.iter().map(|object| words_of(object, service)).collect()
}

fn words_of(object: &Map<String, Value>, service: Option<&Service>) -> Words {
    let name = type_of(object).unwrap_or_default();
    let mut leaves = BTreeMap::new();
    object.iter().filter(|(name, _)| *name != "type").for_each(|(name, value)| flatten(name.clone(), value, &mut leaves));
    let declared = service.and_then(|service| service.authorization_details.get(name)).and_then(|declared| declared.description.as_deref());
    let mut sentence = String::new();
    let mut named = Vec::new();
    for piece in pieces(declared.unwrap_or(name)) {
        match piece {
            Piece::Text(text) => sentence.push_str(text),
            Piece::Member(path) => {
                sentence.push_str(leaves.get(path).map_or("–", String::as_str));
                named.push(path);
            }
        }
    }
    let others = leaves.iter().filter(|(path, _)| !named.contains(&path.as_str()));
    Words { sentence, others: others.map(|(path, value)| (path.clone(), value.clone())).collect() }
}

fn flatten(path: String, value: &Value, leaves: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(members) => members.iter().for_each(|(name, value)| flatten(format!("{path}.{name}"), value, leaves)),
        Value::Array(values) => {
            leaves.insert(path, values.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "));
        }
        Value::String(text) => {
            leaves.insert(path, text.clone());
        }
        other => {
            leaves.insert(path, other.to_string());
        }
    }
}

enum Piece<'a> {
    Text(&'a str),
    /// `{path}`.
    Member(&'a str),
}

/// A sentence as it is declared.
fn pieces(sentence: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = sentence;
    while let Some((before, (path, after))) = rest.split_once('{').and_then(|(before, after)| Some((before, after.split_once('}')?))) {
        pieces.extend([Piece::Text(before), Piece::Member(path)]);
        rest = after;
    }
    pieces.push(Piece::Text(rest));
    pieces
}

/// What is wrong with a service's types, by field.
pub(crate) fn problems(service: &Service) -> Vec<(String, String)> {
    let mut problems = Vec::new();
    for (name, declared) in &service.authorization_details {
        let field = format!("authorization_details.{name}");
        if name.is_empty() || name.len() > 128 || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
            problems.push((field.clone(), format!("{name:?}: expected 1 to 128 visible ASCII characters")));
        }
        if declared.members.contains_key("type") {
            problems.push((format!("{field}.members.type"), "is the name of the type itself: leave it out".to_owned()));
        }
        members_problems(&format!("{field}.members"), &declared.members, 1, &mut problems);
        for piece in pieces(declared.description.as_deref().unwrap_or_default()) {
            match piece {
                Piece::Member(path) if !is_leaf(&declared.members, path) => {
                    problems.push((format!("{field}.description"), format!("{{{path}}} names no member that holds a value")));
                }
                Piece::Member(_) | Piece::Text(_) => {}
            }
        }
    }
    problems
}

fn members_problems(field: &str, members: &BTreeMap<String, DetailsMember>, depth: usize, problems: &mut Vec<(String, String)>) {
    if depth > DEEPEST {
        return problems.push((field.to_owned(), format!("objects stand in each other deeper than {DEEPEST} levels")));
    }
    for (name, member) in members {
        let (field, holds) = (format!("{field}.{name}"), member.holds);
        let texts = matches!(holds, DetailsValue::Text | DetailsValue::Texts);
        if !member.values.is_empty() && !texts {
            problems.push((format!("{field}.values"), "only texts are one of a list: remove it or let the member hold text".to_owned()));
        }
        if member.members.is_empty() == (holds == DetailsValue::Object) {
            problems.push((format!("{field}.members"), "an object has members, and nothing else has".to_owned()));
        }
        members_problems(&format!("{field}.members"), &member.members, depth + 1, problems);
    }
}

fn is_leaf(members: &BTreeMap<String, DetailsMember>, path: &str) -> bool {
    match path.split_once('.') {
        None => members.get(path).is_some_and(|member| member.holds != DetailsValue::Object),
        Some((first, rest)) => members.get(first).is_some_and(|member| is_leaf(&member.members, rest)),
    }
}

/// Section 2: "The authorization_details parameter contains, in JSON notation, an array of objects."
fn read(parameters: &Parameters) -> Result<Option<AuthorizationDetails>, OAuthError> {
    let Some(text) = parameters.get("authorization_details") else { return Ok(None) };
    let limits = Limits { bytes: MAX_BYTES, depth: 8 };
    let Ok(Value::Array(values)) = json::parse(text.as_bytes(), limits) else { return Err(MALFORMED) };
    if values.len() > MOST {
        return Err(MALFORMED);
    }
    let object = |value| match value {
        Value::Object(object) if type_of(&object).is_some() => Ok(object),
        _ => Err(MALFORMED),
    };
    values.into_iter().map(object).collect::<Result<_, _>>().map(AuthorizationDetails::new).map(Some)
}

/// The type of an object, where the service understands it and the client may ask for it.
fn declared<'s>(object: &Map<String, Value>, client: &Client, service: &'s Service) -> Option<&'s DetailsType> {
    let name = type_of(object)?;
    service.authorization_details.get(name).filter(|_| client.authorization_details_types.iter().any(|allowed| allowed == name))
}

fn conforms(object: &Map<String, Value>, declared: &DetailsType, service: &Service) -> Result<(), OAuthError> {
    // 2.2: "locations: An array of strings representing the location of the resource or RS": those of another service are another's to allow.
    let elsewhere = |location: &Value| !location.as_str().is_some_and(|location| resource_indicator::names(service, location));
    if object.get("locations").and_then(Value::as_array).is_some_and(|locations| locations.iter().any(elsewhere)) {
        return Err(invalid("details.elsewhere", "locations name another service than the one the token is for"));
    }
    let members = object.iter().filter(|(name, _)| *name != "type");
    if are_well_shaped(members, &declared.members) { Ok(()) } else { Err(MISSHAPEN) }
}

/// Section 5: refused is what "is an object of known type but containing unknown fields", "contains fields of the wrong type", "contains
/// fields with invalid values", or "is missing required fields for the authorization details type".
fn are_well_shaped<'v>(members: impl Iterator<Item = (&'v String, &'v Value)>, declared: &BTreeMap<String, DetailsMember>) -> bool {
    let mut missing: Vec<_> = declared.iter().filter(|(_, member)| member.required).map(|(name, _)| name).collect();
    let mut known = true;
    for (name, value) in members {
        known &= declared.get(name).is_some_and(|member| is_well_shaped(value, member));
        missing.retain(|required| *required != name);
    }
    known && missing.is_empty()
}

fn is_well_shaped(value: &Value, declared: &DetailsMember) -> bool {
    let text = |value: &Value| {
        value.as_str().is_some_and(|text| {
            let listed = declared.values.is_empty() || declared.values.iter().any(|value| value == text);
            listed && text.len() <= LONGEST_TEXT && !text.chars().any(misleads)
        })
    };
    match (declared.holds, value) {
        (DetailsValue::Text, value) => text(value),
        (DetailsValue::Texts, Value::Array(values)) => !values.is_empty() && values.iter().all(text),
        (DetailsValue::Integer, value) => value.is_i64() || value.is_u64(),
        (DetailsValue::Boolean, value) => value.is_boolean(),
        (DetailsValue::Object, Value::Object(members)) => are_well_shaped(members.iter(), &declared.members),
        (DetailsValue::Texts | DetailsValue::Object, _) => false,
    }
}

/// What would make people read another text than the one they allow.
fn misleads(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Whether what is asked for is part of what was granted: the same, but for arrays of texts, of which it may have fewer. Section 6.1 leaves
/// comparing to each type; this rule holds for all that can be declared, and a member left out is never less.
fn lies_within(asked: &Map<String, Value>, granted: &Map<String, Value>) -> bool {
    let part = |(name, value): (&String, &Value)| granted.get(name).is_some_and(|granted| is_part(value, granted));
    asked.len() == granted.len() && asked.iter().all(part)
}

fn is_part(asked: &Value, granted: &Value) -> bool {
    match (asked, granted) {
        (Value::Object(asked), Value::Object(granted)) => lies_within(asked, granted),
        (Value::Array(asked), Value::Array(granted)) => !asked.is_empty() && asked.iter().all(|value| granted.contains(value)),
        (asked, granted) => asked == granted,
    }
}

const fn invalid(reason: &'static str, description: &'static str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidAuthorizationDetails, reason, description)
}

const MALFORMED: OAuthError =
    invalid("details.malformed", "authorization_details must be a JSON array of at most 16 objects, each with a type, at most 4 KiB");
const UNKNOWN_TYPE: OAuthError = invalid("details.type_unknown", "a type is unknown to the service, or not this client's to ask for");
const MISSHAPEN: OAuthError =
    invalid("details.misshapen", "an object has a member that its type does not have, lacks one, or has a value that is not allowed");

#[cfg(test)]
mod tests;

//! How many questions a second 1,000 policies answer: `decisions index`, by the scope index, or `decisions crate`, by the crate
//! `cedar-policy` alone on the same set.

use std::collections::HashSet;
use std::error::Error;
use std::fmt::Write as _;
use std::str::FromStr as _;
use std::time::{Duration, Instant};

use cedar_policy::{Authorizer, Context, Decision, Entities, EntityUid, PolicySet, Request};
use durward_base::Timestamp;
use durward_model::{Assurance, AuthorizationDetails, CredentialFacts, CredentialKind, Principal, PrincipalKind, Source};
use durward_policy::{Circumstances, Document, Entity, Places, Policies, Question, Subject};

const POLICIES: usize = 1_000;
const SCHEMA: &str = r#"
entity Shelf;
action "shop:read", "shop:write" appliesTo { principal: [Durward::User, Durward::Service, Durward::Client], resource: [Shelf] };
"#;

fn main() -> Result<(), Box<dyn Error>> {
    let text = policies()?;
    let rate = match std::env::args().nth(1).as_deref() {
        Some("index") => by_index(&text)?,
        Some("crate") => by_crate(&text)?,
        _ => return Err("expected `index` or `crate`".into()),
    };
    println!("{rate:.0}");
    Ok(())
}

/// One lets readers read; the others are about keepers, each with a shelf.
fn policies() -> Result<String, std::fmt::Error> {
    let mut text = "permit (principal in Durward::Role::\"reader\", action == Action::\"shop:read\", resource);\n".to_owned();
    for shelf in 1..POLICIES {
        let action = if shelf % 2 == 0 { "read" } else { "write" };
        writeln!(
            text,
            "permit (principal in Durward::Role::\"keeper-{shelf}\", action == Action::\"shop:{action}\", resource == Shelf::\"{shelf}\");"
        )?;
    }
    Ok(text)
}

fn by_index(text: &str) -> Result<f64, Box<dyn Error>> {
    let roles: Vec<String> = (1..POLICIES).map(|shelf| format!("keeper-{shelf}")).chain(["reader".to_owned()]).collect();
    let known: HashSet<&str> = roles.iter().map(String::as_str).collect();
    let policies = Policies::compile(&[Document { name: "shop", text }], &[Document { name: "shop", text: SCHEMA }], &known)?;
    let subject = Subject::new(&reader(), &policies).ok_or("the principal has no name in Cedar")?;
    let (resource, places) = (Entity::new("Shelf", "7")?, Places::default());
    let circumstances = Circumstances { now: NOW, address: None, known_browser: None };
    let question = Question { subject: &subject, action: "shop:read", resource: &resource, circumstances, places: &places };
    a_second(|| policies.decide(&question).allowed)
}

fn by_crate(text: &str) -> Result<f64, Box<dyn Error>> {
    let policies = PolicySet::from_str(text)?;
    let entities = Entities::from_json_str(
        r#"[{"uid":{"type":"Durward::Client","id":"bench"},"attrs":{},"parents":[{"type":"Durward::Role","id":"reader"}]}]"#,
        None,
    )?;
    let uid = |text: &str| EntityUid::from_str(text).map_err(Box::new);
    let request =
        Request::new(uid("Durward::Client::\"bench\"")?, uid("Action::\"shop:read\"")?, uid("Shelf::\"7\"")?, Context::empty(), None)?;
    let authorizer = Authorizer::new();
    a_second(|| authorizer.is_authorized(&request, &policies, &entities).decision() == Decision::Allow)
}

/// How often it is answered with yes in a second.
fn a_second(mut ask: impl FnMut() -> bool) -> Result<f64, Box<dyn Error>> {
    let (started, mut answered) = (Instant::now(), 0_u32);
    while started.elapsed() < Duration::from_secs(1) {
        for _ in 0..10 {
            if !ask() {
                return Err("the question must be answered with yes".into());
            }
        }
        answered += 10;
    }
    Ok(f64::from(answered) / started.elapsed().as_secs_f64())
}

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

fn reader() -> Principal {
    Principal {
        realm: "main".into(),
        kind: PrincipalKind::Client,
        id: "bench".into(),
        acts_for: None,
        roles: vec!["reader".into()],
        scopes: Vec::new(),
        authorization_details: AuthorizationDetails::default(),
        assurance: Assurance::default(),
        credential: CredentialFacts {
            kind: CredentialKind::Jwt,
            id: "jti".into(),
            issuer: "https://auth.example/realms/main".into(),
            family: None,
            session: None,
            client: Some("bench".into()),
            key: None,
            bound_key: None,
            issued: NOW,
            expires: NOW + durward_base::Duration::from_secs(300),
        },
        source: Source::default(),
    }
}

//! Requests through the gateway: a credential verified, a requirement and 100 policies decided, an identity token sent, an audit event kept;
//! each way in against a peer that does less of it, or against what the work cannot do without.

mod callers;
mod certificates;
mod decisions;
mod handshakes;
mod idle;
mod peers;
mod reloads;
mod resources;
mod site;
mod steps;
mod target;

use std::collections::BTreeMap;

use super::report::{Case, Report};
use super::{Plan, authority};
pub(super) use certificates::self_signed;
pub use peers::must_be_there;
pub(super) use resources::write as resources;
use site::Site;
use target::Target;

/// What is compared with what, and what the ratio is to be.
struct Goal {
    name: &'static str,
    ours: Target,
    theirs: Target,
    goal: f64,
    at_most: bool,
}

/// Every case, the headline first.
const GOALS: [Goal; 19] = [
    at_least("tls-jwt-100-policies", Target::Jwt, Target::NginxTls, 1.10),
    at_least("tls-jwt-context", Target::JwtContext, Target::NginxTls, 0.90),
    at_least("plain-behind-a-front", Target::Plain, Target::NginxPlain, 0.85),
    at_least("envoy-jwt-authn-cached", Target::Plain, Target::Envoy, 2.5),
    at_least("haproxy-jwt-verify", Target::Plain, Target::Haproxy, 4.5),
    at_least("nginx-auth-request", Target::Plain, Target::NginxAsking, 2.0),
    at_least("new-tokens", Target::NewTokens, Target::Verification, 0.55),
    at_least("api-key", Target::ApiKey, Target::Jwt, 0.95),
    at_least("basic", Target::Basic, Target::Jwt, 0.95),
    at_least("client-certificate", Target::Certificate, Target::JwtByCallers, 0.95),
    at_least("browser-session", Target::Session, Target::Jwt, 0.95),
    at_least("answers-of-16-kib", Target::Large, Target::NginxLarge, 1.3),
    at_least("new-mutual-tls", Target::Connections, Target::Handshakes, 0.85),
    at_most("p99-at-8000", Target::Steady, Target::NginxSteady, 1.1),
    at_most("memory-with-64-connections", Target::Memory, Target::ThirtyMib, 1.0),
    at_most("memory-of-an-idle-connection", Target::IdlePlain, Target::FourKib, 1.0),
    at_most("memory-of-an-idle-tls-connection", Target::IdleTls, Target::TwelveKib, 1.0),
    at_least("100-reloads", Target::Reloaded, Target::Unreloaded, 0.95),
    at_least("decision-at-1000-policies", Target::Decision, Target::CedarCrate, 50.0),
];

const fn at_least(name: &'static str, ours: Target, theirs: Target, goal: f64) -> Goal {
    Goal { name, ours, theirs, goal, at_most: false }
}

const fn at_most(name: &'static str, ours: Target, theirs: Target, goal: f64) -> Goal {
    Goal { name, ours, theirs, goal, at_most: true }
}

/// Runs the cases named, or all of them.
pub fn run(plan: &Plan, only: &[String]) -> anyhow::Result<Report> {
    if let Some(unknown) = only.iter().find(|name| GOALS.iter().all(|goal| goal.name != **name)) {
        let names: Vec<_> = GOALS.iter().map(|goal| goal.name).collect();
        anyhow::bail!("--only {unknown}: there is no such case; expected {}", names.join(", "));
    }
    must_be_there()?;
    authority::build(plan)?;
    let mut goals: Vec<&Goal> = GOALS.iter().filter(|goal| only.is_empty() || only.iter().any(|name| name == goal.name)).collect();
    goals.retain(|goal| match goal.theirs.missing() {
        Some((peer, how)) => {
            println!("# {} is skipped: {peer} is not installed; {how} brings it", goal.name);
            false
        }
        None => true,
    });
    let directory = tempfile::tempdir()?;
    let site = Site::start(plan, directory.path())?;
    let mut report = Report::new("gateway", GOALS.first().map_or("", |goal| goal.name));
    report.cases = goals.iter().map(|goal| goal.case()).collect();
    for round in 0..=plan.rounds {
        // What stands in several cases is measured once a round.
        let mut figures = BTreeMap::new();
        for (goal, case) in goals.iter().zip(&mut report.cases) {
            let [ours, theirs] = [goal.ours, goal.theirs].map(|target| figure(&site, target, &mut figures));
            let (ours, theirs) = (ours?, theirs?);
            println!("# round {round}: {} {ours:.1} against {theirs:.1}", goal.name);
            // The first round warms up.
            if round > 0 {
                case.rounds.push((ours, theirs));
            }
        }
    }
    report.notes.extend(steps::of(site.durward())?);
    Ok(report)
}

fn figure(site: &Site, target: Target, figures: &mut BTreeMap<Target, f64>) -> anyhow::Result<f64> {
    if let Some(figure) = figures.get(&target) {
        return Ok(*figure);
    }
    let figure = site.measure(target).map_err(|error| error.context(format!("{target:?}")))?;
    figures.insert(target, figure);
    Ok(figure)
}

impl Goal {
    fn case(&self) -> Case {
        let &Self { name, ours, theirs, goal, at_most } = self;
        let (name, peer, unit) = (name.to_owned(), theirs.name().to_owned(), ours.unit().to_owned());
        Case { name, peer, unit, goal, at_most, rounds: Vec::new() }
    }
}

//! An explanation for a terminal: one block a hop, what was read before what was decided.

use std::fmt::{Display, Formatter, Result, Write as _};

use durward_model::event::StepName;
use durward_model::{Caller, CredentialFacts, Event, Request};
use serde::Serialize;

use super::{Explanation, Hop, Origin};

impl Display for Explanation {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        if let Some(transaction) = &self.transaction {
            writeln!(f, "transaction {transaction}")?;
        }
        self.hops.iter().enumerate().try_for_each(|(index, hop)| write_hop(f, hop, &format!("{}", index + 1), 0))
    }
}

fn write_hop(f: &mut Formatter<'_>, hop: &Hop, number: &str, depth: usize) -> Result {
    let event = &hop.event;
    let indent = "   ".repeat(depth);
    writeln!(f, "\n{indent}{number}  {}", headline(event))?;
    for (label, value) in lines(event, &hop.origin) {
        writeln!(f, "{indent}   {label:<11} {value}")?;
    }
    hop.next.iter().enumerate().try_for_each(|(index, next)| write_hop(f, next, &format!("{number}.{}", index + 1), depth + 1))
}

fn headline(event: &Event) -> String {
    let what = match &event.request {
        Some(Request { method, path, status, .. }) if !method.is_empty() => format!("{method} {path}  {status} {}", Word(event.outcome)),
        _ => format!("{}  {}", event.kind.name(), Word(event.outcome)),
    };
    let why = event.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    format!("{}  {what}{why}", event.node)
}

/// Label and value of everything known about a hop, in the order of the steps.
fn lines(event: &Event, origin: &Origin) -> Vec<(&'static str, String)> {
    let mut lines = vec![("request", format!("{}  {}", event.id, event.time))];
    let mut line = |label: &'static str, value: String| lines.push((label, value));
    if let Some(detail) = &event.detail {
        line("detail", detail.clone());
    }
    match event.request.as_ref().map(|request| (&request.route, &request.address)) {
        Some((Some(route), Some(address))) => line("route", format!("{route}, from {address}")),
        Some((Some(route), None)) => line("route", route.to_string()),
        Some((None, Some(address))) => line("from", address.clone()),
        _ => {}
    }
    if let Some(caller) = &event.caller {
        if let Some(credential) = &caller.credential {
            line("credential", describe_credential(credential));
            line("issued", describe_issue(credential, origin));
        }
        if let Some(login) = &origin.login {
            line("login", describe_login(login, caller));
        }
        line("principal", describe_principal(caller));
    }
    if let Some(decided) = &event.decided {
        let plain = decided.rule.is_empty() || decided.by == decided.rule;
        line("decided by", if plain { decided.by.clone() } else { format!("{} {}", decided.by, decided.rule) });
        if let Some(action) = &decided.action {
            line("asked", decided.resource.as_ref().map_or_else(|| action.clone(), |resource| format!("{action} on {resource}")));
        }
        decided.read.iter().for_each(|(name, value)| line("read", format!("{name} = {value}")));
    }
    if let Some(target) = &event.target {
        line("target", target.clone());
    }
    if let Some(request) = &event.request {
        if let Some(audience) = &request.audience {
            let token = event.issued.as_ref().map(|id| format!(", token {id}")).unwrap_or_default();
            line("identity", format!("for {audience}{token}"));
        }
        if let Some(upstream) = &request.upstream {
            line("upstream", upstream.to_string());
        }
    }
    if !event.steps.is_empty() {
        line("times", describe_steps(&event.steps));
    }
    if event.lost > 0 {
        line("lost", format!("{} events could not be recorded", event.lost));
    }
    lines
}

fn describe_credential(credential: &CredentialFacts) -> String {
    let key = credential.key.as_ref().map(|key| format!(", key {key}")).unwrap_or_default();
    format!("{} {} by {}{key}", Word(credential.kind), credential.id, credential.issuer)
}

fn describe_issue(credential: &CredentialFacts, origin: &Origin) -> String {
    let mut text = format!("{}, expires {}", credential.issued, credential.expires);
    if let Some(client) = &credential.client {
        let _ = write!(text, ", to client {client}");
    }
    if let Some(issued) = &origin.issued {
        let _ = write!(text, ", by {} in request {}", issued.node, issued.id);
        if let Some(decided) = issued.decided.as_ref().filter(|decided| !decided.rule.is_empty()) {
            let _ = write!(text, " ({} {})", decided.by, decided.rule);
        }
    }
    text
}

fn describe_login(login: &Event, caller: &Caller) -> String {
    let acr = caller.assurance.acr.as_ref().map(|acr| format!(" ({acr})")).unwrap_or_default();
    format!("{}{acr} in request {}", login.time, login.id)
}

fn describe_principal(caller: &Caller) -> String {
    let mut text = format!("{} {}", Word(caller.kind), caller.id);
    if let Some(acting) = &caller.acts_for {
        let _ = write!(text, " for {} {}", Word(acting.kind), acting.id);
        for actor in &acting.through {
            let _ = write!(text, " through {} {}", Word(actor.kind), actor.id);
        }
    }
    if !caller.roles.is_empty() {
        let _ = write!(text, ", roles {}", caller.roles.join(" "));
    }
    if !caller.scopes.is_empty() {
        let _ = write!(text, ", scopes {}", caller.scopes.join(" "));
    }
    text
}

fn describe_steps(steps: &[(StepName, u32)]) -> String {
    let times: Vec<_> = steps.iter().map(|(step, micros)| format!("{} {}", Word(*step), time(*micros))).collect();
    times.join(" · ")
}

fn time(micros: u32) -> String {
    if micros < 1000 { format!("{micros} µs") } else { format!("{}.{} ms", micros / 1000, micros % 1000 / 100) }
}

/// The word an enumeration's value has in JSON.
struct Word<T>(T);

impl<T: Serialize> Display for Word<T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        self.0.serialize(f)
    }
}

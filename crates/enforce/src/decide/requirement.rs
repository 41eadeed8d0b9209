//! What a principal must have, read off the principal itself.

use std::sync::Arc;

use durward_base::Timestamp;
use durward_model::resource::Requirement;
use durward_model::{Assurance, Decided, Principal, PrincipalKind};

use super::{Denial, StepUp};

/// Checks a requirement: all of its scopes, one of its roles, one of its callers, the login. The decision lists what was read.
pub(super) fn check(requirement: &Requirement, principal: &Principal, version: u64, now: Timestamp) -> Result<Decided, Box<Denial>> {
    let Requirement { scopes, roles, callers, authenticated, acr, max_age_seconds } = requirement;
    let mut rules = Vec::new();
    let mut read = Vec::new();
    let mut failed = None;
    if !scopes.is_empty() {
        rules.push(format!("scope {}", scopes.join(" ")));
        read.push(("principal.scopes".to_owned(), principal.scopes.join(" ")));
        let missing = scopes.iter().find(|scope| !principal.scopes.contains(scope));
        failed = failed.or(missing.map(|scope| ("scope_missing", format!("scope \"{scope}\" is needed"), Some(scopes.join(" ")))));
    }
    if !roles.is_empty() {
        rules.push(format!("role {}", roles.join(" or ")));
        read.push(("principal.roles".to_owned(), principal.roles.join(" ")));
        let has_one = roles.iter().any(|role| principal.roles.contains(role));
        failed = failed.or((!has_one).then(|| ("role_missing", format!("role {} is needed", roles.join(" or ")), None)));
    }
    if !callers.is_empty() {
        rules.push(format!("caller {}", callers.join(" or ")));
        read.push(("principal".to_owned(), principal.id.clone()));
        let is_one = principal.kind != PrincipalKind::User && callers.contains(&principal.id);
        failed = failed.or((!is_one).then(|| ("caller_not_allowed", format!("only {} may call this", callers.join(" or ")), None)));
    }
    // Last: another login does not help whoever lacks something else.
    let mut wanted = None;
    if acr.is_some() || max_age_seconds.is_some() {
        let login = StepUp { acr: *acr, max_age_seconds: *max_age_seconds };
        rules.push(login.to_string());
        let Assurance { acr, auth_time, .. } = &principal.assurance;
        read.push(("principal.acr".to_owned(), acr.clone().unwrap_or_default()));
        // Without a bound on its age the answer is kept, and its age would be that of another moment.
        let age = max_age_seconds.and(*auth_time).map(|time| now.since(time).as_secs().to_string());
        read.extend(age.map(|age| ("principal.auth_age".to_owned(), age)));
        if failed.is_none() && !login.is_met_by(&principal.assurance, now) {
            // A program has nobody to log in.
            let lifts = principal.kind == PrincipalKind::User || auth_time.is_some();
            failed = Some((if lifts { "login_too_weak" } else { "login_missing" }, format!("a login is needed with {login}"), None));
            wanted = lifts.then_some(login);
        }
    }
    if *authenticated || rules.is_empty() {
        rules.push("authenticated".to_owned());
    }
    let (by, rule) = ("requirement".to_owned(), rules.join(", "));
    let decided = Decided { by, rule, action: None, resource: None, read, version };
    match failed {
        // An empty requirement asks nothing and therefore grants nothing (R14).
        _ if requirement.is_empty() => Err(Box::new(Denial {
            reason: "not_permitted",
            detail: "nothing is required, so that nothing is granted".to_owned(),
            scope: None,
            step_up: None,
            dpop: false,
            decision: Arc::new(decided),
        })),
        Some((reason, detail, scope)) => {
            Err(Box::new(Denial { reason, detail, scope, step_up: wanted, dpop: false, decision: Arc::new(decided) }))
        }
        None => Ok(decided),
    }
}

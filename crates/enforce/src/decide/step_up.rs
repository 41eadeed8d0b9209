//! RFC 9470: step-up authentication. Which login would do, where the one there is does not.

use durward_base::{Duration, Timestamp};
use durward_model::resource::Acr;
use durward_model::{Assurance, Principal, PrincipalKind};

/// A login that would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StepUp {
    /// How strong; any when absent.
    pub acr: Option<Acr>,
    /// How recent, in seconds; any when absent.
    pub max_age_seconds: Option<u32>,
}

impl StepUp {
    /// Whether a login is such a one.
    pub(super) fn is_met_by(&self, assurance: &Assurance, now: Timestamp) -> bool {
        let level = assurance.acr.as_deref().and_then(Acr::from_name);
        let is_strong = self.acr.is_none_or(|wanted| level.is_some_and(|level| level >= wanted));
        let is_recent = |seconds: u32| assurance.auth_time.is_some_and(|time| now.since(time) <= Duration::from_secs(seconds.into()));
        is_strong && self.max_age_seconds.is_none_or(is_recent)
    }

    /// Section 3: "acr_values" and "max_age", as parameters of the challenge.
    pub(crate) fn parameters(&self) -> String {
        let acr = self.acr.map(|acr| format!(", acr_values=\"{}\"", acr.name()));
        let max_age = self.max_age_seconds.map(|seconds| format!(", max_age=\"{seconds}\""));
        [acr, max_age].into_iter().flatten().collect()
    }
}

impl std::fmt::Display for StepUp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let acr = self.acr.map(|acr| format!("acr {}", acr.name()));
        let age = self.max_age_seconds.map(|seconds| format!("not older than {seconds} s"));
        f.write_str(&acr.into_iter().chain(age).collect::<Vec<_>>().join(", "))
    }
}

/// The least login with which policies that said no would say yes: a recent one, or a stronger one. What they read of it they do not tell, so
/// they are asked again, as if the person had just logged in so.
pub(super) fn lifting(principal: &Principal, now: Timestamp, allows: impl Fn(&Principal) -> bool) -> Option<StepUp> {
    if principal.kind != PrincipalKind::User {
        return None;
    }
    let with = |acr: Option<&str>, amr: &[&str]| {
        let acr = acr.map(str::to_owned).or_else(|| principal.assurance.acr.clone());
        let amr = amr.iter().map(|method| (*method).to_owned()).chain(principal.assurance.amr.iter().cloned()).collect();
        Principal { assurance: Assurance { acr, amr, auth_time: Some(now) }, ..principal.clone() }
    };
    if allows(&with(None, &[])) {
        return Some(StepUp { acr: None, max_age_seconds: Some(0) });
    }
    allows(&with(Some(Acr::Mfa.name()), &["otp", "mfa"])).then_some(StepUp { acr: Some(Acr::Mfa), max_age_seconds: None })
}

//! Routes that only observe: what they would refuse passes, and the record says why it would not have.

use std::sync::Arc;

use durward_model::resource::Mode;

use super::{Decision, Permitted};
use crate::{CompiledRoute, Refusal};

impl<T> Permitted<T> {
    /// Lets `value` pass although it was refused, where the route observes; `usual` is the mode of routes that name none.
    /// None where the route enforces, and where the refusal is not about the caller: what can be read in two ways never passes.
    pub fn observed(route: &CompiledRoute, usual: Mode, refusal: &Refusal, value: T) -> Option<Self> {
        if route.resource().mode.unwrap_or(usual) == Mode::Enforce || !refusal.is_about_the_caller() {
            return None;
        }
        let decision = match refusal {
            Refusal::Denied(denial) => Arc::clone(&denial.decision),
            other => Arc::new(Decision {
                by: "observe".to_owned(),
                rule: other.reason().to_owned(),
                action: None,
                resource: None,
                read: Vec::new(),
                version: route.identity().1,
            }),
        };
        Some(Self { value, decision })
    }
}

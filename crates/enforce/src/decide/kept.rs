//! Decisions kept with the credential they were made for, while the answer to the same question is the same (R11 yields here and nowhere
//! else). The key is a structure, not a text, so that two questions never share one (POL-008).

use std::collections::VecDeque;
use std::sync::{Arc, MutexGuard, PoisonError};

use durward_base::ResourceId;
use durward_model::Position;
use durward_policy::{Clock, Entity, Holds, Question};

use super::Answer;
use crate::Verified;

/// The most decisions kept with one credential; the oldest goes first.
const MOST: usize = 32;

#[derive(Debug, Default)]
pub(crate) struct KeptDecisions {
    actions: VecDeque<KeptAction>,
    requirements: VecDeque<((ResourceId, u64), Answer)>,
}

#[derive(Debug)]
struct KeptAction {
    version: Position,
    action: String,
    resource: Entity,
    holds: Holds,
    /// When the values that the answer shows were read.
    clock: Clock,
    answer: Answer,
}

impl KeptDecisions {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.actions.len() + self.requirements.len()
    }
}

/// The decisions of one credential. Its realm is the realm of the policies, always.
pub(super) struct Kept<'a>(&'a Verified);

impl Verified {
    pub(super) const fn kept(&self) -> Kept<'_> {
        Kept(self)
    }
}

impl Kept<'_> {
    /// The answer to a route's requirement, asked once for each state of the route.
    pub fn requirement(&self, route: (ResourceId, u64), ask: impl FnOnce() -> Answer) -> Answer {
        if let Some((_, answer)) = self.lock().requirements.iter().find(|(known, _)| *known == route) {
            return answer.clone();
        }
        let answer = ask();
        let mut kept = self.lock();
        if kept.requirements.len() >= MOST {
            kept.requirements.pop_front();
        }
        kept.requirements.push_back((route, answer.clone()));
        answer
    }

    /// The answer the policies of this version give to this question: asked once, for as long as it says that it holds.
    pub fn action(&self, version: Position, question: &Question<'_>, ask: impl FnOnce() -> (Answer, Option<Holds>)) -> Answer {
        if let Some(known) = self.lock().actions.iter_mut().find(|known| known.is_for(version, question)) {
            return known.answer_now(question.clock());
        }
        let (answer, holds) = ask();
        if let Some(holds) = holds {
            let (action, resource, clock) = (question.action.to_owned(), question.resource.clone(), question.clock());
            self.keep(KeptAction { version, action, resource, holds, clock, answer: answer.clone() });
        }
        answer
    }

    fn keep(&self, action: KeptAction) {
        let mut kept = self.lock();
        kept.actions.retain(|known| known.version == action.version);
        if kept.actions.len() >= MOST {
            kept.actions.pop_front();
        }
        kept.actions.push_back(action);
    }

    fn lock(&self) -> MutexGuard<'_, KeptDecisions> {
        self.0.profile().decisions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl KeptAction {
    fn is_for(&self, version: Position, question: &Question<'_>) -> bool {
        self.version == version && self.action == question.action && self.resource == *question.resource && self.holds.at(question)
    }

    /// The same answer, showing what is read now.
    fn answer_now(&mut self, clock: Clock) -> Answer {
        if self.clock != clock {
            self.clock = clock;
            let decision = match &mut self.answer {
                Ok(decision) => decision,
                Err(denial) => &mut denial.decision,
            };
            if decision.read.iter().any(|(name, _)| Clock::shows(name)) {
                clock.show_in(&mut Arc::make_mut(decision).read);
            }
        }
        self.answer.clone()
    }
}

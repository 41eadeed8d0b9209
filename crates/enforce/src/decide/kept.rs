//! Decisions kept with the credential they were made for: only such as read nothing but the credential itself (R11 yields here and nowhere
//! else). The key is a structure, not a text, so that two questions never share one (POL-008).

use std::collections::VecDeque;
use std::sync::{MutexGuard, PoisonError};

use durward_base::ResourceId;
use durward_model::Position;
use durward_policy::Entity;

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
    answer: Answer,
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

    /// The answer the policies of this version gave to this question.
    pub fn action(&self, version: Position, action: &str, resource: &Entity) -> Option<Answer> {
        let kept = self.lock();
        let is_it = |known: &&KeptAction| known.version == version && known.action == action && known.resource == *resource;
        kept.actions.iter().find(is_it).map(|known| known.answer.clone())
    }

    /// Keeps an answer that read nothing of the moment.
    pub fn keep(&self, version: Position, action: &str, resource: &Entity, answer: &Answer) {
        let mut kept = self.lock();
        kept.actions.retain(|known| known.version == version);
        if kept.actions.len() >= MOST {
            kept.actions.pop_front();
        }
        let (action, resource, answer) = (action.to_owned(), resource.clone(), answer.clone());
        kept.actions.push_back(KeptAction { version, action, resource, answer });
    }

    fn lock(&self) -> MutexGuard<'_, KeptDecisions> {
        self.0.decisions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

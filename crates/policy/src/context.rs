//! What policies read of `context`, and within which values of it an answer stays the same.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::ops::RangeInclusive;

use crate::places::Edition;
use crate::{Question, Subject};

/// What some policies read of `context`.
#[derive(Debug, Clone, Default)]
pub(crate) struct ContextReads {
    /// The names of its attributes, those included whose presence alone is asked for.
    attributes: BTreeSet<String>,
    /// Whether it is read as a whole.
    whole: bool,
    /// Whether `time` or `auth_age` is read otherwise than to be compared with a constant.
    moves: bool,
    times: BTreeSet<i64>,
    ages: BTreeSet<i64>,
}

/// While what an answer to a question stays the same. The answer is a function of the policies, the subject, the action, the resource and
/// the context; of these only what is named here may change from one question to the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holds {
    time: RangeInclusive<i64>,
    age: RangeInclusive<i64>,
    address: Option<Option<IpAddr>>,
    places: Option<Edition>,
    known_browser: Option<Option<bool>>,
}

/// The values of `context` that move by themselves, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock {
    time: i64,
    age: Option<i64>,
}

impl ContextReads {
    /// Whether anything is read.
    pub fn any(&self) -> bool {
        self.whole || !self.attributes.is_empty()
    }

    /// Whether this attribute is.
    pub fn reads(&self, attribute: &str) -> bool {
        self.whole || self.attributes.contains(attribute)
    }

    /// Whether it is read where a request comes from.
    pub fn read_the_address(&self) -> bool {
        self.reads("address") || self.read_the_place()
    }

    /// Whether it is read what a file says of the address.
    pub fn read_the_place(&self) -> bool {
        self.reads("country") || self.reads("city")
    }

    /// Takes note that it is read as a whole.
    pub fn note_whole(&mut self) {
        (self.whole, self.moves) = (true, true);
    }

    /// Takes note that it is asked whether an attribute is there. Whether `time` and `auth_age` are there does not change with time.
    pub fn note_presence(&mut self, attribute: &str) {
        self.attributes.insert(attribute.to_owned());
    }

    /// Takes note that an attribute is read.
    pub fn note(&mut self, attribute: &str) {
        self.note_presence(attribute);
        self.moves |= matches!(attribute, "time" | "auth_age");
    }

    /// Takes note that an attribute is compared with a constant, and read for nothing else.
    pub fn note_comparison(&mut self, attribute: &str, constant: i64) {
        self.note_presence(attribute);
        match attribute {
            "time" => drop(self.times.insert(constant)),
            "auth_age" => drop(self.ages.insert(constant)),
            _ => {}
        }
    }

    /// Takes note of what others read.
    pub fn join(&mut self, others: &Self) {
        self.attributes.extend(others.attributes.iter().cloned());
        self.whole |= others.whole;
        self.moves |= others.moves;
        self.times.extend(&others.times);
        self.ages.extend(&others.ages);
    }

    /// While what the answer of policies that read this, and the place by this edition, stays what it is to this question. None when no such
    /// thing can be said.
    pub(crate) fn holds(&self, question: &Question<'_>, edition: Edition) -> Option<Holds> {
        if self.moves {
            return None;
        }
        let (circumstances, clock) = (question.circumstances, question.clock());
        Some(Holds {
            time: between(&self.times, clock.time),
            age: clock.age.map_or(ALWAYS, |age| between(&self.ages, age)),
            address: self.read_the_address().then_some(circumstances.address),
            places: self.read_the_place().then_some(edition),
            known_browser: self.reads("known_browser").then_some(circumstances.known_browser),
        })
    }
}

impl Holds {
    /// Whatever the moment is.
    pub const ALWAYS: Self = Self { time: ALWAYS, age: ALWAYS, address: None, places: None, known_browser: None };

    /// Whether it still is so: for a question that differs from the one answered in its circumstances alone.
    pub fn at(&self, question: &Question<'_>) -> bool {
        let (circumstances, clock) = (question.circumstances, question.clock());
        self.time.contains(&clock.time)
            && clock.age.is_none_or(|age| self.age.contains(&age))
            && self.address.is_none_or(|address| address == circumstances.address)
            && self.known_browser.is_none_or(|known| known == circumstances.known_browser)
            && self.places.as_ref().is_none_or(|edition| edition.is_that_of(question.places))
    }
}

impl Question<'_> {
    /// What of it moves by itself.
    pub fn clock(&self) -> Clock {
        Clock::of(self.subject, self.circumstances.now)
    }
}

impl Clock {
    pub(crate) fn of(subject: &Subject, now: durward_base::Timestamp) -> Self {
        let age = subject.principal().assurance.auth_time.and_then(|time| i64::try_from(now.since(time).as_secs()).ok());
        Self { time: now.seconds(), age }
    }

    /// `context.time`.
    pub(crate) const fn time(self) -> i64 {
        self.time
    }

    /// `context.auth_age`.
    pub(crate) const fn age(self) -> Option<i64> {
        self.age
    }

    /// Whether what is so named is one of these values.
    pub fn shows(name: &str) -> bool {
        matches!(name, "context.time" | "context.auth_age")
    }

    /// Shows these values where those of another moment were read.
    pub fn show_in(self, read: &mut [(String, String)]) {
        for (name, value) in read {
            match name.as_str() {
                "context.time" => *value = self.time.to_string(),
                "context.auth_age" => *value = self.age.map(|age| age.to_string()).unwrap_or_default(),
                _ => {}
            }
        }
    }
}

const ALWAYS: RangeInclusive<i64> = i64::MIN..=i64::MAX;

/// The values around this one that compare with each constant as it does.
fn between(constants: &BTreeSet<i64>, value: i64) -> RangeInclusive<i64> {
    if constants.contains(&value) {
        return value..=value;
    }
    let below = constants.range(..value).next_back().map_or(i64::MIN, |constant| constant.saturating_add(1));
    let above = constants.range(value..).next().map_or(i64::MAX, |constant| constant.saturating_sub(1));
    below..=above
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_between_constants_compare_with_each_as_the_first_does() {
        let sets = [vec![], vec![0], vec![10, 11, 13], vec![i64::MIN, -1, i64::MAX], vec![5, 50]];
        let values = [i64::MIN, i64::MIN + 1, -2, -1, 0, 1, 5, 6, 9, 10, 11, 12, 13, 14, 49, 50, 51, i64::MAX - 1, i64::MAX];
        for constants in sets.map(BTreeSet::from_iter) {
            for first in values {
                let range = between(&constants, first);
                assert!(range.contains(&first));
                for value in values {
                    let same = constants.iter().all(|constant| value.cmp(constant) == first.cmp(constant));
                    assert_eq!(range.contains(&value), same, "{constants:?} {first} {value}");
                }
            }
        }
    }
}

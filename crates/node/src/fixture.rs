//! What this crate's tests share: a clock that goes on by itself, numbered randomness, an event of the usual size

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use durward_base::{Clock, Entropy, EntropyError, EventId, Rng, Time, Timestamp};
use durward_model::event::{Request, StepName};
use durward_model::{Assurance, Caller, Chain, CredentialFacts, CredentialKind, Decided, Event, EventKind, PrincipalKind};

struct Ticking(AtomicI64);

impl Time for Ticking {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

struct Counting(AtomicU64);

impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        let number = self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        bytes.iter_mut().rev().zip(number.iter().rev()).for_each(|(byte, number)| *byte = *number);
        Ok(())
    }
}

/// Every look at it is a millisecond later.
pub(crate) fn clock() -> Clock {
    Clock::new(Ticking(AtomicI64::new(1_800_000_000_000)))
}

/// No two draws are the same.
pub(crate) fn rng() -> Rng {
    Rng::new(Counting(AtomicU64::new(1)))
}

/// A gateway's allow, with everything known about it.
pub(crate) fn typical_event(clock: &Clock, rng: &Rng) -> Event {
    let now = clock.now();
    let mut event = Event::new(EventId::new(now, rng), now, "gateway/main".into(), EventKind::Forwarded);
    event.realm = Some("main".into());
    event.caller = Some(Arc::new(Caller {
        kind: PrincipalKind::User,
        id: "nF3qZ0rS1mC4b9xQe7tYuA".to_owned(),
        acts_for: None,
        roles: vec!["customer".to_owned()],
        scopes: vec!["openid".to_owned(), "orders".to_owned()],
        assurance: Assurance { acr: Some("pwd".to_owned()), amr: vec!["pwd".to_owned()], auth_time: Some(now) },
        credential: Some(CredentialFacts {
            kind: CredentialKind::Jwt,
            id: "AZnF3qZ0rS1mC4b9xQe7tYuA".to_owned(),
            issuer: "https://localhost:8444/realms/main".to_owned(),
            family: Some("AZnF3qZ0rS1mC4b9xQe7tYuB".to_owned()),
            session: Some("AZnF3qZ0rS1mC4b9xQe7tYuC".to_owned()),
            client: Some("web".to_owned()),
            key: Some("kQ9xQe7tYuAnF3qZ0rS1mC".to_owned()),
            bound_key: None,
            issued: now,
            expires: now,
        }),
    }));
    event.chain = Chain { transaction: Some("4bf92f3577b34da6a3ce929d0e0e4736".to_owned()), ..Chain::default() };
    event.request = Some(Request {
        method: "POST".to_owned(),
        path: "/orders".to_owned(),
        route: Some("orders".into()),
        address: Some("192.0.2.7".to_owned()),
        status: 201,
        upstream: Some("http://127.0.0.1:9001".into()),
        audience: Some("payments".into()),
    });
    event.decided = Some(Arc::new(Decided {
        by: "policy".to_owned(),
        rule: "customers-order".to_owned(),
        action: Some("orders:create".to_owned()),
        resource: Some("Orders::\"all\"".to_owned()),
        read: vec![("principal.roles".to_owned(), "customer".to_owned())],
        version: 42,
    }));
    event.issued = Some("AZnF3qZ0rS1mC4b9xQe7tYuD".to_owned());
    event.steps = vec![(StepName::Route, 1), (StepName::Principal, 2), (StepName::Decide, 1), (StepName::Upstream, 900)];
    event
}

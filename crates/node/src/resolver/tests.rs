use std::sync::atomic::{AtomicUsize, Ordering};

use durward_model::CredentialKind;
use durward_testkit::FakeClock;
use tokio::sync::Semaphore;

use super::*;

/// An authority that answers when it is let, and counts.
struct Slow {
    asked: AtomicUsize,
    let_go: Semaphore,
    answer: Result<Resolution, CannotResolve>,
}

impl Slow {
    fn new(answer: Result<Resolution, CannotResolve>) -> Arc<Self> {
        Arc::new(Self { asked: AtomicUsize::new(0), let_go: Semaphore::new(0), answer })
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

impl Resolve for Slow {
    fn resolve<'a>(&'a self, _: &'a ResolveRequest) -> Resolving<'a> {
        Box::pin(async {
            self.asked.fetch_add(1, Ordering::Relaxed);
            let _permit = self.let_go.acquire().await.unwrap();
            self.answer.clone()
        })
    }
}

fn about(credential: &str) -> ResolveRequest {
    ResolveRequest {
        realm: "main".into(),
        kind: CredentialKind::OpaqueToken,
        credential: credential.into(),
        audience: "inventory".into(),
        address: None,
    }
}

#[tokio::test]
async fn what_many_ask_at_once_is_asked_once() {
    let authority = Slow::new(Ok(Resolution::Refused));
    let clock = FakeClock::at(Timestamp::from_seconds(1_800_000_000));
    let resolver = Arc::new(Resolver::new(authority.clone(), clock.clock(), &durward_testkit::seeded(7)));
    let ask = |credential: &'static str| {
        let resolver = Arc::clone(&resolver);
        tokio::spawn(async move { resolver.ask(&about(credential)).await })
    };
    let asking: Vec<_> = (0..50).map(|_| ask("a")).chain([ask("b")]).collect();
    while authority.asked() < 2 {
        tokio::task::yield_now().await;
    }
    authority.let_go.add_permits(100);
    for answer in asking {
        assert_eq!(answer.await.unwrap(), Ok(Resolution::Refused));
    }
    assert_eq!(authority.asked(), 2);
    assert!(resolver.lock().asking.is_empty());
}

#[tokio::test]
async fn a_refusal_holds_for_seconds_and_what_was_not_answered_is_asked_again() {
    let clock = FakeClock::at(Timestamp::from_seconds(1_800_000_000));
    for (answer, asked) in [(Ok(Resolution::Refused), 1), (Err(CannotResolve("it is away".into())), 3)] {
        let authority = Slow::new(answer.clone());
        authority.let_go.add_permits(100);
        let resolver = Resolver::new(authority.clone(), clock.clock(), &durward_testkit::seeded(7));
        for _ in 0..3 {
            assert_eq!(resolver.ask(&about("a")).await, answer);
        }
        assert_eq!(authority.asked(), asked);
        clock.advance(REFUSED);
        resolver.ask(&about("a")).await.ok();
        assert_eq!(authority.asked(), asked + 1);
    }
}

#[tokio::test]
async fn an_asker_that_goes_away_leaves_the_question_to_the_others() {
    let authority = Slow::new(Ok(Resolution::Refused));
    let clock = FakeClock::at(Timestamp::from_seconds(1_800_000_000));
    let resolver = Arc::new(Resolver::new(authority.clone(), clock.clock(), &durward_testkit::seeded(7)));
    let first = tokio::spawn({
        let resolver = Arc::clone(&resolver);
        async move { resolver.ask(&about("a")).await }
    });
    while authority.asked() == 0 {
        tokio::task::yield_now().await;
    }
    first.abort();
    assert!(first.await.is_err());
    assert!(resolver.lock().asking.is_empty(), "GWDOS: a client that leaves leaves nothing behind");
    authority.let_go.add_permits(100);
    assert_eq!(resolver.ask(&about("a")).await, Ok(Resolution::Refused));
}

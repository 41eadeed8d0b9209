use durward_audit::{Query, decode_batch};
use durward_base::Clock;

use super::*;
use crate::fixture::{self, Authority, Exchange, Tokens};

struct Node {
    clock: Clock,
    rng: Rng,
    journal: Journal,
    shutdown: Shutdown,
    running: tokio::task::JoinHandle<()>,
}

impl Node {
    fn start(directory: &tempfile::TempDir, authority: &Authority) -> Self {
        let (clock, rng) = (fixture::clock(), fixture::rng());
        let journal = fixture::journal(directory.path(), &clock, &rng);
        let settings = ShipperSettings {
            journal: journal.clone(),
            node: "service/test".into(),
            authority: authority.url(),
            client: Client::new(None),
            token: Arc::new(Tokens::default()),
            clock: clock.clone(),
            rng: rng.clone(),
        };
        let shutdown = Shutdown::new();
        let running = tokio::spawn(EventShipper::new(settings).run(shutdown.clone()));
        Self { clock, rng, journal, shutdown, running }
    }

    fn event(&self) -> Event {
        fixture::typical_event(&self.clock, &self.rng)
    }

    async fn record(&self, count: usize) -> Vec<Event> {
        let events: Vec<_> = (0..count).map(|_| self.event()).collect();
        events.iter().for_each(|event| drop(self.journal.record(event.clone())));
        self.journal.flush().await.unwrap();
        events
    }

    async fn stop(self) {
        self.shutdown.cancel();
        self.running.await.unwrap();
        self.journal.close().await;
    }
}

/// The events of a batch as it came.
fn events(exchange: &Exchange) -> Vec<Event> {
    assert!(exchange.head.starts_with("POST /internal/v1/events HTTP/1.1\r\n"), "{}", exchange.head);
    assert!(exchange.head.contains("content-type: application/cbor-seq\r\n"), "{}", exchange.head);
    decode_batch(&exchange.body).unwrap()
}

/// The next `count` events that come, every batch being taken.
async fn take(authority: &Authority, count: usize) -> Vec<Event> {
    let mut taken = Vec::new();
    while taken.len() < count {
        let exchange = authority.next().await;
        taken.extend(events(&exchange));
        exchange.answer("204 No Content").await;
    }
    taken
}

#[tokio::test]
async fn every_event_arrives_in_order_and_batches_stay_within_their_bounds() {
    let (directory, authority) = (tempfile::tempdir().unwrap(), Authority::start().await);
    let node = Node::start(&directory, &authority);
    let recorded = node.record(2_500).await;
    assert_eq!(take(&authority, 2_500).await, recorded);
}

#[tokio::test]
async fn a_batch_is_sent_again_until_it_is_taken() {
    let (directory, authority) = (tempfile::tempdir().unwrap(), Authority::start().await);
    let node = Node::start(&directory, &authority);
    let recorded = node.record(3).await;
    for trouble in ["503 Service Unavailable", "429 Too Many Requests", "401 Unauthorized"] {
        let exchange = authority.next().await;
        assert_eq!(events(&exchange), recorded);
        exchange.answer(trouble).await;
    }
    let cut = authority.next().await;
    assert!(cut.head.contains("authorization: Bearer token-2\r\n"), "a refused token is replaced");
    drop(cut);
    assert_eq!(take(&authority, 3).await, recorded);
}

#[tokio::test]
async fn a_restart_goes_on_behind_what_arrived_and_lets_go_of_it() {
    let (directory, authority) = (tempfile::tempdir().unwrap(), Authority::start().await);
    let node = Node::start(&directory, &authority);
    let first = node.record(100).await;
    assert_eq!(take(&authority, 100).await, first);
    let rest = node.record(2).await;
    let stop = node.stop();
    let refuse = async {
        loop {
            authority.next().await.answer("503 Service Unavailable").await;
        }
    };
    tokio::select! { () = stop => {} () = refuse => {} }

    let node = Node::start(&directory, &authority);
    assert_eq!(take(&authority, 2).await, rest);
    let segments = std::fs::read_dir(directory.path())
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().path().extension().is_some_and(|name| name == "segment"));
    assert!(segments.count() <= 2, "what was sent is not kept");
    drop(node);
}

#[tokio::test]
async fn what_was_recorded_last_is_sent_before_the_end() {
    let (directory, authority) = (tempfile::tempdir().unwrap(), Authority::start().await);
    let node = Node::start(&directory, &authority);
    let event = node.event();
    drop(node.journal.record(event.clone()));
    let (taken, ()) = tokio::join!(take(&authority, 1), node.stop());
    assert_eq!(taken, vec![event]);
}

#[tokio::test]
async fn events_that_are_never_taken_become_a_gap() {
    let (directory, authority) = (tempfile::tempdir().unwrap(), Authority::start().await);
    let node = Node::start(&directory, &authority);
    let refused = node.record(2).await;
    let exchange = authority.next().await;
    assert_eq!(events(&exchange), refused);
    exchange.answer("400 Bad Request").await;
    let [gap] = take(&authority, 1).await.try_into().unwrap();
    assert_eq!((gap.kind, gap.reason.as_deref(), gap.lost, &*gap.node), (EventKind::Gap, Some("batch_refused"), 2, "service/test"));
    let _ = node.journal.find(Query::default(), 1).await.unwrap();
}

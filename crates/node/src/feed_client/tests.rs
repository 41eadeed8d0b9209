use durward_base::Timestamp;
use durward_feed::{Delta, Frame, Snapshot};
use durward_model::{Change, Position, Record, Revocation, RevocationKind};

use super::*;
use crate::Shared;
use crate::fixture::{self, Authority, Feed, Tokens};

struct Node {
    clock: Clock,
    authority: Authority,
    shared: Shared<Snapshot>,
    shutdown: Shutdown,
    running: tokio::task::JoinHandle<()>,
    directory: tempfile::TempDir,
}

impl Node {
    /// A node that has begun to follow an authority.
    async fn start() -> Self {
        let authority = Authority::start().await;
        Self::start_in(tempfile::tempdir().unwrap(), authority)
    }

    fn start_in(directory: tempfile::TempDir, authority: Authority) -> Self {
        let (clock, rng) = (fixture::still_clock(), fixture::rng());
        let journal = fixture::journal(&directory.path().join("journal"), &clock, &rng);
        let shared = Shared::new(Snapshot::default(), journal);
        let settings = FeedSettings {
            authority: authority.url(),
            client: Client::new(None),
            token: Arc::new(Tokens::default()),
            directory: Some(directory.path().join("feed")),
            clock: clock.clone(),
            rng,
        };
        let client = FeedClient::new(settings, shared.following(|snapshot, _| snapshot.clone()));
        let shutdown = Shutdown::new();
        let running = tokio::spawn(client.run(shutdown.clone()));
        Self { clock, authority, shared, shutdown, running, directory }
    }

    /// Accepts the node's next stream, which must ask from `from`, and greets it.
    async fn accept(&self, from: Position) -> Feed {
        let exchange = self.authority.next().await;
        let expected = format!("GET /feed/v1?epoch={}&since={} HTTP/1.1", from.epoch, from.seq);
        assert_eq!(exchange.head.lines().next(), Some(expected.as_str()));
        let mut feed = exchange.stream().await;
        let server_time = self.clock.now();
        feed.send(Frame::Hello { epoch: from.epoch, oldest_seq: 1, head_seq: from.seq, server_time, heartbeat_ms: 1000 }).await;
        feed
    }

    fn heartbeat(&self, at: Position) -> Frame {
        Frame::Heartbeat { epoch: at.epoch, head_seq: at.seq, time: self.clock.now() }
    }

    async fn stop(self) -> (tempfile::TempDir, Authority) {
        self.shutdown.cancel();
        self.running.await.unwrap();
        self.shared.journal().close().await;
        (self.directory, self.authority)
    }

    fn knows(&self, jti: &str) -> bool {
        self.shared.view().revocations().iter().any(|revocation| revocation.key == jti)
    }
}

fn at(epoch: u64, seq: u64) -> Position {
    Position { epoch, seq }
}

fn revoked(jti: &str) -> Record {
    let far = Timestamp::from_millis(4_000_000_000_000);
    let revocation = Revocation {
        realm: "main".to_owned(),
        kind: RevocationKind::Token,
        key: jti.to_owned(),
        not_before: far,
        expires: far,
        reason: "revoked".to_owned(),
    };
    Record::Revocation(revocation)
}

fn snapshot(position: Position, jtis: &[&str]) -> Frame {
    Frame::Snapshot { position, records: jtis.iter().map(|jti| revoked(jti)).collect(), complete: true }
}

fn delta(position: Position, jti: &str) -> Frame {
    Frame::Delta(Delta::of(vec![Change { position, record: revoked(jti) }]).unwrap())
}

#[tokio::test]
async fn a_node_takes_the_snapshot_then_each_change_and_knows_how_old_it_is() {
    let node = Node::start().await;
    assert!(node.shared.age(node.clock.now()) > Duration::from_secs(86_400), "nothing was ever heard");
    let mut feed = node.accept(at(0, 0)).await;
    feed.send(snapshot(at(5, 1), &["a"])).await;
    node.shared.reached(at(5, 1)).await;
    assert!(node.knows("a") && !node.knows("b"));
    feed.send(delta(at(5, 2), "b")).await;
    node.shared.reached(at(5, 2)).await;
    assert!(node.knows("b"));
    feed.send(node.heartbeat(at(5, 2))).await;
    while node.shared.age(node.clock.now()) > Duration::from_secs(30) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_node_that_is_cut_off_asks_for_what_it_missed() {
    let node = Node::start().await;
    let mut feed = node.accept(at(0, 0)).await;
    feed.send(snapshot(at(5, 7), &["a"])).await;
    node.shared.reached(at(5, 7)).await;
    drop(feed);
    let mut feed = node.accept(at(5, 7)).await;
    feed.send(delta(at(5, 8), "b")).await;
    node.shared.reached(at(5, 8)).await;
    // Half a line, then the end.
    feed.send_bytes(b"{\"frame\":\"hea").await;
    drop(feed);
    drop(node.accept(at(5, 8)).await);
    assert!(node.knows("a") && node.knows("b"));
}

/// What a node must never do is go on over a hole: the changes in it may be revocations.
#[tokio::test]
async fn a_hole_in_the_feed_is_found_and_asked_for() {
    let node = Node::start().await;
    let mut feed = node.accept(at(0, 0)).await;
    feed.send(snapshot(at(5, 1), &[])).await;
    for hole in [delta(at(5, 3), "c"), node.heartbeat(at(5, 2)), node.heartbeat(at(6, 1)), delta(at(6, 2), "c")] {
        node.shared.reached(at(5, 1)).await;
        feed.send(hole).await;
        feed = node.accept(at(5, 1)).await;
        assert!(!node.knows("c"));
    }
}

#[tokio::test]
async fn frames_out_of_turn_and_lines_that_are_none_end_the_stream_and_change_nothing() {
    let node = Node::start().await;
    let mut feed = node.accept(at(0, 0)).await;
    feed.send(snapshot(at(5, 1), &["a"])).await;
    for nonsense in
        [&b"\n"[..], b"{}\n", b"\xff\xff\n", b"{\"frame\":\"delta\",\"epoch\":5,\"after\":1,\"through\":2,\"changes\":[],\"more\":1}\n"]
    {
        node.shared.reached(at(5, 1)).await;
        feed.send_bytes(nonsense).await;
        feed = node.accept(at(5, 1)).await;
    }
    assert!(node.knows("a"));
}

/// A restored database cannot un-revoke anything at the edge.
#[tokio::test]
async fn a_new_epoch_brings_a_snapshot_and_forgets_no_revocation() {
    let node = Node::start().await;
    let mut feed = node.accept(at(0, 0)).await;
    feed.send(snapshot(at(5, 900), &["a"])).await;
    node.shared.reached(at(5, 900)).await;
    drop(feed);
    let mut feed = node.accept(at(5, 900)).await;
    feed.send(snapshot(at(6, 0), &["b"])).await;
    node.shared.reached(at(6, 0)).await;
    assert!(node.knows("a") && node.knows("b"));
}

#[tokio::test]
async fn a_silent_authority_is_left_and_what_is_known_grows_old() {
    let node = Node::start().await;
    let exchange = node.authority.next().await;
    let mut feed = exchange.stream().await;
    let server_time = node.clock.now();
    feed.send(Frame::Hello { epoch: 5, oldest_seq: 1, head_seq: 0, server_time, heartbeat_ms: 1 }).await;
    feed.send(snapshot(at(5, 1), &[])).await;
    let _silent = feed;
    node.accept(at(5, 1)).await;
    assert!(node.shared.age(node.clock.now()) > Duration::from_secs(86_400), "no heartbeat, no freshness");
}

/// FLT-014: a clock that jumped would keep dead tokens alive, or kill live ones.
#[tokio::test]
async fn an_authority_whose_clock_is_elsewhere_is_not_followed() {
    let node = Node::start().await;
    let mut feed = node.authority.next().await.stream().await;
    let server_time = node.clock.now() + Duration::from_secs(3600);
    feed.send(Frame::Hello { epoch: 5, oldest_seq: 1, head_seq: 1, server_time, heartbeat_ms: 1000 }).await;
    node.accept(at(0, 0)).await;
    assert_eq!(node.shared.position(), None);
}

#[tokio::test]
async fn a_refused_token_is_replaced() {
    let node = Node::start().await;
    let exchange = node.authority.next().await;
    assert!(exchange.head.contains("authorization: Bearer token-1\r\n"));
    exchange.answer("401 Unauthorized").await;
    assert!(node.authority.next().await.head.contains("authorization: Bearer token-2\r\n"));
}

/// FLT-009, FLT-017: without the authority a node begins with what it knew, and knows how old that is.
#[tokio::test]
async fn a_node_starts_without_the_authority_from_what_it_kept() {
    let node = Node::start().await;
    let mut feed = node.accept(at(0, 0)).await;
    feed.send(snapshot(at(5, 3), &["a"])).await;
    feed.send(node.heartbeat(at(5, 3))).await;
    while node.shared.age(node.clock.now()) > Duration::from_secs(30) {
        tokio::task::yield_now().await;
    }
    let (directory, authority) = node.stop().await;

    let node = Node::start_in(directory, authority);
    node.shared.loaded().await;
    assert!(node.knows("a"));
    assert!(node.shared.age(node.clock.now()) < Duration::from_secs(30));
    node.accept(at(5, 3)).await;
    let (directory, authority) = node.stop().await;

    // A damaged file is as good as none.
    let file = directory.path().join("feed/feed.snapshot");
    let mut bytes = std::fs::read(&file).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let node = Node::start_in(directory, authority);
    assert_eq!(node.shared.position(), None);
    node.accept(at(0, 0)).await;
}

//! What only PostgreSQL can do wrong: several nodes, slow transactions, deadlocks, a server that goes away.

use durward_base::{Duration, Secret};
use durward_model::{Record, Write};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::bench::{Bench, FakeTime, REALM, connect, database, server};
use crate::{CommitError, OpenError, Store, StoreError, StoreSettings};

/// How many wait for a lock.
const WAITING: &str = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";

fn dsn(bench: &Bench) -> &str {
    let StoreSettings::Postgres { dsn } = &bench.settings else { panic!("a bench on PostgreSQL") };
    dsn.expose()
}

fn put(bench: &Bench, name: &str) -> Write {
    Write::PutResource { stored: Box::new(bench.role(name, 1)), expected: None }
}

#[tokio::test]
async fn a_change_of_one_node_reaches_another_within_a_quarter_of_a_second() {
    let bench = Bench::postgres().await;
    let other = bench.another_node().await;
    let mut bell = other.subscribe();
    for round in 0..10 {
        bell.borrow_and_update();
        let committed = bench.commit(&[put(&bench, &format!("role-{round}"))]).await;
        let since = Instant::now();
        bell.wait_for(|head| *head >= committed.position).await.unwrap();
        assert!(since.elapsed() < Duration::from_millis(250), "{:?}", since.elapsed());
    }
}

#[tokio::test]
async fn a_slow_transaction_is_not_passed_over_and_holds_no_one_up() {
    let bench = Bench::postgres().await;
    let mut slow = connect(dsn(&bench)).await;
    let begun = bench.store.head().await.unwrap();
    let transaction = slow.transaction().await.unwrap();
    let record = serde_json::to_string(&Record::Resource(Box::new(bench.role("slow", 1)))).unwrap();
    transaction.execute("INSERT INTO outbox (record) VALUES ($1)", &[&record]).await.unwrap();
    let quick = bench.commit(&[put(&bench, "quick")]).await.position;
    assert_eq!(quick.seq, 1, "what is committed does not wait for what is not");
    transaction.commit().await.unwrap();
    let mut bell = bench.store.subscribe();
    timeout(Duration::from_secs(5), bell.wait_for(|head| head.seq == 2)).await.unwrap().unwrap();
    let changes = bench.store.changes(begun).await.unwrap();
    let name = |change: &durward_model::Change| match &change.record {
        Record::Resource(stored) => stored.resource.name().to_owned(),
        other => panic!("{other:?}"),
    };
    assert_eq!(changes.iter().map(name).collect::<Vec<_>>(), ["quick", "slow"]);
}

#[tokio::test]
async fn an_open_transaction_in_another_database_of_the_cluster_holds_nothing_up() {
    let (bench, elsewhere) = (Bench::postgres().await, Bench::postgres().await);
    let mut other = connect(dsn(&elsewhere)).await;
    let open = other.transaction().await.unwrap();
    open.execute("INSERT INTO material (name, bytes) VALUES ('x', '')", &[]).await.unwrap();
    assert_eq!(bench.commit(&[put(&bench, "role")]).await.position.seq, 1);
    assert_eq!(bench.records().await.len(), 1);
    open.rollback().await.unwrap();
}

#[tokio::test]
async fn a_sequencer_that_hangs_is_waited_for_and_then_left_behind() {
    let bench = Bench::postgres().await;
    let mut other = connect(dsn(&bench)).await;
    let holding = other.transaction().await.unwrap();
    holding.execute("UPDATE feed_head SET seq = seq", &[]).await.unwrap();
    let store = bench.store.clone();
    let (writes, event) = ([put(&bench, "role")], bench.event());
    let commit = tokio::spawn(async move { store.commit(&writes, event).await });
    while holding.query_one(WAITING, &[]).await.unwrap().get::<_, i64>(0) == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(!commit.is_finished(), "its position is not known yet");
    holding.rollback().await.unwrap();
    assert_eq!(commit.await.unwrap().unwrap().position.seq, 1);
}

#[tokio::test]
async fn a_deadlock_is_tried_again_and_never_called_a_lost_race() {
    let bench = Bench::postgres().await;
    let (one, two) = (bench.person("one").await, bench.person("two").await);
    let mut other = connect(dsn(&bench)).await;
    let crossing = other.transaction().await.unwrap();
    crossing.execute("UPDATE person SET email = 'x' WHERE username = 'two'", &[]).await.unwrap();
    let set =
        |person: &durward_model::Person| Write::SetPassword { realm: REALM.to_owned(), person: person.id, hash: Some("h".to_owned()) };
    let (store, writes, event) = (bench.store.clone(), [set(&one), set(&two)], bench.event());
    let commit = tokio::spawn(async move { store.commit(&writes, event).await });
    while crossing.query_one(WAITING, &[]).await.unwrap().get::<_, i64>(0) == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // Now each waits for the other. The one that waited longer is told of it first: that is the store's.
    crossing.execute("UPDATE person SET email = 'x' WHERE username = 'one'", &[]).await.unwrap();
    crossing.commit().await.unwrap();
    commit.await.unwrap().unwrap();
}

#[tokio::test]
async fn nodes_that_start_at_once_share_one_migration() {
    let settings = StoreSettings::postgres(Secret::new(database().await));
    let tasks: Vec<_> = (0..5)
        .map(|_| {
            let settings = settings.clone();
            tokio::spawn(async move { Store::open(&settings, FakeTime::default().clock()).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn the_server_is_trusted_by_its_certificate_only() {
    let directory = tempfile::TempDir::new().unwrap();
    let (right, wrong) = (directory.path().join("right.pem"), directory.path().join("wrong.pem"));
    std::fs::write(&right, server().authority()).unwrap();
    let other = rcgen::CertificateParams::new(vec![]).unwrap().self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap();
    std::fs::write(&wrong, other.pem()).unwrap();
    let database = database().await;
    let open = |roots: &std::path::Path| {
        let dsn = Secret::new(format!("{database}?sslmode=verify-full&sslrootcert={}", roots.display()));
        async move { Store::open(&StoreSettings::postgres(dsn), FakeTime::default().clock()).await }
    };
    let store = open(&right).await.unwrap();
    assert!(store.head().await.is_ok());
    assert!(matches!(open(&wrong).await.unwrap_err(), OpenError::Unavailable(_)));
    assert!(matches!(open(&directory.path().join("absent.pem")).await.unwrap_err(), OpenError::Settings(_)));
}

/// FLT-009: refused, silent, wrong password, no such database.
#[tokio::test]
async fn a_database_that_is_away_at_start_is_an_error_within_seconds_and_names_no_secret() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    // Held, so that nobody else listens there.
    let unanswered = TcpSocket::new_v4().unwrap();
    unanswered.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let free = unanswered.local_addr().unwrap().port();
    let server = server();
    for dsn in [
        format!("postgresql://durward:hunter2@127.0.0.1:{free}/d"),
        format!("postgresql://durward:hunter2@127.0.0.1:{}/d", silent.local_addr().unwrap().port()),
        format!("postgresql://durward:hunter2@127.0.0.1:{}/postgres", server.port()),
        server.dsn("no_such_database"),
    ] {
        let since = Instant::now();
        let error = Store::open(&StoreSettings::postgres(Secret::new(dsn)), FakeTime::default().clock()).await.unwrap_err();
        assert!(matches!(error, OpenError::Unavailable(_)), "{error}");
        assert!(since.elapsed() < Duration::from_secs(4), "{:?}", since.elapsed());
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}

/// FLT-009: cut and silent while running; then it is back, and nothing needs a restart.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_database_that_goes_away_makes_the_store_unavailable_until_it_is_back() {
    let line = Line::to(server().port()).await;
    let dsn = database().await.replace(&format!(":{}/", server().port()), &format!(":{}/", line.port));
    let time = FakeTime::default();
    let store = Store::open(&StoreSettings::postgres(Secret::new(dsn)), time.clock()).await.unwrap();
    for state in [State::Cut, State::Silent] {
        line.state.send_replace(state);
        let since = Instant::now();
        assert!(
            matches!(store.person(REALM, durward_base::PersonId::from_bytes([1; 16])).await, Err(StoreError::Unavailable(_))),
            "{state:?}"
        );
        let event = durward_model::Event::new(
            durward_base::EventId::from_bytes([state as u8; 16]),
            durward_base::Timestamp::from_millis(1),
            "authority".into(),
            durward_model::EventKind::TokenIssued,
        );
        assert!(matches!(store.commit(&[], event.clone()).await, Err(CommitError::Unavailable(_))), "{state:?}");
        assert!(since.elapsed() < Duration::from_secs(15), "{:?}", since.elapsed());
        line.state.send_replace(State::Open);
        let back = async {
            while store.commit(&[], event.clone()).await.is_err() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        timeout(Duration::from_secs(15), back).await.unwrap();
    }
}

/// A line to the server that can be cut, or go silent.
struct Line {
    port: u16,
    state: watch::Sender<State>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    Cut,
    Silent,
}

impl Line {
    async fn to(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (state, watched) = watch::channel(State::Open);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                tokio::spawn(carry(near, server, watched.clone()));
            }
        });
        Self { port, state }
    }
}

async fn carry(mut near: TcpStream, server: u16, mut state: watch::Receiver<State>) {
    let Ok(mut far) = TcpStream::connect(("127.0.0.1", server)).await else { return };
    if *state.borrow() == State::Open {
        tokio::select! {
            _ = tokio::io::copy_bidirectional(&mut near, &mut far) => return,
            _ = state.wait_for(|state| *state != State::Open) => {}
        }
    }
    let _ = far.shutdown().await;
    // Silent: the connection stands and nothing comes; cut: it goes.
    let _ = state.wait_for(|state| *state != State::Silent).await;
}

//! Migrations: done or not done, whenever the process dies.

use std::process::{Command, Stdio};
use std::time::Duration;

use durward_base::Secret;

use super::bench::{FakeTime, connect, database};
use crate::migration::{self, Migration};
use crate::postgres::Postgres;
use crate::sqlite::Sqlite;
use crate::{OpenError, Store, StoreSettings};

const CRASHES: u32 = 25;
/// Names the store that the child is to migrate.
const TARGET: &str = "DURWARD_STORE_TEST_TARGET";

/// The released migrations, and after them many more that each leave something half-made if they are cut.
fn many(released: &[Migration]) -> &'static [Migration] {
    let last = released.len() as i64;
    let more = (last + 1..=last + 15).map(|number| Migration {
        number,
        text: format!("CREATE TABLE a{number} (x INTEGER); INSERT INTO a{number} VALUES (1); CREATE TABLE b{number} (x INTEGER);").leak(),
    });
    released.iter().copied().chain(more).collect::<Vec<_>>().leak()
}

async fn migrate(target: &str) -> Result<(), OpenError> {
    let clock = FakeTime::default().clock();
    if target.starts_with("postgresql://") {
        Postgres::open_at(&Secret::new(target), &clock, many(migration::POSTGRES)).await.map(drop)
    } else {
        Sqlite::open_at(target.as_ref(), &clock, many(migration::SQLITE)).await.map(drop)
    }
}

/// What a crashing process runs; by itself it does nothing.
#[tokio::test]
async fn child() {
    if let Ok(target) = std::env::var(TARGET) {
        println!("started");
        migrate(&target).await.unwrap();
    }
}

/// Starts this test binary again, to migrate `target`, and kills it after `delay` of its work.
fn crash(target: &str, delay: Duration) {
    use std::io::BufRead as _;

    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "tests::crash::child", "--nocapture"]).env(TARGET, target);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = std::io::BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("started")));
    std::thread::sleep(delay);
    child.kill().unwrap();
    child.wait().unwrap();
}

/// How long a run takes that nobody disturbs.
async fn shortest(targets: [String; 3]) -> Duration {
    let mut shortest = Duration::MAX;
    for target in targets {
        let begun = std::time::Instant::now();
        migrate(&target).await.unwrap();
        shortest = shortest.min(begun.elapsed());
    }
    shortest
}

/// From nothing to about as long as a whole run takes, spread without a pattern.
fn delay(round: u32, whole: Duration) -> Duration {
    whole * (round * 7 % CRASHES) / CRASHES
}

/// How far the crash let it come is anything; what there is, is whole, and the next start completes it.
fn assert_whole(applied: &[(i64, String)], tables: &[String], known: &[Migration]) {
    for (index, (number, checksum)) in applied.iter().enumerate() {
        assert_eq!((*number, checksum), (known[index].number, &known[index].checksum()));
    }
    let marks = |prefix: char| tables.iter().filter(|name| name.starts_with(prefix) && name[1..].parse::<u32>().is_ok()).count();
    let ours = applied.len().saturating_sub(migration::SQLITE.len());
    assert_eq!((marks('a'), marks('b')), (ours, ours));
}

fn sqlite_state(path: &std::path::Path) -> (Vec<(i64, String)>, Vec<String>) {
    let connection = rusqlite::Connection::open(path).unwrap();
    let applied = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
    let applied = connection
        .prepare(migration::APPLIED.sqlite)
        .map(|mut statement| statement.query_map([], applied).unwrap().collect::<Result<_, _>>().unwrap());
    let mut tables = connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").unwrap();
    (applied.unwrap_or_default(), tables.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_migration_of_sqlite_that_is_killed_is_done_or_not_done() {
    let directory = tempfile::TempDir::new().unwrap();
    let known = many(migration::SQLITE);
    let whole = shortest(["a.db", "b.db", "c.db"].map(|name| directory.path().join(name).to_str().unwrap().to_owned())).await;
    let mut cut = 0;
    for round in 0..CRASHES {
        let path = directory.path().join(format!("{round}.db"));
        crash(path.to_str().unwrap(), delay(round, whole));
        let (applied, tables) = sqlite_state(&path);
        assert_whole(&applied, &tables, known);
        cut += usize::from(applied.len() < known.len());
        migrate(path.to_str().unwrap()).await.unwrap();
        let (applied, tables) = sqlite_state(&path);
        assert_eq!(applied.len(), known.len());
        assert_whole(&applied, &tables, known);
    }
    println!("{cut} of {CRASHES} crashes came in time");
    assert!(cut > 0, "no crash came in time");
}

/// The state once the server has noticed that the dead node's connection is gone.
async fn postgres_state(dsn: &str) -> (Vec<(i64, String)>, Vec<String>) {
    const OTHERS: &str = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";

    let client = connect(dsn).await;
    while client.query_one(OTHERS, &[]).await.unwrap().get::<_, i64>(0) > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let applied = client.query(migration::APPLIED.postgres, &[]).await.unwrap_or_default();
    let tables = client.query("SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'", &[]).await.unwrap();
    (applied.iter().map(|row| (row.get(0), row.get(1))).collect(), tables.iter().map(|row| row.get(0)).collect())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_migration_of_postgresql_whose_node_is_killed_is_done_or_not_done() {
    let known = many(migration::POSTGRES);
    let whole = shortest([database().await, database().await, database().await]).await;
    let mut cut = 0;
    for round in 0..CRASHES {
        let dsn = database().await;
        crash(&dsn, delay(round, whole));
        let (applied, tables) = postgres_state(&dsn).await;
        assert_whole(&applied, &tables, known);
        cut += usize::from(applied.len() < known.len());
        migrate(&dsn).await.unwrap();
        let (applied, tables) = postgres_state(&dsn).await;
        assert_eq!(applied.len(), known.len());
        assert_whole(&applied, &tables, known);
    }
    println!("{cut} of {CRASHES} crashes came in time");
    assert!(cut > 0, "no crash came in time");
}

#[tokio::test]
async fn a_schema_from_a_newer_version_is_refused_and_left_alone() {
    let directory = tempfile::TempDir::new().unwrap();
    let path = directory.path().join("durward.db");
    let dsn = database().await;
    migrate(path.to_str().unwrap()).await.unwrap();
    migrate(&dsn).await.unwrap();
    for settings in [StoreSettings::sqlite(&path), StoreSettings::postgres(Secret::new(dsn))] {
        let error = Store::open(&settings, FakeTime::default().clock()).await.unwrap_err();
        let known = migration::SQLITE.len() as i64;
        assert_eq!(error, OpenError::Newer { found: known + 15, known });
    }
}

#[tokio::test]
async fn a_migration_whose_text_changed_is_refused() {
    let directory = tempfile::TempDir::new().unwrap();
    let path = directory.path().join("durward.db");
    let dsn = database().await;
    let tamper = "UPDATE migration SET checksum = 'other'";
    for settings in [StoreSettings::sqlite(&path), StoreSettings::postgres(Secret::new(dsn.clone()))] {
        drop(Store::open(&settings, FakeTime::default().clock()).await.unwrap());
        match &settings {
            StoreSettings::Sqlite { path } => rusqlite::Connection::open(path).unwrap().execute_batch(tamper).unwrap(),
            StoreSettings::Postgres { .. } => connect(&dsn).await.batch_execute(tamper).await.unwrap(),
        }
        let error = Store::open(&settings, FakeTime::default().clock()).await.unwrap_err();
        assert_eq!(error, OpenError::Changed { number: 1 });
    }
}

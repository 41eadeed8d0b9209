//! Not a test of behaviour: what group commit gives. `cargo test -p durward-store -- --ignored --nocapture speed`

use std::time::{Duration, Instant};

use durward_model::Write;

use super::bench::{Bench, REALM};

const CALLERS: usize = 64;
const TIME: Duration = Duration::from_secs(2);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "prints a measurement"]
async fn rotations_a_second_at_concurrency_64_on_sqlite() {
    rotations(Bench::sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "prints a measurement"]
async fn rotations_a_second_at_concurrency_64_on_postgresql() {
    rotations(Bench::postgres().await).await;
}

/// Each caller rotates a family of its own: an update and an event, durable before the answer.
async fn rotations(bench: Bench) {
    let session = bench.session(&bench.person("alice").await).await;
    let mut callers = Vec::new();
    for _ in 0..CALLERS {
        let (store, family) = (bench.store.clone(), bench.family(&session).await);
        let (time, rng, template) = (bench.time.clone(), bench.rng.clone(), bench.event());
        callers.push(tokio::spawn(async move {
            let since = Instant::now();
            let mut generation = 1;
            while since.elapsed() < TIME {
                let now = durward_base::Time::now(&time);
                let mut event = template.clone();
                event.id = durward_base::EventId::new(now, &rng);
                let rotate = Write::RotateFamily { realm: REALM.to_owned(), family: family.id, from: generation, at: now };
                store.commit(&[rotate], event).await.unwrap();
                generation += 1;
            }
            generation - 1
        }));
    }
    let mut total = 0;
    for caller in callers {
        total += caller.await.unwrap();
    }
    println!("{:?}: {} rotations/s at concurrency {CALLERS}", bench.store, f64::from(total) / TIME.as_secs_f64());
    let since = Instant::now();
    for _ in 0..2_000 {
        bench.store.session(REALM, session.id).await.unwrap();
    }
    println!("{:?}: {:.1} µs a point read, one after another", bench.store, since.elapsed().as_secs_f64() * 1e6 / 2_000.0);
}

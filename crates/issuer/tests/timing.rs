//! LOGIN-001, CLI-008: how long a refusal takes tells nothing about whether there is such a person or such a client.
//!
//! What is compared is asked in turn, so that a busy machine is busy for all of it, and asked again where it was busier for one.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]
#![allow(dead_code, unused_imports, reason = "the fixture serves the other tests too")]

mod fixture;

use std::net::{Ipv4Addr, SocketAddr};

use durward_base::Duration;
use durward_model::Write;
use durward_net::Peer;
use fixture::{Browser, World, secret_of, web_request};
use http::{Request, StatusCode};
use tokio::sync::Mutex;

/// One measures at a time.
static MACHINE: Mutex<()> = Mutex::const_new(());
/// How often a difference must show to be one.
const ATTEMPTS: usize = 3;
/// Tries of each name.
const TRIES: usize = 200;
/// Of so many tries in a row, the fastest counts: what neighbours took is in the others.
const BLOCK: usize = 10;

/// What a try cost: in time to the answer, and in processor time, which neighbours do not change.
#[derive(Clone, Copy)]
struct Cost {
    taken: Duration,
    computed: Duration,
}

/// One of the two.
type Measure = fn(&Cost) -> Duration;

/// LOGIN-001: there is such a person, there is none, they are disabled, they have no password.
#[tokio::test]
async fn whoever_may_not_log_in_waits_as_long_for_the_answer() {
    let _machine = MACHINE.lock().await;
    let world = World::new().await;
    world.change_person("bob", |bob| bob.disabled = true).await;
    without_password(&world, "carol").await;
    let names = ["alice", "nobody", "bob", "carol"];
    let mut worst = String::new();
    for _ in 0..ATTEMPTS {
        match differences(&names, &log_ins(&world, &names).await, 0.05) {
            None => return,
            Some(difference) => worst = difference,
        }
    }
    panic!("{worst}");
}

/// LOGIN-001: names that were guessed at too often.
#[tokio::test]
async fn a_throttled_name_waits_as_long_whether_it_is_somebodys_or_not() {
    let _machine = MACHINE.lock().await;
    let world = World::new().await;
    let names = ["alice", "nobody"];
    let mut browser = world.browser();
    let asked = browser.ask(&web_request(&[])).await;
    let page = browser.follow(&asked).await;
    for _ in 0..5 {
        for name in names {
            assert_eq!(browser.log_in(&page, name, "wrong password").await.status, StatusCode::FORBIDDEN);
        }
    }
    let mut worst = String::new();
    for _ in 0..ATTEMPTS {
        let mut costs = vec![Vec::new(); names.len()];
        for round in 0..TRIES {
            for at in turn(round, names.len()) {
                let before = processor_time();
                let refused = browser.log_in(&page, names[at], "wrong password").await;
                assert_eq!((refused.status, refused.reason()), (StatusCode::TOO_MANY_REQUESTS, "login.throttled"));
                costs[at].push(Cost { taken: refused.took, computed: processor_time() - before });
            }
        }
        match differences(&names, &costs, 0.05) {
            None => return,
            Some(difference) => worst = difference,
        }
    }
    panic!("{worst}");
}

/// CLI-008: 10,000 wrong secrets of a client and of nobody, and such as begin right and as do not; Welch's t stays below 4.5.
///
/// What is measured is the handler alone, without a wire. Less than a hundredth of that (a tenth of a microsecond) is no difference either,
/// however steady the machine: with the 20 microseconds by which answers over loopback scatter, it makes a t of 0.4.
#[tokio::test]
async fn a_refused_client_learns_nothing_from_how_long_it_took() {
    let _machine = MACHINE.lock().await;
    let right = secret_of("payments-program");
    let begins_right = format!("{}{}", &right[..right.len() - 1], if right.ends_with('A') { "B" } else { "A" });
    let begins_wrong = secret_of("somebody else");
    for [one, other] in [
        [("payments-program", begins_wrong.as_str()), ("nobodys-program0", begins_wrong.as_str())],
        [("payments-program", begins_right.as_str()), ("payments-program", begins_wrong.as_str())],
    ] {
        let mut attempts = Vec::new();
        for _ in 0..ATTEMPTS {
            attempts.push(difference(&refusals(&World::new().await, [one, other]).await));
            if attempts.last().unwrap().is_none() {
                break;
            }
        }
        assert!(attempts.last().unwrap().is_none(), "{one:?} against {other:?}: {attempts:?}");
    }
}

/// What wrong passwords of each name cost, name by name in turn.
async fn log_ins(world: &World, names: &[&str]) -> Vec<Vec<Cost>> {
    let mut browser = world.browser();
    let mut costs = vec![Vec::new(); names.len()];
    for round in 0..TRIES {
        let asked = browser.ask(&web_request(&[])).await;
        let page = browser.follow(&asked).await;
        browser.address = SocketAddr::from(([10, 0, u8::try_from(round).unwrap(), 1], 1));
        for at in turn(round, names.len()) {
            let before = processor_time();
            let refused = browser.log_in(&page, names[at], "wrong password").await;
            assert_eq!(refused.status, StatusCode::FORBIDDEN);
            costs[at].push(Cost { taken: refused.took, computed: processor_time() - before });
        }
        world.clock.advance(Duration::from_secs(901));
    }
    costs
}

/// Who is asked in which place this round: everybody in each place equally often.
fn turn(round: usize, names: usize) -> impl Iterator<Item = usize> {
    (0..names).map(move |place| (round + place) % names)
}

/// The first difference from the first name that is larger than `bound`, in words.
fn differences(names: &[&str], costs: &[Vec<Cost>], bound: f64) -> Option<String> {
    let measures = [("to the answer", (|cost| cost.taken) as Measure), ("of computing", |cost| cost.computed)];
    measures.into_iter().find_map(|(what, measure)| {
        let medians: Vec<f64> = costs.iter().map(|costs| median_of_blocks(costs, measure)).collect();
        let differs = |median: &f64| (median / medians[0] - 1.0).abs() >= bound;
        medians.iter().any(differs).then(|| format!("median seconds {what} of {names:?}: {medians:?}"))
    })
}

fn median_of_blocks(costs: &[Cost], measure: Measure) -> f64 {
    let mut fastest: Vec<Duration> = costs.chunks(BLOCK).map(|block| block.iter().map(measure).min().unwrap()).collect();
    fastest.sort_unstable();
    fastest[fastest.len() / 2].as_secs_f64()
}

/// 10,000 refusals of each of two credentials in turn, in nanoseconds.
async fn refusals(world: &World, credentials: [(&str, &str); 2]) -> [Vec<f64>; 2] {
    let mut taken = [Vec::new(), Vec::new()];
    for round in 0..10_000_u32 {
        for at in turn(usize::try_from(round).unwrap(), 2) {
            let (client, secret) = credentials[at];
            let form = format!("grant_type=client_credentials&client_id={client}&client_secret={secret}");
            let request = Request::post("/realms/main/oauth2/token")
                .header("host", "auth.shop.example")
                .header("content-type", "application/x-www-form-urlencoded")
                .body(form.into())
                .unwrap();
            // A source of its own every few guesses: none of them is ever too many.
            let address = SocketAddr::from((Ipv4Addr::from_bits(0x0a00_0000 + round / 8), 1));
            let asked = std::time::Instant::now();
            let response = world.surface.call(Peer { address: Some(address), ..Peer::default() }, request).await;
            let nanoseconds = asked.elapsed().as_nanos();
            assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
            taken[at].push(nanoseconds as f64);
        }
        if round % 100 == 0 {
            world.events().await;
        }
    }
    taken
}

/// A difference between the two, in words. The faster nine tenths count: the rest is what the machine did meanwhile.
fn difference(samples: &[Vec<f64>; 2]) -> Option<String> {
    let mut all: Vec<f64> = samples.iter().flatten().copied().collect();
    all.sort_unstable_by(f64::total_cmp);
    let bound = all[all.len() * 9 / 10];
    let [one, other] = samples.each_ref().map(|samples| {
        let kept: Vec<f64> = samples.iter().copied().filter(|sample| *sample < bound).collect();
        let count = kept.len() as f64;
        let mean = kept.iter().sum::<f64>() / count;
        let variance = kept.iter().map(|sample| (sample - mean).powi(2)).sum::<f64>() / (count - 1.0);
        (mean, variance / count)
    });
    let (apart, welch) = (one.0 / other.0 - 1.0, (one.0 - other.0) / (one.1 + other.1).sqrt());
    (welch.abs() >= 4.5 && apart.abs() >= 0.01).then(|| format!("t = {welch}, means of {} ns and {} ns", one.0, other.0))
}

/// A person who was never given a password.
async fn without_password(world: &World, username: &str) {
    let mut person = world.person("alice").await;
    person.id = durward_base::PersonId::new(fixture::NOW, &world.rng);
    person.sub = format!("{username}-0123456789abcdef");
    person.username = username.to_owned();
    world.write(&[Write::CreatePerson { person, password_hash: None }]).await;
}

/// What all threads of this process have computed.
fn processor_time() -> Duration {
    let threads = std::fs::read_dir("/proc/self/task").unwrap();
    let nanoseconds = threads.filter_map(|thread| std::fs::read_to_string(thread.unwrap().path().join("schedstat")).ok());
    Duration::from_nanos(nanoseconds.map(|line| line.split(' ').next().unwrap().parse::<u64>().unwrap()).sum())
}

//! How long a start over an existing data directory takes, to the first token.

use std::time::{Duration, Instant};

use reqwest::StatusCode;

use crate::fixture::Durward;

/// What a loaded machine with an unoptimised program is given. The benchmark `start` measures what is promised.
const BOUND: Duration = Duration::from_secs(2);

#[tokio::test]
async fn from_exec_to_the_first_token_over_an_existing_directory_is_short() {
    let mut durward = Durward::start_alone().await;
    let mut times = Vec::new();
    for _ in 0..5 {
        durward.stop();
        let application = durward.application();
        let began = Instant::now();
        durward.restart();
        let token = application.program_token().await.unwrap();
        times.push(began.elapsed());
        assert_eq!(token.status(), StatusCode::OK);
    }
    println!("exec to first token: {times:?}");
    assert!(times.iter().min().is_some_and(|best| *best < BOUND), "{times:?}");
}

//! Guessing at the secrets of clients.

use std::net::SocketAddr;

use durward_base::Duration;
use http::StatusCode;

use crate::fixture::{Browser, World, secret_of};

const FORM: [(&str, &str); 1] = [("grant_type", "client_credentials")];

/// CLI-009
#[tokio::test]
async fn wrong_secrets_are_limited_at_their_source_and_the_client_goes_on_elsewhere() {
    let world = World::new().await;
    let (mut attacker, mut program) = (world.browser(), world.browser());
    program.address = SocketAddr::from(([10, 1, 0, 1], 1));
    for source in 0..3_u8 {
        attacker.address = SocketAddr::from(([203, 0, 113, source], 1));
        let refused = guess_until_refused(&mut attacker, "payments-program").await;
        assert_eq!(refused, 20, "from source {source}");
        assert_eq!(program.program_token("payments-program").await.status, StatusCode::OK);
    }
    let right = attacker.program_token("payments-program").await;
    right.is_error(429, "temporarily_unavailable");
    assert_eq!((right.header("retry-after"), right.reason()), ("3", "client.throttled"), "a right guess is not told from a wrong one");
    world.clock.advance(Duration::from_secs(3));
    assert_eq!(attacker.program_token("payments-program").await.status, StatusCode::OK, "nobody is locked");
}

/// CLI-009: behind one NAT.
#[tokio::test]
async fn a_client_that_is_known_at_a_source_goes_on_beside_who_guesses_there() {
    let world = World::new().await;
    let mut browser = world.browser();
    assert_eq!(browser.program_token("payments-program").await.status, StatusCode::OK);
    guess_until_refused(&mut browser, "payments-program").await;
    assert_eq!(browser.program_token("payments-program").await.status, StatusCode::OK);
    browser.basic("payments-program", "wrong");
    browser.token(&FORM).await.is_error(429, "temporarily_unavailable");
    assert_eq!(browser.program_token("inventory-program").await.status, StatusCode::OK, "another client has guesses of its own");
}

/// CLI-008: a name that is nobody's is limited as a client's is, in the body as in the header.
#[tokio::test]
async fn what_is_refused_tells_nothing_about_whether_there_is_such_a_client() {
    let world = World::new().await;
    let mut browser = world.browser();
    assert_eq!(guess_until_refused(&mut browser, "nobody").await, 20);
    assert_eq!(guess_until_refused(&mut browser, "payments-program").await, 20);
    for client in ["nobody", "payments-program"] {
        let posted = browser.token(&[FORM[0], ("client_id", client), ("client_secret", "wrong")]).await;
        posted.is_error(429, "temporarily_unavailable");
    }
}

/// How many wrong secrets are looked at before one is not.
async fn guess_until_refused(browser: &mut Browser<'_>, client: &str) -> usize {
    for guesses in 0..100 {
        browser.basic(client, &secret_of("somebody else"));
        let refused = browser.token(&FORM).await;
        if refused.status == StatusCode::TOO_MANY_REQUESTS {
            return guesses;
        }
        refused.is_error(401, "invalid_client");
    }
    panic!("{client} can be guessed at for ever");
}

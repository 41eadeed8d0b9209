//! A clock that jumped: nothing is issued until it is right again.

use http::StatusCode;

use crate::fixture::{PASSWORD, World, web_request};

const HOUR: i64 = 3_600_000;

/// FLT-014
#[tokio::test]
async fn nothing_is_issued_while_the_clock_stands_where_it_should_not() {
    let world = World::new().await;
    let mut browser = world.browser();
    let refresh_token = browser.tokens().await["refresh_token"].as_str().unwrap().to_owned();
    for by in [HOUR, 24 * HOUR, 10 * 8_766 * HOUR, -HOUR, -24 * HOUR] {
        let mut newcomer = world.browser();
        let asked = newcomer.ask(&web_request(&[])).await;
        let page = newcomer.follow(&asked).await;
        world.clock.set(by);
        let program = browser.program_token("payments-program").await;
        program.is_error(503, "temporarily_unavailable");
        assert_eq!((program.reason(), program.header("retry-after")), ("clock.jumped", "1"));
        browser.refresh(&refresh_token, &[]).await.is_error(503, "temporarily_unavailable");
        let asked = browser.ask(&web_request(&[])).await;
        assert_eq!((asked.status, asked.reason()), (StatusCode::SERVICE_UNAVAILABLE, "clock.jumped"));
        let logins = world.logins_of("alice").await;
        let login = newcomer.log_in(&page, "alice", PASSWORD).await;
        assert_eq!((login.status, login.reason()), (StatusCode::SERVICE_UNAVAILABLE, "clock.jumped"));
        assert_eq!(world.logins_of("alice").await, logins);
        for made in ["/realms/main/account/tokens", "/realms/main/account/totp"] {
            browser.with("sec-fetch-site", "same-origin");
            let answer = browser.post(made, &[("transaction", "x")]).await;
            assert_eq!((answer.status, answer.reason()), (StatusCode::SERVICE_UNAVAILABLE, "clock.jumped"), "{made}");
        }
        assert_eq!(browser.get("/realms/main/oauth2/jwks").await.status, StatusCode::OK, "keys are still to be had");
        world.clock.set(-by);
    }
    assert_eq!(browser.program_token("payments-program").await.status, StatusCode::OK, "it was set right");
    assert_eq!(browser.refresh(&refresh_token, &[]).await.status, StatusCode::OK, "and nothing was lost");
}

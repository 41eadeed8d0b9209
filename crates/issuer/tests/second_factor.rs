//! The second factor: setting it up, logging in with it, what is kept for when it is lost, and raising a login for a request that wants more.

use durward_authn::TotpSecret;
use durward_authn::totp::step_at;
use durward_base::{Duration, base64url};
use http::StatusCode;
use serde_json::Value;

use crate::fixture::{Answer, Browser, ISSUER, PASSWORD, World, web_request};

const TOTP: &str = "/realms/main/account/totp";

/// What somebody's app holds.
struct App(TotpSecret);

impl App {
    /// Types in what the page shows.
    fn from_page(page: &Answer) -> Self {
        let (_, rest) = page.body.split_once("id=\"totp-secret\">").unwrap();
        let letters = rest.split('<').next().unwrap().replace(' ', "");
        let bits = letters.bytes().map(|letter| "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".bytes().position(|known| known == letter).unwrap());
        let bits: Vec<u8> = bits.flat_map(|value| (0..5).rev().map(move |at| u8::try_from(value >> at & 1).unwrap())).collect();
        Self(TotpSecret::from_bytes(bits.chunks(8).map(|byte| byte.iter().fold(0, |sum, bit| sum << 1 | bit)).collect::<Vec<u8>>()))
    }

    fn code(&self, world: &World) -> String {
        self.0.code(step_at(world.clock.clock().now())).to_string()
    }
}

/// Submits the form of a page.
async fn submit(browser: &mut Browser<'_>, page: &Answer, fields: &[(&str, &str)]) -> Answer {
    let (action, transaction) = (page.attribute("<form", "action"), page.attribute("name=\"transaction\"", "value"));
    let mut form = vec![("transaction", transaction.as_str())];
    let onward = page.body.contains("name=\"onward\"").then(|| page.attribute("name=\"onward\"", "value"));
    form.extend(onward.as_deref().map(|onward| ("onward", onward)));
    form.extend(fields);
    browser.with("sec-fetch-site", "same-origin").with("origin", "null");
    browser.post(&action, &form).await
}

/// Logs in, and sets a second factor up: the app, and the recovery codes.
async fn enrolled(browser: &mut Browser<'_>) -> (App, Vec<String>) {
    browser.tokens().await;
    let page = browser.get(TOTP).await;
    let app = App::from_page(&page);
    let code = app.code(browser.world);
    let shown = submit(browser, &page, &[("code", &code)]).await;
    assert_eq!(shown.status, StatusCode::OK, "{}", shown.body);
    let codes: Vec<String> = shown.body.split("<li><code>").skip(1).map(|rest| rest.split('<').next().unwrap().to_owned()).collect();
    assert_eq!(codes.len(), 10);
    browser.world.clock.advance(Duration::from_secs(30));
    (app, codes)
}

/// As far as the page for a code, in a browser with nothing in it.
async fn with_password(browser: &mut Browser<'_>, request: &[(&str, &str)]) -> Answer {
    let asked = browser.arrive(request, "alice").await;
    assert!(asked.location().contains("/login/totp?transaction="), "{}", asked.location());
    assert!(!browser.cookies.contains_key("__Host-dw-sso-main"), "a password alone opens nothing");
    browser.follow(&asked).await
}

fn claims(token: &Value) -> Value {
    let payload = token.as_str().unwrap().split('.').nth(1).unwrap().to_owned();
    serde_json::from_slice(&base64url::decode(&payload).unwrap()).unwrap()
}

#[tokio::test]
async fn whoever_has_a_second_factor_logs_in_with_both_and_the_token_says_so() {
    let world = World::new().await;
    let (app, _) = enrolled(&mut world.browser()).await;
    let mut browser = world.browser();
    let page = with_password(&mut browser, &web_request(&[])).await;
    for text in ["id=\"totp\"", "id=\"totp-submit\"", "id=\"use-recovery\"", "one-time-code", "Harbour Web"] {
        assert!(page.body.contains(text), "{text}");
    }
    let arrived = submit(&mut browser, &page, &[("code", &app.code(&world))]).await;
    let tokens = browser.redeem(&arrived.code(), &[]).await.json();
    for token in [&tokens["access_token"], &tokens["id_token"]] {
        let claims = claims(token);
        assert_eq!((claims["acr"].as_str(), claims["auth_time"].as_i64()), (Some("mfa"), Some(world.clock.clock().now().seconds())));
    }
    assert_eq!(claims(&tokens["id_token"])["amr"], serde_json::json!(["pwd", "otp", "mfa"]));
}

/// MFA-001
#[tokio::test]
async fn a_code_is_good_once_however_it_is_spelled_and_wherever_it_is_sent() {
    let world = World::new().await;
    let (app, _) = enrolled(&mut world.browser()).await;
    let code = app.code(&world);
    let mut browser = world.browser();
    let page = with_password(&mut browser, &web_request(&[])).await;
    let arrived = submit(&mut browser, &page, &[("code", &code)]).await;
    assert_eq!(arrived.status, StatusCode::SEE_OTHER, "{}", arrived.body);
    for (spelling, reason) in [
        (code.clone(), "login.code_used"),
        (format!(" {code} "), "login.code_used"),
        (format!("{} {}", &code[..3], &code[3..]), "login.code_used"),
        (format!("0{code}"), "login.code_malformed"),
        (format!("{code}x"), "login.code_malformed"),
        (code.chars().map(|digit| char::from_u32(u32::from(digit) + 0xFF10 - 0x30).unwrap()).collect(), "login.code_malformed"),
        (String::new(), "login.code_malformed"),
    ] {
        let mut other = world.browser();
        let page = with_password(&mut other, &web_request(&[])).await;
        let refused = submit(&mut other, &page, &[("code", &spelling)]).await;
        assert_eq!((refused.status, refused.reason()), (StatusCode::FORBIDDEN, reason), "{spelling:?}");
        assert!(refused.body.contains("role=\"alert\"") && !other.cookies.contains_key("__Host-dw-sso-main"));
    }
    world.clock.advance(Duration::from_secs(30));
    let mut next = world.browser();
    let page = with_password(&mut next, &web_request(&[])).await;
    assert_eq!(submit(&mut next, &page, &[("code", &app.code(&world))]).await.status, StatusCode::SEE_OTHER, "the next one is");
}

/// MFA-001
#[tokio::test]
async fn of_a_code_that_is_sent_twice_at_once_one_is_good() {
    let world = World::new().await;
    let (app, _) = enrolled(&mut world.browser()).await;
    let code = app.code(&world);
    let person = world.person("alice").await;
    let spend = durward_model::Write::SpendTotp { realm: "main".to_owned(), person: person.id, step: step_at(world.clock.clock().now()) };
    let mut browser = world.browser();
    let page = with_password(&mut browser, &web_request(&[])).await;
    // Another node was faster by a moment.
    world.write(&[spend]).await;
    world.events().await;
    let refused = submit(&mut browser, &page, &[("code", &code)]).await;
    assert_eq!((refused.status, refused.reason()), (StatusCode::FORBIDDEN, "login.code_used"));
}

/// MFA-001, MFA-012: codes of both kinds are counted together, and apart from passwords.
#[tokio::test]
async fn five_wrong_codes_slow_the_account_down() {
    let world = World::new().await;
    let (app, codes) = enrolled(&mut world.browser()).await;
    let mut browser = world.browser();
    let page = with_password(&mut browser, &web_request(&[])).await;
    for number in 0..5 {
        let field = if number % 2 == 0 { ("code", "000000") } else { ("recovery_code", "0000-0000-0000-0000") };
        let wrong = submit(&mut browser, &page, &[field]).await;
        assert_eq!(wrong.status, StatusCode::FORBIDDEN, "{}", wrong.reason());
    }
    for field in [("code", app.code(&world)), ("recovery_code", codes[0].clone())] {
        let throttled = submit(&mut browser, &page, &[(field.0, &field.1)]).await;
        assert_eq!((throttled.status, throttled.reason()), (StatusCode::TOO_MANY_REQUESTS, "login.throttled"));
        assert_eq!(throttled.header("retry-after"), "1");
    }
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(submit(&mut browser, &page, &[("code", &app.code(&world))]).await.status, StatusCode::SEE_OTHER);
}

/// MFA-012
#[tokio::test]
async fn a_recovery_code_signs_in_once_for_less_and_lets_its_person_start_anew() {
    let world = World::new().await;
    let (_, codes) = enrolled(&mut world.browser()).await;
    let mut browser = world.browser();
    let page = with_password(&mut browser, &web_request(&[])).await;
    let page = browser.get(&page.attribute("id=\"use-recovery\"", "href")).await;
    assert!(page.body.contains("id=\"recovery-code\"") && page.body.contains("id=\"use-totp\""));
    let arrived = submit(&mut browser, &page, &[("recovery_code", &codes[3].to_uppercase().replace('-', " "))]).await;
    let tokens = browser.redeem(&arrived.code(), &[]).await.json();
    assert_eq!(claims(&tokens["access_token"])["acr"], "pwd", "a code on paper is no second factor");
    let mut other = world.browser();
    let page = with_password(&mut other, &web_request(&[])).await;
    let again = submit(&mut other, &page, &[("recovery_code", &codes[3])]).await;
    assert_eq!((again.status, again.reason()), (StatusCode::FORBIDDEN, "login.code_used"));

    let demanding = web_request(&[("claims", r#"{"id_token":{"acr":{"essential":true,"value":"mfa"}}}"#)]);
    let unmet = browser.ask(&demanding).await;
    assert_eq!(unmet.parameter("error").as_deref(), Some("unmet_authentication_requirements"));

    let page = browser.get(TOTP).await;
    assert!(page.body.contains("9 left."), "{}", page.body);
    let renewed = submit(&mut browser, &page, &[("change", "codes")]).await;
    assert!(renewed.body.contains("id=\"recovery-codes\""), "{}", renewed.body);
    let page = with_password(&mut other, &web_request(&[])).await;
    let old = submit(&mut other, &page, &[("recovery_code", &codes[4])]).await;
    assert_eq!(old.status, StatusCode::FORBIDDEN, "new ones end the old");
    let code = browser.ask(&web_request(&[])).await.code();
    let bought = browser.redeem(&code, &[]).await.text("refresh_token");
    let page = browser.get(TOTP).await;
    let removed = submit(&mut browser, &page, &[("change", "remove")]).await;
    assert_eq!((removed.status, removed.event.detail.as_deref()), (StatusCode::SEE_OTHER, Some("the second factor was removed")));
    browser.refresh(&bought, &[]).await.is_error(400, "invalid_grant");
    let asked = browser.get(TOTP).await;
    let page = browser.follow(&asked).await;
    let back = browser.log_in(&page, "alice", PASSWORD).await;
    assert!(browser.follow(&back).await.body.contains("id=\"totp-secret\""), "RT-005: signs in anew, and sets up another app");
}

/// MFA-004
#[tokio::test]
async fn nobody_sets_up_or_removes_a_second_factor_without_proving_all_they_have_just_now() {
    let world = World::new().await;
    let mut owner = world.browser();
    owner.tokens().await;
    let early = owner.get(TOTP).await;
    let (app, _) = enrolled(&mut world.browser()).await;
    // The page was opened while there was none; by now there is one, and the code of the attacker's own secret changes nothing.
    let code = App::from_page(&early).code(&world);
    let refused = submit(&mut owner, &early, &[("code", &code)]).await;
    assert_eq!((refused.status, refused.reason()), (StatusCode::FORBIDDEN, "second_factor.present"));
    // A login by password alone, from before, is sent to prove the second factor first.
    let page = owner.get(TOTP).await;
    for change in ["codes", "remove"] {
        let sent = submit(&mut owner, &page, &[("change", change)]).await;
        assert!(sent.status == StatusCode::SEE_OTHER && sent.location().contains("/login/totp?"), "{change}");
    }
    // Between password and code nobody is logged in, and no page of the account opens.
    let mut pending = world.browser();
    with_password(&mut pending, &web_request(&[])).await;
    assert!(pending.get(TOTP).await.location().contains("/login?transaction="));
    // Proved, and for five minutes.
    let sent = submit(&mut owner, &page, &[("change", "remove")]).await;
    let asked = owner.follow(&sent).await;
    let back = submit(&mut owner, &asked, &[("code", &app.code(&world))]).await;
    assert_eq!(back.location(), format!("{ISSUER}/account/totp"));
    world.clock.advance(Duration::from_secs(301));
    let page = owner.get(TOTP).await;
    assert!(submit(&mut owner, &page, &[("change", "remove")]).await.location().contains("/login/totp?"), "no longer fresh");
}

#[tokio::test]
async fn a_stale_login_proves_its_password_again_before_a_second_factor_is_set_up() {
    let world = World::new().await;
    let mut browser = world.browser();
    browser.tokens().await;
    let page = browser.get(TOTP).await;
    world.clock.advance(Duration::from_secs(301));
    assert!(browser.get(TOTP).await.location().contains("/login?transaction="));
    let code = App::from_page(&page).code(&world);
    assert!(submit(&mut browser, &page, &[("code", &code)]).await.location().contains("/login?transaction="));
    let asked = browser.get(TOTP).await;
    let shown = browser.follow(&asked).await;
    let back = browser.log_in(&shown, "alice", PASSWORD).await;
    assert_eq!(back.location(), format!("{ISSUER}/account/totp"));
    let page = browser.follow(&back).await;
    let wrong = submit(&mut browser, &page, &[("code", "000000")]).await;
    assert_eq!((wrong.status, wrong.reason()), (StatusCode::FORBIDDEN, "second_factor.code_wrong"));
    assert_eq!(
        wrong.body.split_once("id=\"totp-secret\">").map(|(_, rest)| &rest[..39]),
        page.body.split_once("id=\"totp-secret\">").map(|(_, rest)| &rest[..39]),
        "the secret that was scanned stays"
    );
}

/// MFA-003
#[tokio::test]
async fn no_other_way_in_takes_the_password_of_whoever_has_a_second_factor() {
    let world = World::new().await;
    enrolled(&mut world.browser()).await;
    world.change_client("desktop", |client| client.legacy_grants = vec![durward_model::LegacyGrant::Password]).await;
    let mut program = world.browser();
    let refused = program
        .token(&[
            ("grant_type", "password"),
            ("client_id", "desktop"),
            ("scope", "orders:read"),
            ("username", "alice"),
            ("password", PASSWORD),
        ])
        .await;
    refused.is_error(400, "invalid_grant");
    assert_eq!(refused.reason(), "login.second_factor_required");
    let bob = program
        .token(&[
            ("grant_type", "password"),
            ("client_id", "desktop"),
            ("scope", "orders:read"),
            ("username", "bob"),
            ("password", PASSWORD),
        ])
        .await;
    assert_eq!(claims(&bob.json()["access_token"])["acr"], "pwd");
}

#[tokio::test]
async fn a_code_page_belongs_to_its_browser_its_person_and_ten_minutes() {
    let world = World::new().await;
    let (app, _) = enrolled(&mut world.browser()).await;
    let mut browser = world.browser();
    let page = with_password(&mut browser, &web_request(&[])).await;
    let mut thief = world.browser();
    thief.arrive(&web_request(&[]), "bob").await;
    let stolen = submit(&mut thief, &page, &[("code", &app.code(&world))]).await;
    assert_eq!((stolen.status, stolen.reason()), (StatusCode::BAD_REQUEST, "form.stale"));
    world.clock.advance(Duration::from_secs(601));
    let late = submit(&mut browser, &page, &[("code", &app.code(&world))]).await;
    assert_eq!((late.status, late.reason()), (StatusCode::BAD_REQUEST, "form.stale"));
    let page = with_password(&mut browser, &web_request(&[])).await;
    world.disable("alice").await;
    world.events().await;
    let disabled = submit(&mut browser, &page, &[("code", &app.code(&world))]).await;
    assert_eq!(disabled.status, StatusCode::BAD_REQUEST);
}

/// RFC 9470 section 5: the login stays, and so does what it granted before.
#[tokio::test]
async fn a_request_that_wants_more_raises_the_login_and_leaves_what_it_granted() {
    let world = World::new().await;
    let mut owner = world.browser();
    let before = owner.tokens().await;
    let (app, _) = enrolled(&mut world.browser()).await;
    let cookie = owner.cookies["__Host-dw-sso-main"].clone();
    let asked = owner.ask(&web_request(&[("acr_values", "mfa"), ("max_age", "300")])).await;
    assert!(asked.location().contains("/login/totp?transaction="), "{}", asked.location());
    let page = owner.follow(&asked).await;
    let arrived = submit(&mut owner, &page, &[("code", &app.code(&world))]).await;
    let tokens = owner.redeem(&arrived.code(), &[]).await.json();
    assert_eq!(claims(&tokens["access_token"])["acr"], "mfa");
    assert_eq!(claims(&tokens["access_token"])["ses"], claims(&before["access_token"])["ses"], "it is the same login");
    let refreshed = owner.refresh(before["refresh_token"].as_str().unwrap(), &[]).await.json();
    assert_eq!(claims(&refreshed["access_token"])["acr"], "pwd", "what was granted before is worth what it was");
    assert!(!cookie.is_empty());
    let again = owner.ask(&web_request(&[("acr_values", "mfa"), ("max_age", "300")])).await;
    assert!(again.parameter("code").is_some(), "it is strong and recent enough now");
    world.clock.advance(Duration::from_secs(301));
    let old = owner.ask(&web_request(&[("acr_values", "mfa"), ("max_age", "300")])).await;
    assert!(old.location().contains("/login?transaction="), "and is not for ever");
}

/// RFC 9470 section 5: whoever has no second factor is led to one, if their password is fresh.
#[tokio::test]
async fn a_request_that_wants_more_than_a_person_has_leads_them_to_set_it_up_or_says_that_it_cannot_be() {
    let world = World::new().await;
    let essential = [("claims", r#"{"id_token":{"acr":{"essential":true,"value":"mfa"}}}"#)];
    let mut browser = world.browser();
    let asked = browser.arrive(&web_request(&essential), "alice").await;
    assert!(asked.location().contains("/account/totp?transaction="), "{}", asked.location());
    let page = browser.follow(&asked).await;
    assert!(page.body.contains("needs more than your password"), "{}", page.body);
    let code = App::from_page(&page).code(&world);
    let shown = submit(&mut browser, &page, &[("code", &code)]).await;
    let arrived = browser.get(&shown.attribute("id=\"totp-continue\"", "href")).await;
    let tokens = browser.redeem(&arrived.code(), &[]).await.json();
    assert_eq!(claims(&tokens["id_token"])["acr"], "mfa");

    let mut stale = world.browser();
    stale.arrive(&web_request(&[]), "bob").await;
    world.clock.advance(Duration::from_secs(301));
    let unmet = stale.ask(&web_request(&essential)).await;
    assert_eq!(unmet.parameter("error").as_deref(), Some("unmet_authentication_requirements"));
    let voluntary = stale.ask(&web_request(&[("acr_values", "mfa")])).await;
    assert!(voluntary.parameter("code").is_some(), "what is voluntary is done without");
}

//! A backup is put back: who was there is there, what was spent stays spent, tokens of before are dead.

use std::fs;

use reqwest::StatusCode;

use crate::fixture::{ALICE, Durward, PASSWORD, PROGRAM, granted};

#[tokio::test]
async fn a_backup_is_put_back_and_tokens_of_before_are_dead() {
    let mut durward = Durward::start().await;
    let application = durward.application();
    let code = application.code(ALICE, PASSWORD).await;
    let file = durward.directory().join("backup");
    let name = file.to_str().unwrap();
    durward.command(&["backup", name]);
    let token = durward.application().log_in(ALICE, PASSWORD).await.access_token;
    assert!(!durward.try_command(&["restore", name]).status.success(), "restored beside a running authority");

    durward.stop();
    for canary in [PASSWORD.as_bytes(), b"SQLite format 3"] {
        assert!(!fs::read(&file).unwrap().windows(canary.len()).any(|bytes| bytes == canary), "the backup is readable");
    }
    let checked = durward.try_command(&["restore", "--check", name]);
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    let restored = durward.try_command(&["restore", name]);
    assert!(restored.status.success(), "{}", String::from_utf8_lossy(&restored.stderr));
    durward.restart();

    let application = durward.application();
    assert_eq!(application.userinfo(&token).await, StatusCode::UNAUTHORIZED, "a token of before the restore");
    assert_eq!(application.exchange(&code).await.unwrap().status(), StatusCode::BAD_REQUEST, "a code of before the restore");
    let token = application.log_in(ALICE, PASSWORD).await.access_token;
    assert_eq!(application.userinfo(&token).await, StatusCode::OK);
}

#[tokio::test]
async fn a_backup_that_was_changed_is_not_put_back() {
    let mut durward = Durward::start().await;
    let file = durward.directory().join("backup");
    let name = file.to_str().unwrap().to_owned();
    durward.command(&["backup", &name]);
    durward.stop();
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&file, bytes).unwrap();
    assert!(!durward.try_command(&["restore", &name]).status.success());
    durward.restart();
    durward.application().log_in(ALICE, PASSWORD).await;
}

/// FLT: what was revoked after a backup was taken stays revoked when it is put back, and nobody else is logged out.
#[tokio::test]
async fn what_was_ended_after_the_backup_is_ended_when_it_is_put_back() {
    let mut durward = Durward::start().await;
    durward.apply("kind: person\nname: bob\npassword: ${ALICE_PASSWORD}\n---\nkind: person\nname: carol\npassword: ${ALICE_PASSWORD}\n");
    let (robbed, bob, carol) = (durward.application(), durward.application(), durward.application());
    let stolen = robbed.log_in(ALICE, PASSWORD).await.refresh_token;
    let ended = bob.log_in("bob", PASSWORD).await.refresh_token;
    let kept = carol.log_in("carol", PASSWORD).await.refresh_token;
    let file = durward.directory().join("backup");
    let name = file.to_str().unwrap().to_owned();
    durward.command(&["backup", &name]);

    let second = granted(robbed.refresh(&stolen).await.unwrap()).await.refresh_token;
    let third = granted(robbed.refresh(&second).await.unwrap()).await.refresh_token;
    assert_eq!(robbed.refresh(&stolen).await.unwrap().status(), StatusCode::BAD_REQUEST, "reuse ends the family");
    durward.command(&["sessions", "end", "--person", ALICE]);
    durward.command(&["people", "disable", "bob"]);
    let moved = granted(carol.refresh(&kept).await.unwrap()).await.refresh_token;
    let moved = granted(carol.refresh(&moved).await.unwrap()).await.refresh_token;
    durward.stop();
    let restored = durward.command(&["restore", &name]);
    assert_eq!(restored["buried"]["disabled"], serde_json::json!(["person/bob"]), "{restored}");
    durward.restart();

    for (application, token) in [(&robbed, &stolen), (&robbed, &second), (&robbed, &third), (&bob, &ended)] {
        assert_eq!(application.refresh(token).await.unwrap().status(), StatusCode::BAD_REQUEST);
    }
    for application in [&robbed, &bob] {
        let (url, _) = application.login_page().await;
        assert!(url.path().ends_with("/login"), "an ended login counts again: {url}");
    }
    let page = bob.login_page().await;
    assert!(bob.submit(&page, "bob", PASSWORD).await.headers().get("location").is_none(), "who was disabled is enabled again");
    let moved = granted(carol.refresh(&moved).await.unwrap()).await.refresh_token;
    assert_eq!(carol.refresh(&kept).await.unwrap().status(), StatusCode::BAD_REQUEST, "the token of the backup was used long ago");
    assert_eq!(carol.refresh(&moved).await.unwrap().status(), StatusCode::BAD_REQUEST, "and whoever has it ends the family");
}

#[tokio::test]
async fn without_the_journal_every_login_ends_and_it_is_said() {
    let mut durward = Durward::start().await;
    let application = durward.application();
    let token = application.log_in(ALICE, PASSWORD).await.refresh_token;
    let file = durward.directory().join("backup");
    let name = file.to_str().unwrap().to_owned();
    durward.command(&["backup", &name]);
    durward.stop();
    fs::remove_dir_all(durward.data().join("journal")).unwrap();
    let restored = durward.command(&["restore", &name]);
    assert!(restored["buried"]["unknown"].as_str().unwrap().contains("no journal"), "{restored}");
    durward.restart();
    assert_eq!(application.refresh(&token).await.unwrap().status(), StatusCode::BAD_REQUEST);
    assert!(application.login_page().await.0.path().ends_with("/login"));
    application.log_in(ALICE, PASSWORD).await;
}

/// The new password and the new secret are lost with what is put back; whoever knew the old ones was shut out, and stays so.
#[tokio::test(flavor = "multi_thread")]
async fn a_password_or_secret_that_was_superseded_is_not_good_again() {
    let mut durward = Durward::start().await;
    let application = durward.application();
    let file = durward.directory().join("backup");
    let name = file.to_str().unwrap().to_owned();
    durward.command(&["backup", &name]);
    let chosen = durward.directory().join("chosen");
    fs::write(&chosen, "a quite different passphrase").unwrap();
    durward.command(&["people", "set-password", ALICE, "--password-file", chosen.to_str().unwrap()]);
    durward.command(&["clients", "secret", "add", PROGRAM, "--overlap", "1h"]);
    assert_eq!(application.program_token().await.unwrap().status(), StatusCode::OK, "the old secret, within the overlap");
    durward.stop();
    let restored = durward.command(&["restore", &name]);
    assert_eq!(restored["buried"]["without"], serde_json::json!(["client/program", "person/alice"]), "{restored}");
    durward.restart();
    assert_eq!(application.program_token().await.unwrap().status(), StatusCode::UNAUTHORIZED);
    let page = application.login_page().await;
    assert!(application.submit(&page, ALICE, PASSWORD).await.headers().get("location").is_none(), "the old password is good again");
    durward.command(&["people", "set-password", ALICE, "--password-file", chosen.to_str().unwrap()]);
    application.log_in(ALICE, "a quite different passphrase").await;
}

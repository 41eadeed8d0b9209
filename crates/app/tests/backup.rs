//! A backup is put back: who was there is there, what was spent stays spent, tokens of before are dead.

use std::fs;

use reqwest::StatusCode;

use crate::fixture::{ALICE, Durward, PASSWORD};

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

//! `durward protect`: what it makes at first, and what it does not take away again.

use std::fs;

use serde_json::Value;

use crate::fixture::{Durward, Turn};

fn route(durward: &Durward) -> Value {
    durward.command(&["export"]).as_array().unwrap().iter().find(|resource| resource["kind"] == "route").unwrap().clone()
}

#[tokio::test]
async fn protect_changes_nothing_the_second_time_and_never_weakens_a_route_that_stands() {
    let durward = Durward::empty(Turn::shared().await).await;
    let protect = ["protect", "http://127.0.0.1:8080", "--at", "/orders"];
    let made = durward.command(&protect);
    let password = fs::read_to_string(made["password_file"].as_str().unwrap()).unwrap();
    assert_eq!(durward.command(&protect), made);
    let changes =
        durward.command(&["audit", "list", "--kind", "resource.changed", "--outcome", "changed"])["items"].as_array().unwrap().len();
    assert_eq!(durward.command(&protect), made);
    assert_eq!(
        durward.command(&["audit", "list", "--kind", "resource.changed", "--outcome", "changed"])["items"].as_array().unwrap().len(),
        changes
    );

    durward.apply(
        "kind: route\nname: orders\npath: /orders\nupstream: http://127.0.0.1:8080\nservice: orders\nmethods: [GET]\n\
         require: {authenticated: true, callers: [orders-cli]}\n",
    );
    let narrowed = route(&durward);
    let refused = durward.try_command(&protect);
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success());
    for wanted in ["nothing was changed: --replace", "~ route orders", "require.callers"] {
        assert!(said.contains(wanted), "{wanted}: {said}");
    }
    assert_eq!(route(&durward), narrowed);
    // Where the file is not, it would set a new password for a person who has one.
    fs::remove_file(made["password_file"].as_str().unwrap()).unwrap();
    assert!(String::from_utf8_lossy(&durward.try_command(&protect).stderr).contains("~ person orders-demo"));
    assert!(!fs::exists(made["password_file"].as_str().unwrap()).unwrap(), "nothing is left behind");

    let replaced = durward.command(&[&protect[..], &["--replace"]].concat());
    assert_eq!(replaced["resources"], made["resources"]);
    assert_eq!(
        route(&durward)["methods"],
        made["resources"].as_array().unwrap().iter().find(|it| it["kind"] == "route").unwrap()["methods"]
    );
    assert_ne!(fs::read_to_string(replaced["password_file"].as_str().unwrap()).unwrap(), password);
}

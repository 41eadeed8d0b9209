//! What the command line says for itself, with no authority to ask: settings that are checked and shown, and errors that say what to do.

use std::fs;
use std::path::Path;
use std::process::{Output, Stdio};

use serde_json::Value;

use crate::fixture::{durward, unanswered};

fn run(directory: &Path, arguments: &[&str]) -> Output {
    durward().args(arguments).current_dir(directory).env("XDG_CONFIG_HOME", directory).output().unwrap()
}

/// What it says on standard error while it fails.
fn refused(directory: &Path, arguments: &[&str]) -> String {
    let output = run(directory, arguments);
    assert!(!output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn config_check_refuses_what_serve_would_refuse() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("durward.yaml");
    for (settings, said) in [
        ("names: [\"a b\"]\n", "names: `a b` is no host name and no address"),
        ("certificates: [{chain: chain.pem, key: key.pem}]\n", "certificates[0]"),
        ("places: places.mmdb\n", "places: the file"),
        ("passwords: {breached: breached.txt}\n", "passwords.breached: "),
        ("outbound: {trusted_roots: roots.pem}\n", "outbound.trusted_roots: the file"),
        ("telemetry: {log: \"durward=loud\"}\n", "telemetry.log: `durward=loud` is no log filter"),
        ("data: data\nseal: data/seal\n", "seal: "),
        ("gateway: {front_certificates: [front.pem]}\n", "gateway.front_certificates: the file"),
        ("gateway: {client_authorities: [{roots: roots.pem}]}\n", "gateway.client_authorities[0]"),
        ("gateway: {sessions: [{client: a, secret: \"${A}\", idle_minutes: 0}]}\n", "gateway.sessions[0].idle_minutes: 0"),
        ("gateway: {upstream_tls: [{name: a, roots: roots.pem}]}\n", "gateway.upstream_tls[0]"),
        ("listen:\n  gateway: 8443\n", "expected ADDRESS:PORT, such as 127.0.0.1:8443  durward.yaml:2:12"),
        ("listen:\n  plain: localhost\n", "expected ADDRESS:PORT, such as 127.0.0.1:8443  durward.yaml:2:10"),
    ] {
        fs::write(&file, settings).unwrap();
        let error = refused(directory.path(), &["config", "check"]);
        assert!(error.contains(said), "{settings}{error}");
    }
    // What has a secret elsewhere is checked without it.
    fs::write(&file, "store: {postgres: \"${NOT_SET_HERE}\"}\nlisten: {gateway: \"127.0.0.1:1\"}\n").unwrap();
    let good = run(directory.path(), &["config", "check", "--output", "json"]);
    assert!(good.status.success(), "{good:?}");
    assert_eq!(serde_json::from_slice::<Value>(&good.stdout).unwrap(), serde_json::json!({ "done": true }));
}

#[test]
fn config_show_reads_the_file_that_serve_reads() {
    let directory = tempfile::tempdir().unwrap();
    let port = |of: &Output| {
        let values: Vec<Value> = serde_json::from_slice(&of.stdout).unwrap();
        values.into_iter().find(|value| value["name"] == "listen.gateway").unwrap()
    };
    let show = ["config", "show", "--output", "json"];
    assert_eq!(port(&run(directory.path(), &show))["from"], "default");
    fs::write(directory.path().join("durward.yaml"), "listen: {gateway: \"127.0.0.1:9443\"}\n").unwrap();
    let shown = port(&run(directory.path(), &show));
    assert_eq!((&shown["value"], &shown["from"]), (&"127.0.0.1:9443".into(), &"durward.yaml".into()));
}

#[test]
fn errors_say_what_was_expected() {
    let directory = tempfile::tempdir().unwrap();
    for (arguments, said) in [
        (&["protect", "127.0.0.1:8080", "--at", "/a"][..], "expected a URL that begins with http:// or https://"),
        (&["protect", "localhost:8080", "--at", "/a"], "expected a URL that begins with http:// or https://"),
        (&["doctor", "--server", "localhost:33444"], "expected https://host[:port], such as https://auth.example:8444"),
        (&["doctor", "--server", "http://localhost:33444"], "expected https://host[:port], such as https://auth.example:8444"),
        (&["doctor", "--server", "https://localhost:33444"], "you are not logged in at https://localhost:33444"),
        (&["audit", "list", "--outcome", "x"], "[possible values: allowed, denied, failed, changed, would_deny]"),
    ] {
        let error = refused(directory.path(), arguments);
        assert!(error.contains(said), "{arguments:?}: {error}");
    }
}

#[test]
fn a_start_without_its_database_says_where_it_looked_and_what_came_of_it() {
    let directory = tempfile::tempdir().unwrap();
    let held = unanswered();
    let database = held.local_addr().unwrap();
    fs::write(directory.path().join("dsn"), format!("postgresql://u:hunter2@{database}/d\n")).unwrap();
    let listen = "listen: {gateway: \"127.0.0.1:0\", authority: \"127.0.0.1:0\", operations: \"127.0.0.1:0\", nodes: \"127.0.0.1:0\"}\n";
    // The reference is relative to the file, not to where it is read.
    fs::write(directory.path().join("durward.yaml"), format!("{listen}store: {{postgres: \"file:dsn\"}}\n")).unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let file = directory.path().join("durward.yaml");
    let error = refused(elsewhere.path(), &["serve", "--config", file.to_str().unwrap()]);
    assert!(error.contains(&database.to_string()) && error.contains("refused"), "{error}");
    assert!(!error.contains("hunter2"), "{error}");
}

#[test]
fn a_reader_who_has_left_breaks_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let listen = "listen: {gateway: \"127.0.0.1:0\", authority: \"127.0.0.1:0\", operations: \"127.0.0.1:0\", nodes: \"127.0.0.1:0\"}\n";
    fs::write(directory.path().join("durward.yaml"), listen).unwrap();
    let log = directory.path().join("log");
    let mut serving = durward();
    serving.args(["serve", "--dev"]).current_dir(directory.path()).stdout(Stdio::piped()).stderr(fs::File::create(&log).unwrap());
    let mut serving = serving.spawn().unwrap();
    drop(serving.stdout.take());
    let said = || fs::read_to_string(&log).unwrap();
    // What comes after the line that nobody reads.
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while !said().contains("Next, in another terminal") {
        assert!(serving.try_wait().unwrap().is_none() && std::time::Instant::now() < deadline, "{}", said());
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    serving.kill().unwrap();
    serving.wait().unwrap();
    assert!(!said().contains("panicked") && !said().contains('\u{1b}'), "no panic, and no colours in a file: {}", said());
}

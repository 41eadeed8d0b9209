//! `durward demo`: the whole shop in a minute, and nothing of it left behind.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use durward_testsite::Postgres;

use crate::fixture::{Turn, durward, signal};

/// The demo with a directory of its own for what it writes.
fn demo(arguments: &[&str], directory: &tempfile::TempDir) -> Child {
    let mut command = durward();
    command.arg("demo").args(arguments).env("TMPDIR", directory.path()).current_dir(directory.path());
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// The processes that descend from one.
fn children(pid: u32) -> Vec<u32> {
    let listed = Command::new("ps").args(["-o", "pid=", "--ppid", &pid.to_string()]).output().unwrap();
    String::from_utf8(listed.stdout).unwrap().split_whitespace().map(|pid| pid.parse().unwrap()).collect()
}

fn alive(pid: u32) -> bool {
    let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    state.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with('Z'))
}

fn assert_nothing_left(directory: &tempfile::TempDir, children: &[u32]) {
    let began = Instant::now();
    while children.iter().any(|&pid| alive(pid)) {
        assert!(began.elapsed() < Duration::from_secs(5), "services are left");
        std::thread::sleep(Duration::from_millis(10));
    }
    let left: Vec<_> = std::fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn the_demo_checks_itself_and_cleans_up() {
    let _turn = Turn::alone().await;
    let directory = tempfile::tempdir().unwrap();
    let began = Instant::now();
    let output = demo(&["--check"], &directory).wait_with_output().unwrap();
    let (said, log) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}\n{log}");
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
    assert_nothing_left(&directory, &[]);
}

#[tokio::test]
async fn the_demo_checks_itself_on_postgresql() {
    let _turn = Turn::alone().await;
    let (postgres, directory, secrets) = (Postgres::start(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let dsn = secrets.path().join("dsn");
    std::fs::write(&dsn, postgres.dsn("postgres")).unwrap();
    let output = demo(&["--check", "--postgres", dsn.to_str().unwrap()], &directory).wait_with_output().unwrap();
    let (said, log) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}\n{log}");
    assert_nothing_left(&directory, &[]);
}

#[tokio::test]
async fn an_interrupted_demo_leaves_nothing_behind() {
    let _turn = Turn::shared().await;
    let directory = tempfile::tempdir().unwrap();
    let mut demo = demo(&[], &directory);
    let mut lines = BufReader::new(demo.stdout.take().unwrap()).lines();
    // What to try is printed when everything runs.
    assert!(lines.next().is_some_and(|line| line.is_ok()));
    let services = children(demo.id());
    assert_eq!(services.len(), 3, "{services:?}");
    signal(demo.id(), "INT");
    let status = demo.wait().unwrap();
    let mut log = String::new();
    demo.stderr.take().unwrap().read_to_string(&mut log).unwrap();
    assert!(status.success(), "{status}: {log}");
    assert_nothing_left(&directory, &services);
}

#[tokio::test]
async fn the_services_of_a_killed_demo_end_with_it() {
    let _turn = Turn::shared().await;
    let directory = tempfile::tempdir().unwrap();
    let mut demo = demo(&[], &directory);
    let mut line = String::new();
    BufReader::new(demo.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let services = children(demo.id());
    demo.kill().unwrap();
    demo.wait().unwrap();
    let began = Instant::now();
    while services.iter().any(|&pid| alive(pid)) {
        assert!(began.elapsed() < Duration::from_secs(5), "services are left");
        std::thread::sleep(Duration::from_millis(10));
    }
}

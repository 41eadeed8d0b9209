//! A script of `referees/`, which drives or serves what this gateway stands before with libraries of others.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

/// One that runs, until it is dropped.
pub struct Script {
    process: Child,
    output: BufReader<ChildStdout>,
}

impl Script {
    pub fn start(name: &str, arguments: &[&str]) -> Self {
        let own = Path::new(env!("CARGO_MANIFEST_DIR"));
        let python = own.join("../../target/clients/python/bin/python");
        assert!(python.exists(), "{} is not there: run crates/app/tests/clients/install", python.display());
        let mut command = Command::new(if name.ends_with(".mjs") { Path::new("node") } else { &python });
        command.arg(own.join("tests/referees").join(name)).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        Self { process, output }
    }

    /// What it says next.
    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// The same, as JSON.
    pub fn json(&mut self) -> serde_json::Value {
        let line = self.line();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

//! Stages of a run: each a command whose output is shown, whose time is printed, and whose tests are counted.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// What ran so far.
#[derive(Default)]
pub struct Stages {
    passed: u64,
    failed: u64,
    ignored: u64,
    times: Vec<(String, Duration)>,
}

impl Stages {
    /// Runs a command as the stage `name`. The test runner's own counts are added up; a command that runs none counts as one test.
    pub fn run(&mut self, name: &str, command: &mut Command) -> bool {
        println!("\n── {name}");
        let started = Instant::now();
        let (before, succeeded) = (self.passed + self.failed, self.stream(command));
        if self.passed + self.failed == before || !succeeded && self.failed == 0 {
            *if succeeded { &mut self.passed } else { &mut self.failed } += 1;
        }
        self.times.push((name.to_owned(), started.elapsed()));
        println!("── {name}: {} in {:.0} s", if succeeded { "passed" } else { "FAILED" }, started.elapsed().as_secs_f64());
        succeeded
    }

    /// Prints the times and the one summary. `Err` when anything failed.
    pub fn finish(self) -> anyhow::Result<()> {
        println!();
        for (name, time) in &self.times {
            println!("{:>6.0} s  {name}", time.as_secs_f64());
        }
        println!("\n{} passed, {} failed, {} skipped", self.passed, self.failed, self.ignored);
        anyhow::ensure!(self.failed == 0, "{} failed", self.failed);
        Ok(())
    }

    fn stream(&mut self, command: &mut Command) -> bool {
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        let mut child = match child {
            Ok(child) => child,
            Err(error) => {
                println!("{command:?} cannot be started: {error}");
                return false;
            }
        };
        for line in child.stdout.take().into_iter().flat_map(|stdout| BufReader::new(stdout).lines()).map_while(Result::ok) {
            println!("{line}");
            self.count(&line);
        }
        child.wait().is_ok_and(|status| status.success())
    }

    /// Adds cargo test's `test result: ok. 3 passed; 0 failed; 1 ignored; …`.
    fn count(&mut self, line: &str) {
        let Some(counts) = line.strip_prefix("test result: ").and_then(|rest| rest.split_once(". ")) else { return };
        for count in counts.1.split("; ") {
            let Some((number, what)) = count.split_once(' ') else { continue };
            let Ok(number) = number.parse::<u64>() else { continue };
            match what {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.ignored += number,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_runners_counts_are_added_up_and_a_plain_command_counts_as_one() {
        let mut stages = Stages::default();
        let line = "echo 'test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.1s'";
        assert!(stages.run("tests", Command::new("sh").args(["-c", line])));
        assert!(stages.run("plain", Command::new("sh").args(["-c", "true"])));
        assert!(!stages.run("broken", Command::new("sh").args(["-c", "exit 3"])));
        assert_eq!((stages.passed, stages.failed, stages.ignored), (4, 1, 1));
        assert!(stages.finish().is_err());
    }
}

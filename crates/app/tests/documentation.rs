//! README.md and docs/: every command in them is run as a reader types it, and what they show is what it says.
//!
//! A fence of `sh` is run, all of a page in one shell and one new directory; a fence of `text` behind it is what it prints. A fence of YAML or
//! Cedar that names a file (`yaml orders.yaml`) is that file. What stands in for the reader's other terminal, browser and build
//! is in `documentation/prelude.sh`; what a page takes for granted from those before it, in `documentation/<page>.sh`.

mod page;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::fixture::{Durward, Turn, signal};
use page::{Reader, agree, fences, normal, own, path, root};

/// The longest that a page may take, in seconds.
const PATIENCE: &str = "180";

macro_rules! pages {
    ($($test:ident $page:literal),* $(,)?) => {
        const PAGES: &[&str] = &[$($page),*];

        $(#[tokio::test]
        async fn $test() {
            run($page).await;
        })*
    };
}

pages! {
    the_readme_is_true "README.md",
    audit_and_explain_is_true "docs/audit-and-explain.md",
    browser_logins_is_true "docs/browser-logins.md",
    clients_and_people_is_true "docs/clients-and-people.md",
    configuration_is_true "docs/configuration.md",
    getting_started_is_true "docs/getting-started.md",
    keys_and_passwords_is_true "docs/keys-and-passwords.md",
    operate_is_true "docs/operate.md",
    policies_is_true "docs/policies.md",
    protect_a_service_is_true "docs/protect-a-service.md",
    upstreams_is_true "docs/upstreams.md",
}

/// Written by `cargo xtask bench docs` from what was measured; it has no commands, and may not be there yet.
const GENERATED: &str = "docs/benchmarks.md";

#[test]
fn no_page_is_left_out() {
    let pages = fs::read_dir(root().join("docs")).unwrap().map(|entry| format!("docs/{}", entry.unwrap().file_name().display()));
    for page in pages.filter(|page| page.ends_with(".md") && page != GENERATED) {
        assert!(PAGES.contains(&page.as_str()), "{page} is not run");
    }
}

#[test]
fn every_link_within_the_project_leads_somewhere() {
    for page in PAGES.iter().chain(&["ARCHITECTURE.md", "SPEC.md"]) {
        let text = fs::read_to_string(root().join(page)).unwrap();
        let links = text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link);
        for link in links.filter(|link| !link.contains("://")) {
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let page_file = root().join(page);
            let target = if file.is_empty() { page_file } else { page_file.with_file_name("").join(file) };
            assert!(target.exists() || GENERATED.ends_with(link.trim_start_matches("docs/")), "{page}: {link} leads nowhere");
            assert!(heading.is_empty() || headings(&target).contains(&heading.to_owned()), "{page}: {link}: there is no such heading");
        }
    }
}

/// A command within a sentence has the verbs and options that it names.
#[test]
fn every_command_in_passing_is_one_that_there_is() {
    for page in PAGES {
        let text = fs::read_to_string(root().join(page)).unwrap();
        let passing: String = text.split("\n```").step_by(2).collect();
        for line in passing.split('`').skip(1).step_by(2).filter_map(|code| code.strip_prefix("durward ")) {
            let words = line.split(' ').map(|word| if word.chars().all(|letter| letter.is_ascii_uppercase()) { "x" } else { word });
            let known = Command::new(env!("CARGO_BIN_EXE_durward")).args(words).arg("--help").output().unwrap();
            assert!(known.status.success(), "{page}: `durward {line}`: {}", String::from_utf8_lossy(&known.stderr));
        }
    }
}

/// What the demo prints to paste, pasted: the shop's walk by hand.
#[tokio::test]
async fn what_the_demo_says_to_try_goes_as_it_says() {
    let _turn = Turn::shared().await;
    let directory = tempfile::tempdir().unwrap();
    let mut demo = Demo::open(directory.path());
    let guide = demo.guide();
    // The prelude's `durward` is this one, too.
    let guide = guide.replace("alias durward=", "program=");
    let lines = guide.lines().filter_map(|line| line.strip_prefix("  "));
    let pasted =
        lines.filter(|line| ["program=", "CUSTOMER=", "CLERK=", "KEY=", "curl ", "durward "].iter().any(|word| line.starts_with(word)));
    let pasted: String = pasted.map(|line| format!("{line}\n").replace(" REQUEST_ID", " \"$(request_id)\"")).collect();
    let script = format!(". {}\nexec >said/0\n{pasted}", own("prelude.sh").display());
    fs::create_dir(directory.path().join("said")).unwrap();
    let output =
        Command::new("timeout").args([PATIENCE, "bash", "-c", &script]).current_dir(directory.path()).env("PATH", path()).output().unwrap();
    assert!(output.status.success(), "{}{pasted}", String::from_utf8_lossy(&output.stderr));

    let said = fs::read_to_string(directory.path().join("said/0")).unwrap();
    let statuses: Vec<&str> = said.split("HTTP/").skip(1).filter_map(|answer| answer.split(' ').nth(1)).collect();
    assert_eq!(statuses, ["201", "200", "403", "401", "200", "401", "401"], "{said}");
}

/// The program in the page is the one that the crate's own documentation compiles.
#[test]
fn what_the_pages_show_of_rust_compiles() {
    let compiled = fs::read_to_string(root().join("crates/verify/src/lib.rs")).unwrap().replace("//! ", "");
    for page in PAGES {
        for fence in fences(&fs::read_to_string(root().join(page)).unwrap()).iter().filter(|fence| fence.language == "rust") {
            for line in fence.text.lines().filter(|line| !line.is_empty()) {
                assert!(compiled.contains(line), "{page}: `{line}` is not in the documentation of durward-verify");
            }
        }
    }
}

/// Every setting of the schema has its row, and every row is a setting.
#[test]
fn the_table_of_settings_has_each_of_them() {
    let output = Command::new(env!("CARGO_BIN_EXE_durward")).args(["config", "schema"]).output().unwrap();
    let schema: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let page = fs::read_to_string(root().join("docs/configuration.md")).unwrap();
    let mut known = Vec::new();
    for (name, setting) in schema["properties"].as_object().unwrap() {
        let record = setting["$ref"].as_str().and_then(|reference| schema.pointer(reference.trim_start_matches('#')));
        match record.and_then(|record| record["properties"].as_object()) {
            Some(fields) => known.extend(fields.keys().map(|field| format!("{name}.{field}"))),
            None => known.push(name.clone()),
        }
    }
    let table = page.split("\n\n").find(|block| block.starts_with("| key |")).unwrap();
    let mut rows: Vec<&str> = table.lines().skip(2).map(|row| row.split('`').nth(1).unwrap()).collect();
    known.sort_unstable();
    rows.sort_unstable();
    assert_eq!(rows, known);
}

/// Every metric that is served is told of, and every other way round.
#[tokio::test]
async fn the_table_of_metrics_has_each_of_them() {
    let durward = Durward::start().await;
    let page = fs::read_to_string(root().join("docs/operate.md")).unwrap();
    let named = page.split('`').filter(|word| word.starts_with("durward_") && !word.contains('='));
    let named: BTreeSet<&str> = named.map(|name| name.trim_end_matches("_total")).collect();
    // What counts by reason is there with its first reason.
    let client = durward.client();
    client.get(durward.at("/admin/v1/status")).send().await.unwrap();
    client.get(durward.at("/livez").replace("https:", "http:")).send().await.unwrap_err();
    let mut served = String::new();
    for _ in 0..100 {
        served = client.get(durward.at_operations("/metrics")).send().await.unwrap().text().await.unwrap();
        if named == names(&served) {
            break;
        }
    }
    assert_eq!(named, names(&served));
}

/// The names of the metrics in Prometheus' text form.
fn names(metrics: &str) -> BTreeSet<&str> {
    metrics.lines().filter_map(|line| line.strip_prefix("# HELP ")?.split(' ').next()).collect()
}

async fn run(page: &'static str) {
    let _turn = Turn::shared().await;
    let fences = fences(&fs::read_to_string(root().join(page)).unwrap());
    let directory = tempfile::tempdir().unwrap();
    let reader = Reader::at(page, directory.path()).await;
    let script = reader.script(&fences);
    fs::write(directory.path().join("page.sh"), script).unwrap();

    let mut command = Command::new("timeout");
    command.args([PATIENCE, "bash", "page.sh"]).current_dir(directory.path()).envs(reader.environment()).stdin(Stdio::null());
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{page}: {}: {said}\n{}", output.status, reader.logs());
    for (number, fence) in fences.iter().enumerate().filter(|(_, fence)| fence.language == "text") {
        let shown = normal(&reader.fitted(&fence.text));
        let said = fs::read_to_string(directory.path().join(format!("said/{}", number - 1))).unwrap();
        assert!(agree(&shown, &normal(&said)), "{page}: shown\n{}\nsaid\n{said}", fence.text);
    }
}

/// A running demo.
struct Demo(Child);

impl Demo {
    fn open(directory: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_durward"));
        command.arg("demo").env("TMPDIR", directory).stdout(Stdio::piped()).stderr(Stdio::null());
        Self(command.spawn().unwrap())
    }

    /// What it prints when everything runs.
    fn guide(&mut self) -> String {
        let lines = BufReader::new(self.0.stdout.take().unwrap()).lines().map(Result::unwrap);
        let mut guide = String::new();
        for line in lines {
            writeln!(guide, "{line}").unwrap();
            if line.starts_with("Ctrl-C") {
                return guide;
            }
        }
        panic!("the demo ended: {guide}")
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        signal(self.0.id(), "INT");
        let _ = self.0.wait();
    }
}

/// The anchors of a page's headings.
fn headings(page: &Path) -> Vec<String> {
    let text = fs::read_to_string(page).unwrap();
    let anchor = |line: &str| {
        let letters = line.trim_start_matches('#').trim().to_lowercase();
        letters.chars().filter(|letter| letter.is_alphanumeric() || *letter == ' ' || *letter == '-').collect::<String>().replace(' ', "-")
    };
    text.lines().filter(|line| line.starts_with('#')).map(anchor).collect()
}

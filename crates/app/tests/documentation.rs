//! README.md and docs/: every command in them is run as a reader types it, and what they show is what it says.
//!
//! A fence of `sh` is run, all of a page in one shell and one new directory; a fence of `text` behind it is what it prints. A fence of YAML or
//! Cedar that names a file (`yaml orders.yaml`) is that file. What stands in for the reader's other terminal, browser and build
//! is in `documentation/prelude.sh`; what a page takes for granted from those before it, in `documentation/<page>.sh`.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use axum::Router;
use tokio::net::TcpListener;

use crate::fixture::{Durward, Turn, free_port, installed, signal};

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
    clients_and_people_is_true "docs/clients-and-people.md",
    configuration_is_true "docs/configuration.md",
    getting_started_is_true "docs/getting-started.md",
    operate_is_true "docs/operate.md",
    policies_is_true "docs/policies.md",
    protect_a_service_is_true "docs/protect-a-service.md",
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
    let pasted = lines.filter(|line| ["program=", "CUSTOMER=", "CLERK=", "curl ", "durward "].iter().any(|word| line.starts_with(word)));
    let pasted: String = pasted.map(|line| format!("{line}\n").replace(" REQUEST_ID", " \"$(request_id)\"")).collect();
    let script = format!(". {}\nexec >said/0\n{pasted}", own("prelude.sh").display());
    fs::create_dir(directory.path().join("said")).unwrap();
    let output =
        Command::new("timeout").args([PATIENCE, "bash", "-c", &script]).current_dir(directory.path()).env("PATH", path()).output().unwrap();
    assert!(output.status.success(), "{}{pasted}", String::from_utf8_lossy(&output.stderr));

    let said = fs::read_to_string(directory.path().join("said/0")).unwrap();
    let statuses: Vec<&str> = said.split("HTTP/").skip(1).filter_map(|answer| answer.split(' ').nth(1)).collect();
    assert_eq!(statuses, ["201", "200", "403", "401", "401"], "{said}");
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

/// Every metric that the pages tell of is served under that name.
#[tokio::test]
async fn every_metric_on_the_pages_is_there() {
    let durward = Durward::start().await;
    let client = durward.client();
    // What counts by reason is there with its first reason.
    client.get(durward.at("/admin/v1/status")).send().await.unwrap();
    let served = client.get(durward.at_operations("/metrics")).send().await.unwrap().text().await.unwrap();
    let page = fs::read_to_string(root().join("docs/operate.md")).unwrap();
    let named = page.split('`').filter(|word| word.starts_with("durward_") && !word.contains('='));
    for name in named {
        let name = name.trim_end_matches("_total");
        assert!(served.contains(&format!("# HELP {name} ")), "docs/operate.md: {name} is not served");
    }
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

/// A block of a page.
struct Fence {
    language: String,
    /// The file that it is.
    file: Option<String>,
    text: String,
}

fn fences(page: &str) -> Vec<Fence> {
    let mut blocks = page.split("\n```");
    blocks.next();
    let mut fences = Vec::new();
    while let (Some(block), Some(_)) = (blocks.next(), blocks.next()) {
        let (head, text) = block.split_once('\n').unwrap();
        let (language, file) = head.split_once(' ').map_or((head, None), |(language, file)| (language, Some(file.to_owned())));
        fences.push(Fence { language: language.to_owned(), file, text: text.to_owned() });
    }
    fences
}

/// Who reads a page: in a directory and on ports of their own, with a service of their own.
struct Reader {
    page: &'static str,
    directory: PathBuf,
    /// The ports on the page, and those taken instead.
    ports: Vec<(&'static str, u16)>,
}

impl Reader {
    async fn at(page: &'static str, directory: &Path) -> Self {
        let service = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let mut ports: Vec<_> = ["8443", "8444", "8445", "8446"].into_iter().map(|port| (port, free_port())).collect();
        ports.push(("8080", service.local_addr().unwrap().port()));
        tokio::spawn(async { axum::serve(service, Router::new().fallback(|| async { "your service\n" })).await });
        let reader = Self { page, directory: directory.to_owned(), ports };
        let listen =
            "listen:\n  gateway: 127.0.0.1:8443\n  authority: 127.0.0.1:8444\n  operations: 127.0.0.1:8445\n  nodes: 127.0.0.1:8446\n";
        fs::write(directory.join("durward.yaml"), reader.fitted(listen)).unwrap();
        fs::create_dir(directory.join("said")).unwrap();
        reader
    }

    /// The page as one script.
    fn script(&self, fences: &[Fence]) -> String {
        let mut script = format!(". {}\n", own("prelude.sh").display());
        let serves = fences.iter().any(|fence| fence.language == "sh" && fence.text.contains("durward serve"));
        if !serves {
            script.push_str("durward serve --dev\n");
        }
        for (number, fence) in fences.iter().enumerate() {
            let text = self.fitted(&fence.text);
            match (fence.language.as_str(), &fence.file) {
                ("sh", None) => writeln!(script, "exec >said/{number}\n{text}").unwrap(),
                ("yaml" | "cedar", Some(file)) => writeln!(script, "given_file {file} <<'END'\n{text}\nEND").unwrap(),
                ("text" | "rust", None) => {}
                (language, _) => panic!("{}: a fence of `{language}` is neither a command nor a file nor what a command prints", self.page),
            }
        }
        script
    }

    /// A text of the page with this reader's ports, places and ids in it.
    fn fitted(&self, text: &str) -> String {
        let directory = self.directory.to_str().unwrap();
        let mut text = text.replace("auth.example", "localhost").replace("/var/lib/durward", &format!("{directory}/durward-data"));
        text = text.replace("/etc/durward/seal", &format!("{directory}/seal"));
        for (placeholder, found) in [
            (" REQUEST_ID", " \"$(request_id)\""),
            (" SESSION_ID", " \"$(session_id)\""),
            (" TOKEN_ID", " \"$(token_id)\""),
            (" KID", " \"$(kid)\""),
            (" PID", " \"$SERVER\""),
        ] {
            text = text.replace(placeholder, found);
        }
        for (port, taken) in &self.ports {
            text = text.replace(port, &taken.to_string());
        }
        text
    }

    fn environment(&self) -> Vec<(&'static str, String)> {
        let stem = Path::new(self.page).file_stem().unwrap().display();
        let text = |path: &Path| path.display().to_string();
        vec![
            ("PATH", path()),
            ("HOME", text(&self.directory)),
            ("TMPDIR", text(&self.directory)),
            ("XDG_CONFIG_HOME", text(&self.directory.join("config"))),
            ("GIVEN", text(&own(&format!("{stem}.sh")))),
            ("OWN", text(&own(""))),
            ("GOCACHE", text(&root().join("target/clients/go"))),
            ("GOTOOLCHAIN", "local".to_owned()),
            ("AUTHORITY", self.fitted("https://localhost:8444")),
            ("SERVICE", self.fitted("http://127.0.0.1:8080")),
        ]
    }

    fn logs(&self) -> String {
        fs::read_to_string(self.directory.join("server.log")).unwrap_or_default()
    }
}

/// Whether what a page shows is what was said; a line of `…` stands for any lines.
fn agree(shown: &[String], said: &[String]) -> bool {
    match (shown.split_first(), said.split_first()) {
        (None, None) => true,
        (Some((line, rest)), _) if line == "…" => (0..=said.len()).any(|skipped| agree(rest, &said[skipped..])),
        (Some((line, rest)), Some((first, others))) => line == first && agree(rest, others),
        _ => false,
    }
}

/// The lines of a text, without what differs from one time to the next: ids, times, durations, numbers, widths.
fn normal(text: &str) -> Vec<String> {
    text.trim_end().lines().map(|line| line.split_whitespace().map(word).collect::<Vec<_>>().join(" ")).collect()
}

fn word(word: &str) -> String {
    let bare = word.trim_end_matches([',', ';', ':', ')']);
    let rest = &word[bare.len()..];
    let opaque = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let kind = match bare {
        "µs" | "ms" | "s" => "unit",
        _ if bare.parse::<f64>().is_ok() => "number",
        _ if bare.ends_with('Z') && bare.contains('T') && bare.starts_with("20") => "time",
        _ if [22, 32, 64].contains(&bare.len()) && bare.bytes().all(opaque) => "id",
        plain => plain,
    };
    format!("{kind}{rest}")
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

/// Where programs are: the one that was built, and the Python whose packages are installed, before all others.
fn path() -> String {
    let built = Path::new(env!("CARGO_BIN_EXE_durward")).parent().unwrap();
    format!("{}:{}:{}", built.display(), installed("python/bin").display(), std::env::var("PATH").unwrap())
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn own(name: &str) -> PathBuf {
    root().join("crates/app/tests/documentation").join(name)
}

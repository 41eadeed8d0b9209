//! A page as its reader follows it: its blocks, what they become in a shell, and what is compared.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use axum::Router;
use tokio::net::TcpListener;

use crate::fixture::{free_port, installed};

/// A block of a page.
pub struct Fence {
    pub language: String,
    /// The file that it is.
    file: Option<String>,
    pub text: String,
}

pub fn fences(page: &str) -> Vec<Fence> {
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
pub struct Reader {
    page: &'static str,
    directory: PathBuf,
    /// The ports on the page, and those taken instead.
    ports: Vec<(&'static str, u16)>,
}

impl Reader {
    pub async fn at(page: &'static str, directory: &Path) -> Self {
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
    pub fn script(&self, fences: &[Fence]) -> String {
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
    pub fn fitted(&self, text: &str) -> String {
        let directory = self.directory.to_str().unwrap();
        let mut text = text.replace("auth.example", "localhost").replace("/var/lib/durward", &format!("{directory}/durward-data"));
        text = text.replace("/etc/durward/seal", &format!("{directory}/seal"));
        for (placeholder, found) in [
            (" REQUEST_ID", " \"$(request_id)\""),
            (" SESSION_ID", " \"$(session_id)\""),
            (" TOKEN_ID", " \"$(token_id)\""),
            (" KID", " \"$(kid)\""),
            (" KEY_ID", " \"$(key_id)\""),
            (" PID", " \"$SERVER\""),
        ] {
            text = text.replace(placeholder, found);
        }
        for (port, taken) in &self.ports {
            text = text.replace(port, &taken.to_string());
        }
        text
    }

    pub fn environment(&self) -> Vec<(&'static str, String)> {
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

    pub fn logs(&self) -> String {
        fs::read_to_string(self.directory.join("server.log")).unwrap_or_default()
    }
}

/// Whether what a page shows is what was said; a line of `…` stands for any lines.
pub fn agree(shown: &[String], said: &[String]) -> bool {
    match (shown.split_first(), said.split_first()) {
        (None, None) => true,
        (Some((line, rest)), _) if line == "…" => (0..=said.len()).any(|skipped| agree(rest, &said[skipped..])),
        (Some((line, rest)), Some((first, others))) => line == first && agree(rest, others),
        _ => false,
    }
}

/// The lines of a text, without what differs from one time to the next: ids, times, durations, numbers, widths.
pub fn normal(text: &str) -> Vec<String> {
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

/// Where programs are: the one that was built, and the Python whose packages are installed, before all others.
pub fn path() -> String {
    let built = Path::new(env!("CARGO_BIN_EXE_durward")).parent().unwrap();
    format!("{}:{}:{}", built.display(), installed("python/bin").display(), std::env::var("PATH").unwrap())
}

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

pub fn own(name: &str) -> PathBuf {
    root().join("crates/app/tests/documentation").join(name)
}

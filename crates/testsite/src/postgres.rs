//! A private PostgreSQL on loopback.
#![allow(clippy::expect_used, reason = "a test's server that cannot start is a failed test")]

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

/// The server, with TLS and one empty database. It ends with the process that started it.
#[derive(Debug)]
pub struct Postgres {
    port: u16,
    authority: String,
    /// Its standard input is what keeps the server alive.
    supervisor: Child,
}

const PASSWORD: &str = "test-only";

/// Runs as the server's user. `read` returns when the pipe from the test process closes, however that process ended.
const SUPERVISOR: &str = r#"
set -eu
trap '' INT
"$BIN/initdb" --pgdata="$HOME/data" --username=durward --pwfile="$HOME/password" --auth=scram-sha-256 --encoding=UTF8 --locale=C --no-sync >"$HOME/log"
cp "$HOME/server.pem" "$HOME/server.key" "$HOME/data/"
chmod 0600 "$HOME/data/server.key"
"$BIN/pg_ctl" --wait --silent --pgdata="$HOME/data" --log="$HOME/log" start --options="-p $PORT -c listen_addresses=127.0.0.1 -c unix_socket_directories= \
    -c fsync=off -c max_connections=400 -c shared_buffers=64MB -c ssl=on -c ssl_cert_file=server.pem -c ssl_key_file=server.key" </dev/null >/dev/null 2>&1
echo ready
read -r end || true
"$BIN/pg_ctl" --silent --pgdata="$HOME/data" --mode=immediate stop </dev/null >/dev/null 2>&1 || true
cd /
rm -rf "$HOME"
"#;

impl Postgres {
    /// Starts one.
    ///
    /// # Panics
    /// When PostgreSQL is not installed or does not start.
    pub fn start() -> Self {
        let home = tempfile::Builder::new().prefix("durward-postgres-").tempdir().unwrap().keep();
        let authority = certificates(&home);
        std::fs::write(home.join("password"), PASSWORD).unwrap();
        let port = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
        let mut command = as_server_user(&home);
        command.args(["sh", "-c", SUPERVISOR]);
        command.env("BIN", binaries()).env("HOME", &home).env("PORT", port.to_string()).current_dir(&home);
        let mut supervisor = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(supervisor.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n", "PostgreSQL did not start; {}/log says why", home.display());
        Self { port, authority, supervisor }
    }

    /// The DSN of one of its databases; the first is called `postgres`.
    pub fn dsn(&self, database: &str) -> String {
        format!("postgresql://durward:{PASSWORD}@127.0.0.1:{}/{database}", self.port)
    }

    /// Where it listens.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Who signed its certificate, in PEM.
    pub fn authority(&self) -> &str {
        &self.authority
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        drop(self.supervisor.stdin.take());
        let _ = self.supervisor.wait();
    }
}

fn binaries() -> PathBuf {
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|version| version.path().join("bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    debian
        .chain(std::env::split_paths(&path))
        .find(|directory| directory.join("initdb").exists() && directory.join("pg_ctl").exists())
        .expect("the tests need PostgreSQL 15 or newer: on Debian, `apt-get install postgresql`")
}

/// PostgreSQL refuses to run as root: then it runs as the user that its package made.
fn as_server_user(home: &Path) -> Command {
    if std::fs::metadata(home).unwrap().uid() != 0 {
        return Command::new("env");
    }
    let owned = Command::new("chown").args(["-R", "postgres:postgres"]).arg(home).status();
    assert!(owned.is_ok_and(|status| status.success()), "as root, the tests need the user `postgres`");
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]);
    command
}

/// Certificates for 127.0.0.1, and who signed them.
fn certificates(home: &Path) -> String {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root_key = KeyPair::generate().unwrap();
    let root = params.self_signed(&root_key).unwrap();
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap().signed_by(&key, &Issuer::new(params, root_key)).unwrap();
    std::fs::write(home.join("server.pem"), leaf.pem()).unwrap();
    std::fs::write(home.join("server.key"), key.serialize_pem()).unwrap();
    root.pem()
}

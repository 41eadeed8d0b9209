//! The peers: nginx, HAProxy and Envoy, by the configurations in bench/gateway.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use serde_json::Value;

use super::super::process::{LOAD, MEASURED, Process};
use super::resources;

/// nginx as the peer: TLS, plain, and asking a free service.
pub const NGINX: [u16; 3] = [28_171, 28_101, 28_121];
/// HAProxy.
pub const HAPROXY: u16 = 28_112;
/// Envoy.
pub const ENVOY: u16 = 28_133;
/// The service behind all of them.
const BACKEND: u16 = 28_100;
/// The service that nginx asks, beside it on its core: who runs the one runs the other.
const FREE: u16 = 28_199;
/// A SubjectPublicKeyInfo of P-256 up to the point's coordinates (RFC 5480 section 2).
const P256: [u8; 27] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01,
    0x07, 0x03, 0x42, 0x00, 0x04,
];

/// The running peers.
pub struct Peers {
    /// nginx, and the service it asks.
    pub nginx: Process,
    /// HAProxy, where it is installed.
    pub haproxy: Option<Process>,
    /// Envoy, where it is installed.
    pub envoy: Option<Process>,
    _backend: Process,
}

impl Peers {
    /// Starts those that are installed. They take tokens of `issuer`, whose keys are these.
    pub fn start(directory: &Path, issuer: &str, keys: &str) -> anyhow::Result<Self> {
        super::self_signed(directory, "peer", "localhost")?;
        std::fs::write(directory.join("16k"), [b'x'; 16 * 1024])?;
        std::fs::write(directory.join("key.pem"), pem(keys)?)?;
        for file in ["backend.conf", "peer.conf", "free.conf", "haproxy.cfg", "envoy.yaml"] {
            let text = std::fs::read_to_string(Path::new(resources::SOURCE).join(file))?;
            std::fs::write(directory.join(file), text.replace("@ISSUER@", issuer).replace("@KEYS@", keys))?;
        }
        let path = |file: &str| directory.join(file).to_string_lossy().into_owned();
        let prefix = directory.to_string_lossy();
        let nginx = |core, configuration: &str| {
            Process::start(
                core,
                "nginx",
                &["-p", &prefix, "-c", configuration, "-e", "error.log"],
                &directory.join(format!("{configuration}.log")),
            )
        };
        let backend = nginx(LOAD, "backend.conf")?;
        let haproxy = |program: PathBuf| {
            let arguments = ["-db", "-C", &prefix, "-f", "haproxy.cfg"];
            Process::start(MEASURED, &program.to_string_lossy(), &arguments, &directory.join("haproxy.log"))
        };
        let envoy = |program: PathBuf| {
            let arguments = ["-c", &path("envoy.yaml"), "--concurrency", "1", "-l", "error", "--disable-hot-restart"];
            Process::start(MEASURED, &program.to_string_lossy(), &arguments, &directory.join("envoy.log"))
        };
        let peers = Self {
            nginx: nginx(MEASURED, "peer.conf")?.asking(nginx(MEASURED, "free.conf")?),
            haproxy: self::haproxy().map(haproxy).transpose()?,
            envoy: self::envoy().map(envoy).transpose()?,
            _backend: backend,
        };
        let mut ports = vec![BACKEND, FREE];
        ports.extend(NGINX);
        ports.extend(peers.haproxy.as_ref().map(|_| HAPROXY));
        ports.extend(peers.envoy.as_ref().map(|_| ENVOY));
        ports.into_iter().try_for_each(listening)?;
        Ok(peers)
    }
}

/// Where HAProxy is installed.
pub fn haproxy() -> Option<PathBuf> {
    installed("haproxy")
}

/// Where Envoy is installed: by itself, or among what the tests drive.
pub fn envoy() -> Option<PathBuf> {
    let wheel = "site-packages/envoy/_bin/envoy";
    let among = std::fs::read_dir("target/clients/python/lib").into_iter().flatten();
    let mut among = among.filter_map(|entry| Some(entry.ok()?.path().join(wheel))).filter(|path| path.is_file());
    installed("envoy").or_else(|| among.next())
}

/// Fails without the programs that no case can do without.
pub fn must_be_there() -> anyhow::Result<()> {
    for (program, package) in [("nginx", "nginx-light"), ("wrk", "wrk")] {
        anyhow::ensure!(installed(program).is_some(), "{program} is not installed; Debian's package {package} brings it");
    }
    Ok(())
}

fn installed(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).chain(["/usr/sbin".into()]).map(|directory| directory.join(program)).find(|file| file.is_file())
}

fn listening(port: u16) -> anyhow::Result<()> {
    let deadline = Instant::now() + Duration::from_secs(20);
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        anyhow::ensure!(Instant::now() < deadline, "nobody listens on port {port}");
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// The first key of P-256 among these, as HAProxy reads it.
fn pem(keys: &str) -> anyhow::Result<String> {
    let keys: Value = serde_json::from_str(keys)?;
    let key =
        keys.get("keys").and_then(Value::as_array).into_iter().flatten().find(|key| key.get("crv").is_some_and(|curve| curve == "P-256"));
    let key = key.context("the authority has no key of P-256")?;
    let mut der = P256.to_vec();
    for coordinate in ["x", "y"] {
        der.extend(BASE64_URL_SAFE_NO_PAD.decode(key.get(coordinate).and_then(Value::as_str).context("a key without its point")?)?);
    }
    Ok(format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", BASE64_STANDARD.encode(der)))
}

//! Everything that runs, and how each target is measured on it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::ClientConfig;

use super::super::Plan;
use super::super::authority::{AUTHORITY, Authority, GATEWAY};
use super::super::floor::{Floor, Work};
use super::super::load::{self, Load};
use super::super::person::Person;
use super::super::process::{Process, be_the_load, output};
use super::callers::Caller;
use super::certificates::{Client, anonymous};
use super::decisions::{Decider, per_second};
use super::peers::{ENVOY, HAPROXY, NGINX, Peers};
use super::target::Target;
use super::{handshakes, idle, reloads, resources};

/// The gateway over plain HTTP.
const PLAIN: u16 = 28_447;
/// How much longer than a figure's a round with reloads is.
const RELOADING: u32 = 10;

/// The gateway and its peers.
pub struct Site<'a> {
    durward: Authority,
    peers: Peers,
    client: Client,
    anonymous: Arc<ClientConfig>,
    key: String,
    secret: String,
    seconds: u32,
    resources: PathBuf,
    directory: &'a Path,
}

impl<'a> Site<'a> {
    /// Starts all of it.
    pub fn start(plan: &Plan, directory: &'a Path) -> anyhow::Result<Self> {
        be_the_load()?;
        let resources = resources::write(directory)?;
        let client = Client::new()?;
        std::fs::write(directory.join("clients.pem"), &client.authority_pem)?;
        super::self_signed(directory, "shop", "shop.example")?;
        let settings = format!(
            "  plain: 127.0.0.1:{PLAIN}\ntelemetry: {{log: \"warn,durward_app::cli=info\"}}\nresources: ../resources\n\
             certificates: [{{chain: ../shop.crt, key: ../shop.key}}]\ngateway:\n  client_certificates: true\n  \
             client_authorities: [{{roots: ../clients.pem}}]\n  sessions: [{{client: browsers, secret: \"file:{}\"}}]\n",
            directory.join("secret").display()
        );
        let durward = Authority::configured(plan, &directory.join("durward"), &settings)?;
        let issuer = issuer();
        let keys = output("curl", &["-ksSf", &format!("{issuer}/oauth2/jwks")])?;
        let peers = Peers::start(directory, &issuer, &keys)?;
        let key = durward.command(&["api-keys", "issue", "bench", "--for", "shop"])?;
        let secret = std::fs::read_to_string(directory.join("secret"))?.trim().to_owned();
        let site = Self { durward, peers, client, anonymous: anonymous()?, key, secret, seconds: plan.seconds, resources, directory };
        let refused = output("curl", &["-ksS", "-o/dev/null", "-w%{http_code}", &gateway("/hello")])?;
        anyhow::ensure!(refused == "401", "a request without a token must be refused, and is answered with {refused}");
        Ok(site)
    }

    /// The gateway.
    pub fn durward(&self) -> &Authority {
        &self.durward
    }

    /// Measures one target.
    pub fn measure(&self, target: Target) -> anyhow::Result<f64> {
        let nginx = &self.peers.nginx;
        match target {
            Target::Jwt => rate(self.wrk(&self.bearer()?, "/hello")),
            Target::JwtContext => self.reading_context(|| rate(self.wrk(&self.bearer()?, "/hello"))),
            Target::Large => rate(self.wrk(&self.bearer()?, "/16k")),
            Target::ApiKey => rate(self.wrk(&format!("X-API-Key: {}", self.key), "/hello")),
            Target::Basic => rate(self.wrk(&format!("Authorization: Basic {}", self.basic()), "/hello")),
            Target::Session => rate(self.wrk(&self.cookie()?, "/application")),
            Target::NewTokens => rate(self.new_tokens()),
            Target::Plain => rate(self.caller(PLAIN, &self.bearer()?).behind_a_front().load(&self.durward.process, self.seconds)),
            Target::Certificate => {
                let caller = self.caller(GATEWAY, "accept: */*").over_tls(self.client.configuration()?);
                rate(caller.load(&self.durward.process, self.seconds))
            }
            Target::JwtByCallers => rate(self.over_tls()?.load(&self.durward.process, self.seconds)),
            Target::Connections => {
                let caller = self.caller(GATEWAY, "accept: */*").over_tls(self.client.configuration()?);
                rate(caller.connect_again_and_again(&self.durward.process, self.seconds))
            }
            Target::Steady => self.steady(&self.durward.process, &self.bearer()?, &gateway("/hello")),
            Target::Memory => self.memory(),
            Target::IdlePlain => idle::kib_each(&self.durward.process, &self.caller(PLAIN, &self.bearer()?).behind_a_front()),
            Target::IdleTls => idle::kib_each(&self.durward.process, &self.over_tls()?),
            Target::Reloaded => self.reloaded(),
            Target::Unreloaded => rate(self.over_tls()?.load(&self.durward.process, RELOADING * self.seconds)),
            Target::Decision => per_second(Decider::Index),
            Target::CedarCrate => per_second(Decider::Crate),
            Target::NginxTls => rate(load::run(nginx, self.seconds, &[], &tls("/hello"), &[])),
            Target::NginxLarge => rate(load::run(nginx, self.seconds, &[], &tls("/16k"), &[])),
            Target::NginxSteady => self.steady(nginx, "accept: */*", &tls("/hello")),
            Target::NginxPlain => rate(self.caller(NGINX[1], "accept: */*").load(nginx, self.seconds)),
            Target::NginxAsking => rate(self.caller(NGINX[2], "accept: */*").load(nginx, self.seconds)),
            Target::Haproxy => self.peer(self.peers.haproxy.as_ref(), HAPROXY),
            Target::Envoy => self.peer(self.peers.envoy.as_ref(), ENVOY),
            Target::Verification => Ok(Floor::measure(self.directory)?.rate(Work { signed: 0, verified: 1, written: 0 })),
            Target::Handshakes => handshakes::per_cpu_second(&self.client),
            Target::ThirtyMib => Ok(30.0),
            Target::FourKib => Ok(4.0),
            Target::TwelveKib => Ok(12.0),
        }
    }

    /// A peer that verifies the same token.
    fn peer(&self, process: Option<&Process>, port: u16) -> anyhow::Result<f64> {
        let process = process.context("not installed")?;
        rate(self.caller(port, &self.bearer()?).load(process, self.seconds))
    }

    fn wrk(&self, header: &str, path: &str) -> anyhow::Result<Load> {
        load::run(&self.durward.process, self.seconds, &["-H", header], &gateway(path), &[])
    }

    fn caller(&self, port: u16, header: &str) -> Caller {
        Caller::new(port, "/hello", header)
    }

    fn over_tls(&self) -> anyhow::Result<Caller> {
        Ok(self.caller(GATEWAY, &self.bearer()?).over_tls(Arc::clone(&self.anonymous)))
    }

    /// A token lives five minutes: each figure has one of its own.
    fn bearer(&self) -> anyhow::Result<String> {
        let secret = self.directory.join("secret");
        let token =
            self.durward.command(&["token", "--client", "bench", "--secret-file", &secret.to_string_lossy(), "--service", "shop"])?;
        Ok(format!("Authorization: Bearer {token}"))
    }

    fn basic(&self) -> String {
        STANDARD.encode(format!("bench:{}", self.secret))
    }

    /// What a browser has that logged in at the gateway.
    fn cookie(&self) -> anyhow::Result<String> {
        let person = Person::log_in(&issuer(), self.directory, "alice", &self.secret)?;
        let host = format!("https://localhost:{GATEWAY}");
        let cookies = person.cookies_of(&format!("{host}/application"))?;
        let ours = cookies.iter().filter(|(name, _)| name.starts_with("__Host-dw-app-"));
        let pairs: Vec<_> = ours.map(|(name, value)| format!("{name}={value}")).collect();
        Ok(format!("Cookie: {}", pairs.join("; ")))
    }

    /// Tokens are asked for twice as long as they are shown, so that none is shown twice.
    fn new_tokens(&self) -> anyhow::Result<Load> {
        let file = self.directory.join("tokens").to_string_lossy().into_owned();
        let url = format!("{}/oauth2/token", issuer());
        let collect = ["-s", "bench/gateway/collect.lua"];
        load::run(&self.durward.process, 2 * self.seconds, &collect, &url, &[&file, &self.basic()])?;
        load::run(&self.durward.process, self.seconds, &["-s", "bench/gateway/tokens.lua"], &gateway("/hello"), &[&file])
    }

    /// The same with policies that read the moment.
    fn reading_context(&self, measure: impl FnOnce() -> anyhow::Result<f64>) -> anyhow::Result<f64> {
        let apply = |condition| {
            resources::write_policies(&self.resources, condition)?;
            self.durward.command(&["apply", "-f", &self.resources.to_string_lossy()])
        };
        apply(" when { context.time > 0 }")?;
        let figure = measure();
        apply("")?;
        figure
    }

    /// Milliseconds for 99 of 100.
    fn steady(&self, process: &Process, header: &str, url: &str) -> anyhow::Result<f64> {
        let load = load::run(process, self.seconds, &["--latency", "-s", "bench/gateway/steady.lua", "-H", header], url, &[])?;
        anyhow::ensure!(load.refused == 0, "{} were refused", load.refused);
        println!("# {:.0} requests a second", load.requests / f64::from(self.seconds));
        load.p99.context("wrk printed no latencies")
    }

    /// MiB in the middle of a load.
    fn memory(&self) -> anyhow::Result<f64> {
        let header = self.bearer()?;
        std::thread::scope(|scope| {
            let load = scope.spawn(|| self.wrk(&header, "/hello"));
            std::thread::sleep(Duration::from_millis(u64::from(self.seconds) * 700));
            let memory = self.durward.process.resident_mib();
            load.join().map_err(|_| anyhow::anyhow!("the load broke off"))??;
            Ok(memory)
        })
    }

    fn reloaded(&self) -> anyhow::Result<f64> {
        let at_least = Duration::from_secs((RELOADING * self.seconds).into());
        let load = self.over_tls()?.load_while(&self.durward.process, || reloads::again_and_again(&self.durward, self.directory, at_least));
        resources::write(self.directory)?;
        rate(load)
    }
}

fn rate(load: anyhow::Result<Load>) -> anyhow::Result<f64> {
    let load = load?;
    anyhow::ensure!(load.refused == 0 && load.requests > 0.0, "{} of {} were refused", load.refused, load.requests);
    Ok(load.per_cpu_second)
}

fn issuer() -> String {
    format!("https://localhost:{AUTHORITY}/realms/main")
}

fn gateway(path: &str) -> String {
    format!("https://localhost:{GATEWAY}{path}")
}

fn tls(path: &str) -> String {
    format!("https://localhost:{}{path}", NGINX[0])
}

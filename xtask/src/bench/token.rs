//! The token endpoint and introspection over kept-alive TLS, each against its floor: the signatures that it cannot do without, made and
//! verified by the same library on the same core, and its durable writes. And `client_credentials` against npm's oidc-provider, over TLS too.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Plan;
use super::authority::{self, AUTHORITY, Authority};
use super::floor::{Floor, Work};
use super::gateway::self_signed;
use super::load::{self, Load};
use super::person::{self, Person};
use super::process::{MEASURED, Process, output};
use super::proof::Prover;
use super::report::{Case, Report};

/// Where the peer listens.
const PEER: u16 = 28_301;
/// The peer's installed packages.
const PACKAGES: &str = "target/bench-peer";
/// Families whose tokens rotate, more than there are connections.
const FAMILIES: usize = 128;
/// Clients that push requests: each may push so many a minute.
const PUSHING: usize = 32;
/// The case that is measured against a peer, by the headline's figure.
const AGAINST_PEER: &str = "client-credentials-oidc-provider";
/// Proofs signed ahead, for each second of a round.
const PROOFS: usize = 16_000;

/// Runs it; the cases of `only` alone, where there are any.
pub fn run(plan: &Plan, only: &[String]) -> anyhow::Result<Report> {
    authority::build(plan)?;
    let directory = tempfile::tempdir()?;
    let bench = Bench::start(directory.path(), plan)?;
    let mut report = Report::new("token", "client-credentials-es256");
    let all = [
        ("client-credentials-es256", Work { signed: 1, verified: 0, written: 0 }),
        ("client-credentials-dpop", Work { signed: 1, verified: 1, written: 0 }),
        ("refresh-rotating", Work { signed: 1, verified: 0, written: 1 }),
        ("refresh-dpop", Work { signed: 1, verified: 1, written: 0 }),
        ("token-exchange", Work { signed: 1, verified: 1, written: 0 }),
        ("introspection", Work { signed: 0, verified: 1, written: 0 }),
        ("par", Work { signed: 0, verified: 1, written: 0 }),
    ];
    let known: Vec<&str> = all.iter().map(|(name, _)| *name).chain([AGAINST_PEER]).collect();
    let unknown: Vec<&String> = only.iter().filter(|name| !known.contains(&name.as_str())).collect();
    anyhow::ensure!(unknown.is_empty(), "no such case: {unknown:?}; there are {}", known.join(", "));
    let asked = |name: &str| only.is_empty() || only.iter().any(|one| one == name);
    let peer = asked(AGAINST_PEER).then(|| bench.peer()).transpose()?;
    let floors: Vec<_> = all.into_iter().filter(|(name, _)| asked(name) || (peer.is_some() && *name == report.headline)).collect();
    report.cases = floors.iter().map(|(name, work)| case(name, *work)).collect();
    let mut against = Case { peer: "oidc-provider with memory storage".to_owned(), goal: 10.0, ..case(AGAINST_PEER, all[0].1) };
    for round in 0..=plan.rounds {
        let floor = Floor::measure(directory.path())?;
        let mut plain = 0.0;
        for (case, (name, work)) in report.cases.iter_mut().zip(floors.iter().copied()) {
            let load = bench.load(name).with_context(|| name.to_owned())?;
            anyhow::ensure!(load.refused == 0 && load.requests > 0.0, "{name}: {} of {} were refused", load.refused, load.requests);
            let own = if work.written > 0 { load.requests / f64::from(plan.seconds) } else { load.per_cpu_second };
            if name == report.headline {
                plain = own;
            }
            println!("# round {round}: {name} {own:.0} against {:.0}", floor.rate(work));
            if round > 0 {
                case.rounds.push((own, floor.rate(work)));
            }
        }
        let Some(peer) = &peer else { continue };
        let theirs = bench.load_peer(peer)?;
        println!("# round {round}: oidc-provider {:.0}", theirs.per_cpu_second);
        if round > 0 {
            against.rounds.push((plain, theirs.per_cpu_second));
        }
    }
    if peer.is_some() {
        report.cases.push(against);
    }
    Ok(report)
}

fn case(name: &str, work: Work) -> Case {
    let parts = [(work.signed, "ES256 signed"), (work.verified, "ES256 verified"), (work.written, "written durably")];
    let parts: Vec<String> = parts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    let unit = if work.written > 0 { "per second" } else { "per CPU-second" };
    Case { name: name.to_owned(), peer: parts.join(" and "), unit: unit.to_owned(), goal: 0.40, at_most: false, rounds: Vec::new() }
}

/// An authority, a person who is logged in, and what each case needs.
struct Bench<'a> {
    durward: Authority,
    person: Person,
    secret: String,
    seconds: u32,
    directory: &'a Path,
}

impl<'a> Bench<'a> {
    fn start(directory: &'a Path, plan: &Plan) -> anyhow::Result<Self> {
        let durward = Authority::start(plan, directory, Some(Path::new("bench/token/resources.yaml")))?;
        let secret = std::fs::read_to_string("bench/gateway/secret")?.trim().to_owned();
        durward.command(&["apply", "-f", &pushing_clients(directory)?.to_string_lossy()])?;
        let person = Person::log_in(&realm(), directory, "alice", &secret)?;
        Ok(Self { durward, person, secret, seconds: plan.seconds, directory })
    }

    fn load(&self, name: &str) -> anyhow::Result<Load> {
        let grant = "urn:ietf:params:oauth:grant-type:token-exchange";
        match name {
            "client-credentials-es256" => self.post("token", &["grant_type=client_credentials".to_owned()], "program"),
            "client-credentials-dpop" => {
                let lines = self.proved("grant_type=client_credentials", &mut Prover::new()?)?;
                self.post("token", &lines, "bound")
            }
            "refresh-rotating" => {
                let tokens: Result<Vec<_>, _> = (0..FAMILIES).map(|_| self.token("web", "refresh_token", "accept: */*")).collect();
                self.wrk("token", "bench/token/rotate.lua", &tokens?, "web")
            }
            "refresh-dpop" => {
                let mut prover = Prover::new()?;
                let url = endpoint("token");
                let nonce = prover.nonce(&url, "grant_type=client_credentials", &format!("bound:{}", self.secret))?;
                let proof = format!("dpop: {}", prover.proof(&url, Some(&nonce))?);
                let token = self.token("bound-web", "refresh_token", &proof)?;
                let lines = self.proved(&format!("grant_type=refresh_token&client_id=bound-web&refresh_token={token}"), &mut prover)?;
                self.post("token", &lines, "")
            }
            "token-exchange" => {
                let token = self.token("web", "access_token", "accept: */*")?;
                let kind = "urn:ietf:params:oauth:token-type:access_token";
                let body = format!("grant_type={grant}&resource=api&subject_token_type={kind}&subject_token={token}");
                self.post("token", &[body], "program")
            }
            "introspection" => {
                let token = self.token("web", "access_token", "accept: */*")?;
                self.post("introspect", &[format!("token={token}")], "program")
            }
            "par" => {
                let secret = &self.secret;
                let request =
                    format!("client_secret={secret}&response_type=code&scope=offline_access&state=s&{}", Person::code_parameters());
                let bodies = (0..PUSHING).map(|number| format!("client_id=push-{number}&{request}"));
                let lines = self.proofs("par", &mut Prover::new()?, bodies.cycle())?;
                self.post("par", &lines, "")
            }
            _ => anyhow::bail!("no such case"),
        }
    }

    fn token(&self, client: &str, member: &str, header: &str) -> anyhow::Result<String> {
        let tokens = self.person.tokens(client, header)?;
        Ok(tokens.get(member).and_then(|token| token.as_str()).with_context(|| format!("no {member}: {tokens}"))?.to_owned())
    }

    /// One body, with a proof of its own for each token request of a round.
    fn proved(&self, body: &str, prover: &mut Prover) -> anyhow::Result<Vec<String>> {
        self.proofs("token", prover, std::iter::repeat(body.to_owned()))
    }

    /// A body with a proof of its own for each request of a round.
    fn proofs(&self, path: &str, prover: &mut Prover, bodies: impl Iterator<Item = String>) -> anyhow::Result<Vec<String>> {
        let nonce = prover.nonce(&endpoint("token"), "grant_type=client_credentials", &format!("bound:{}", self.secret))?;
        let url = endpoint(path);
        bodies.take(PROOFS * self.seconds as usize).map(|body| Ok(format!("{body}\t{}", prover.proof(&url, Some(&nonce))?))).collect()
    }

    fn post(&self, path: &str, lines: &[String], client: &str) -> anyhow::Result<Load> {
        let basic = if client.is_empty() { String::new() } else { STANDARD.encode(format!("{client}:{}", self.secret)) };
        self.wrk(path, "bench/token/requests.lua", lines, &basic)
    }

    fn wrk(&self, path: &str, script: &str, lines: &[String], argument: &str) -> anyhow::Result<Load> {
        let file = self.directory.join("requests");
        std::fs::write(
            &file,
            lines.iter().fold(String::new(), |mut all, line| {
                let _ = writeln!(all, "{line}");
                all
            }),
        )?;
        let file = file.to_string_lossy();
        let arguments: Vec<&str> = if argument.is_empty() { vec![&file] } else { vec![&file, argument] };
        load::run(&self.durward.process, self.seconds, &["-s", script], &endpoint(path), &arguments)
    }

    /// The peer, installed at its pinned version.
    fn peer(&self) -> anyhow::Result<Process> {
        std::fs::create_dir_all(PACKAGES)?;
        for file in ["package.json", "package-lock.json"] {
            std::fs::copy(format!("bench/token/peer/{file}"), format!("{PACKAGES}/{file}"))?;
        }
        output("npm", &["ci", "--prefix", PACKAGES, "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"])?;
        let packages: PathBuf = std::fs::canonicalize(PACKAGES)?;
        self_signed(self.directory, "peer", "localhost")?;
        let environment = [
            format!("PORT={PEER}"),
            format!("PEER={}", packages.display()),
            format!("SECRET={}", self.secret),
            format!("TLS={}", self.directory.display()),
        ];
        let mut command: Vec<&str> = environment.iter().map(String::as_str).collect();
        command.extend(["node", "bench/token/peer/server.mjs"]);
        let peer = Process::start(MEASURED, "env", &command, &self.directory.join("peer.log"))?;
        let deadline = Instant::now() + Duration::from_secs(20);
        let url = format!("https://127.0.0.1:{PEER}/.well-known/openid-configuration");
        while output("curl", &["--silent", "--insecure", "--fail", &url]).is_err() {
            anyhow::ensure!(Instant::now() < deadline, "the peer does not listen");
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(peer)
    }

    fn load_peer(&self, peer: &Process) -> anyhow::Result<Load> {
        let file = self.directory.join("requests");
        std::fs::write(&file, "grant_type=client_credentials\n")?;
        let basic = STANDARD.encode(format!("bench:{}", self.secret));
        let load = load::run(
            peer,
            self.seconds,
            &["-s", "bench/token/requests.lua"],
            &format!("https://127.0.0.1:{PEER}/token"),
            &[&file.to_string_lossy(), &basic],
        )?;
        anyhow::ensure!(load.refused == 0 && load.requests > 0.0, "the peer refused {}", load.refused);
        Ok(load)
    }
}

/// Writes the clients that push requests.
fn pushing_clients(directory: &Path) -> anyhow::Result<PathBuf> {
    let secret = std::fs::canonicalize("bench/gateway/secret")?;
    let client = |number| {
        format!(
            "---\nkind: client\nname: push-{number}\nauthentication: client_secret_post\nsecrets: [\"file:{}\"]\nredirect_uris: [\"{}\"]\ngrants: \
             [authorization_code, refresh_token]\nscopes: [offline_access]\nservices: [front]\n",
            secret.display(),
            person::CALLBACK
        )
    };
    let file = directory.join("pushing.yaml");
    std::fs::write(&file, (0..PUSHING).map(client).collect::<String>())?;
    Ok(file)
}

fn realm() -> String {
    format!("https://localhost:{AUTHORITY}/realms/main")
}

fn endpoint(path: &str) -> String {
    format!("{}/oauth2/{path}", realm())
}

//! Libraries that were not written for us, unpatched and as strict as they come: a cell of `referees/cells.txt` is one of them, how its client
//! authenticates, what its tokens are bound to, and the grant. Each gets its tokens once, and is refused for each reason there is.

mod ping;
mod spring;

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

use durward_jose::{Algorithm, SigningKey};
use durward_node::machine;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose};
use reqwest::Client;
use serde_json::{Value, json};

use crate::fixture::{
    ALICE, CALLBACK, Durward, PASSWORD, PROGRAM, PROGRAM_SECRET, Turn, attribute, configure, free_port, granted, installed,
};

const DEVICE: &str = "urn:ietf:params:oauth:grant-type:device_code";
const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const CIBA: &str = "urn:openid:params:grant-type:ciba";
const METHODS: [&str; 4] = ["none", "client_secret_basic", "private_key_jwt", "tls_client_auth"];
const BINDINGS: [&str; 3] = ["bearer", "dpop", "mtls"];
const SOMEBODY_ELSE: &str = "https://pipelines.example";

/// A row of the table.
#[derive(Clone, Copy)]
struct Cell {
    client: &'static str,
    authentication: &'static str,
    binding: &'static str,
    grant: &'static str,
}

impl Cell {
    /// The cells of a library.
    fn of(client: &str) -> Vec<Self> {
        let rows = include_str!("referees/cells.txt").lines().filter(|line| !line.starts_with('#'));
        let cells = rows.map(|row| match row.split_whitespace().collect::<Vec<_>>()[..] {
            [client, authentication, binding, grant] => Self { client, authentication, binding, grant: long(grant) },
            _ => panic!("no cell: {row}"),
        });
        cells.filter(|cell| cell.client == client).collect()
    }

    fn client_id(self) -> String {
        format!("{}-{}", self.authentication.replace('_', "-"), self.binding)
    }

    /// What is tried, and the error that is due.
    fn refusals(self) -> Vec<(&'static str, &'static str)> {
        let reach = if matches!(self.grant, "client_credentials" | "refresh_token") { "invalid_scope" } else { "invalid_target" };
        let spent = match self.grant {
            "client_credentials" => "inactive",
            EXCHANGE => "invalid_request",
            _ => "invalid_grant",
        };
        let unproved = match (self.authentication, self.binding) {
            (_, "bearer") => None,
            ("tls_client_auth", "mtls") => Some("invalid_client"),
            (_, "dpop") => Some("invalid_dpop_proof"),
            _ => Some("invalid_request"),
        };
        let mut refusals = vec![("credential", "invalid_client"), ("reach", reach), ("spent", spent)];
        refusals.extend(unproved.map(|error| ("unproved", error)));
        refusals
    }
}

/// A grant by its last word.
fn long(grant: &'static str) -> &'static str {
    [DEVICE, EXCHANGE, BEARER, CIBA].into_iter().find(|long| long.ends_with(&format!(":{grant}"))).unwrap_or(grant)
}

/// An authority with a listener for certificates, and a client for each way to authenticate and each binding.
struct World {
    durward: Durward,
    browser: Client,
    pipelines: SigningKey,
}

impl World {
    async fn new() -> Self {
        Self::set_up("").await
    }

    /// With more settings than the usual.
    async fn set_up(more: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        configure(directory.path(), free_port());
        let file = directory.path().join("durward.yaml");
        let settings = fs::read_to_string(&file).unwrap();
        fs::write(&file, settings.replace("listen:\n", "listen:\n  mutual_tls: 127.0.0.1:0\n") + more).unwrap();
        let (authority, jwk) = credentials(directory.path());
        let pipelines = SigningKey::generate(Algorithm::ES256).unwrap();
        let durward = Durward::over(directory, Turn::shared().await);
        durward.apply(&resources(&authority, &jwk, &json!(pipelines.jwk())));
        Self { browser: durward.client(), durward, pipelines }
    }

    /// Runs the cells of a library: `ask` has it try one.
    async fn judge(&self, client: &str, mut ask: impl AsyncFnMut(&Value) -> Value) {
        let cells = Cell::of(client);
        assert!(!cells.is_empty(), "{client}");
        let (mut wrong, mut tried) = (Vec::new(), 0);
        for cell in cells {
            let name = format!("{client} {} {} {}", cell.authentication, cell.binding, cell.grant);
            let answer = ask(&self.attempt(cell, "").await).await;
            wrong.extend(self.faults(cell, &answer).await.map(|fault| format!("{name}: {fault}")));
            for (attempt, due) in cell.refusals() {
                let answer = ask(&self.attempt(cell, attempt).await).await;
                if answer["error"] != due {
                    wrong.push(format!("{name}, {attempt}: expected {due}, found {answer}"));
                }
                tried += 1;
            }
        }
        assert!(wrong.is_empty(), "{} of {tried}:\n{}", wrong.len(), wrong.join("\n"));
    }

    /// What a library is given to try a cell, well or wrongly.
    async fn attempt(&self, cell: Cell, attempt: &str) -> Value {
        json!({
            "client_id": cell.client_id(),
            "authentication": cell.authentication,
            "binding": cell.binding,
            "grant": cell.grant,
            "attempt": attempt,
            "subject_token": if cell.grant == EXCHANGE { self.subject_token(attempt == "spent").await } else { String::new() },
            "assertion": self.assertion(),
        })
    }

    /// What is wrong with tokens that were granted: they are to be good, this client's, and bound as it should be.
    async fn faults(&self, cell: Cell, answer: &Value) -> Option<String> {
        let Some(token) = answer["access_token"].as_str() else { return Some(format!("refused: {answer}")) };
        let asked = self.browser.post(self.durward.at("/realms/main/oauth2/introspect")).basic_auth(PROGRAM, Some(PROGRAM_SECRET));
        let told: Value = asked.form(&[("token", token)]).send().await.unwrap().json().await.unwrap();
        let bound = match cell.binding {
            "dpop" => told["cnf"]["jkt"].is_string(),
            "mtls" => told["cnf"]["x5t#S256"].is_string(),
            _ => told["cnf"].is_null(),
        };
        let kind = if cell.binding == "dpop" { "dpop" } else { "bearer" };
        let named = answer["token_type"].as_str().is_some_and(|found| found.eq_ignore_ascii_case(kind));
        let good = told["active"] == true && told["client_id"] == cell.client_id() && told["aud"] == "orders";
        (!(good && bound && named)).then(|| format!("{answer} is {told}"))
    }

    /// A person's token that the service `front` was called with; one that was revoked since.
    async fn subject_token(&self, revoked: bool) -> String {
        let application = self.durward.application();
        let mut url = application.authorize_url();
        url.query_pairs_mut().append_pair("resource", "front");
        let url = url.as_str().replace("orders%3Aread", "front%3Ause").parse().unwrap();
        let back = application.walk(url, ALICE, PASSWORD).await;
        let code = back.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
        let tokens = granted(application.exchange(&code).await.unwrap()).await;
        if revoked {
            let form = [("client_id", "web"), ("token", tokens.refresh_token.as_str())];
            let answer = self.browser.post(self.durward.at("/realms/main/oauth2/revoke")).form(&form).send().await.unwrap();
            assert!(answer.status().is_success());
        }
        tokens.access_token
    }

    /// A JWT of somebody else's issuer.
    fn assertion(&self) -> String {
        let now = machine::clock().now().seconds();
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let id = NEXT.fetch_add(1, Ordering::Relaxed).to_string();
        let claims =
            json!({ "iss": SOMEBODY_ELSE, "sub": "deployer", "aud": self.durward.issuer(), "iat": now, "exp": now + 120, "jti": id });
        self.pipelines.sign("JWT", &claims).unwrap()
    }

    /// Goes where an address leads as a person does: logs in, and allows what is asked for. Where it ends.
    async fn visit(&self, address: &str) -> String {
        let mut answer = self.browser.get(address).send().await.unwrap();
        loop {
            let url = answer.url().clone();
            if let Some(next) = answer.headers().get("location") {
                let next = url.join(next.to_str().unwrap()).unwrap();
                // The application alone is not on TLS.
                if next.scheme() == "http" {
                    return next.into();
                }
                answer = self.browser.get(next).send().await.unwrap();
                continue;
            }
            let page = answer.text().await.unwrap();
            let has = |element: &str| page.contains(&format!("id=\"{element}\""));
            let mut form = match () {
                () if has("login-submit") => vec![("username", ALICE.to_owned()), ("password", PASSWORD.to_owned())],
                () if has("user-code") => vec![("user_code", attribute(&page, "id=\"user-code\"", "value"))],
                () if has("device-allow") || has("consent-allow") || page.contains("id=\"allow-") => vec![("decision", "allow".to_owned())],
                () => return url.into(),
            };
            form.push(("transaction", attribute(&page, "name=\"transaction\"", "value")));
            let action = url.join(&attribute(&page, "<form", "action")).unwrap();
            let origin = action.origin().ascii_serialization();
            answer = self
                .browser
                .post(action)
                .header("origin", origin)
                .header("sec-fetch-site", "same-origin")
                .form(&form)
                .send()
                .await
                .unwrap();
        }
    }

    /// A library in a process of its own, asked by lines.
    async fn judge_script(&self, client: &str, mut command: Command) {
        command
            .envs([("ISSUER", self.durward.issuer().as_str()), ("CALLBACK", CALLBACK), ("SECRET", PROGRAM_SECRET)])
            .envs([("CA", self.durward.ca()), ("NODE_EXTRA_CA_CERTS", self.durward.ca()), ("CLIENTS", installed(""))])
            .env("DIRECTORY", self.durward.directory());
        let mut script = Script::start(command);
        self.judge(client, async |attempt| {
            script.say(attempt);
            loop {
                let answer = script.hear();
                let Some(address) = answer["visit"].as_str() else { return answer };
                let back = self.visit(address).await;
                script.say(&json!({ "back": back }));
            }
        })
        .await;
    }
}

/// A process that is spoken to in lines of JSON.
struct Script {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Script {
    fn start(mut command: Command) -> Self {
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (input, output) = (process.stdin.take().unwrap(), BufReader::new(process.stdout.take().unwrap()));
        Self { process, input, output }
    }

    fn say(&mut self, message: &Value) {
        writeln!(self.input, "{message}").unwrap();
    }

    fn hear(&mut self) -> Value {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("not an answer: {line:?}"))
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Writes the keys and certificates of clients, the right ones and the wrong. Who signs the right ones, and the key set.
fn credentials(directory: &Path) -> (String, Value) {
    let authority = || {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
    };
    let (right, wrong) = (authority(), authority());
    let mut jwk = Value::Null;
    for (name, signer) in [("wrong", &wrong), ("right", &right)] {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(["client.referees.example".to_owned()]).unwrap();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        fs::write(directory.join(format!("{name}.pem")), params.signed_by(&key, signer).unwrap().pem()).unwrap();
        fs::write(directory.join(format!("{name}.key")), key.serialize_pem()).unwrap();
        let encode = durward_base::base64url::encode;
        let point = key.public_key_raw();
        jwk = json!({ "kty": "EC", "crv": "P-256", "alg": "ES256", "kid": name, "x": encode(&point[1..33]), "y": encode(&point[33..65]) });
    }
    (right.pem(), jwk)
}

/// The realm: services, a client for each way to authenticate and each binding, somebody else's issuer, a person.
fn resources(authority: &str, jwk: &Value, pipelines: &Value) -> String {
    let people = json!(["authorization_code", "refresh_token", DEVICE]);
    let programs = json!(["authorization_code", "refresh_token", DEVICE, "client_credentials", EXCHANGE, BEARER, CIBA]);
    let mut resources = vec![
        json!({ "kind": "realm", "name": "main", "client_certificate_authorities": authority }),
        json!({ "kind": "service", "name": "orders", "scopes": [{ "name": "orders:read" }, { "name": "orders:write" }] }),
        json!({ "kind": "service", "name": "front", "scopes": [{ "name": "front:use" }] }),
        json!({ "kind": "service", "name": "billing" }),
        json!({ "kind": "person", "name": ALICE, "password": "${ALICE_PASSWORD}" }),
        json!({ "kind": "trusted_issuer", "name": "pipelines", "issuer": SOMEBODY_ELSE, "algorithms": ["ES256"], "subjects": "programs",
            "jwks": { "keys": [pipelines] }, "scopes": ["orders:read"] }),
        json!({ "kind": "client", "name": PROGRAM, "authentication": "client_secret_basic", "secrets": ["${PROGRAM_SECRET}"],
            "grants": ["client_credentials"], "services": ["orders"], "runs": "orders" }),
        json!({ "kind": "client", "name": "web", "trust": "first-party", "redirect_uris": [CALLBACK], "services": ["front"],
            "grants": ["authorization_code", "refresh_token"], "scopes": ["openid", "offline_access", "front:use"] }),
    ];
    for authentication in METHODS {
        for binding in BINDINGS {
            let cell = Cell { client: "", authentication, binding, grant: "" };
            let mut client = json!({
                "kind": "client", "name": cell.client_id(), "trust": "first-party", "authentication": authentication,
                "redirect_uris": [CALLBACK], "services": ["orders"], "scopes": ["openid", "offline_access", "orders:read"],
                "grants": if authentication == "none" { &people } else { &programs },
                "dpop_bound_access_tokens": binding == "dpop", "tls_client_certificate_bound_access_tokens": binding == "mtls",
            });
            match authentication {
                "none" => {}
                "client_secret_basic" => client["secrets"] = json!(["${PROGRAM_SECRET}"]),
                "private_key_jwt" => client["jwks"] = json!({ "keys": [jwk] }),
                _ => client["tls_client_auth_san_dns"] = json!("client.referees.example"),
            }
            if authentication != "none" {
                client["runs"] = json!("front");
            }
            resources.push(client);
        }
    }
    documents(&resources)
}

/// Resources as a text that is applied: a line a key.
fn documents(resources: &[Value]) -> String {
    let line = |(key, value): (&String, &Value)| format!("{key}: {value}\n");
    let document = |resource: &Value| resource.as_object().unwrap().iter().map(line).collect::<String>();
    resources.iter().map(document).collect::<Vec<_>>().join("---\n")
}

fn node(script: &str) -> Command {
    let mut command = Command::new("node");
    command.arg(beside(script));
    command
}

fn beside(script: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/referees").join(script)
}

#[tokio::test]
async fn openid_client_gets_what_is_its_own_and_no_more() {
    World::new().await.judge_script("openid-client", node("openid_client.mjs")).await;
}

#[tokio::test]
async fn oauth4webapi_gets_what_is_its_own_and_no_more() {
    World::new().await.judge_script("oauth4webapi", node("oauth4webapi.mjs")).await;
}

#[tokio::test]
async fn authlib_gets_what_is_its_own_and_no_more() {
    let mut python = Command::new(installed("python/bin/python"));
    python.arg(beside("authlib_client.py"));
    World::new().await.judge_script("authlib", python).await;
}

/// Each library meets each pair of what it knows: a way to authenticate and a binding, that and a grant, a binding and a grant.
#[test]
fn the_cells_of_each_library_cover_every_pair() {
    for client in ["openid-client", "oauth4webapi", "authlib"] {
        let cells = Cell::of(client);
        let met: BTreeSet<_> = cells
            .iter()
            .flat_map(|cell| [(cell.authentication, cell.binding), (cell.authentication, cell.grant), (cell.binding, cell.grant)])
            .collect();
        let bindings = if client == "authlib" { &["bearer", "mtls"][..] } else { &BINDINGS };
        for grant in ["authorization_code", "refresh_token", DEVICE, "client_credentials", EXCHANGE, BEARER] {
            for method in METHODS {
                let public = method == "none" && matches!(grant, "client_credentials" | EXCHANGE | BEARER);
                assert!(public || met.contains(&(method, grant)), "{client}: {method} {grant}");
                assert!(bindings.iter().all(|binding| met.contains(&(method, binding))), "{client}: {method}");
            }
            assert!(bindings.iter().all(|binding| met.contains(&(binding, grant))), "{client}: {grant}");
        }
    }
}

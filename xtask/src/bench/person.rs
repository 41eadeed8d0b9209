//! A person who logs in once, with curl for a browser, and the applications that have codes for that.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::Value;

use super::process::output;

/// Where codes are sent.
pub const CALLBACK: &str = "https://bench.example/callback";
/// RFC 7636 appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// A browser at a realm.
pub struct Person {
    realm: String,
    cookies: PathBuf,
}

impl Person {
    /// Logs in.
    pub fn log_in(realm: &str, directory: &Path, username: &str, password: &str) -> anyhow::Result<Self> {
        let person = Self { realm: realm.to_owned(), cookies: directory.join("cookies") };
        // Whoever logged in before is somebody else.
        std::fs::write(&person.cookies, "")?;
        let page = person.curl(&["-L", &person.start("web")])?;
        let between =
            |from: &str| page.split_once(from).and_then(|(_, rest)| rest.split_once('"')).map(|(text, _)| text.replace("&#38;", "&"));
        let action = between("action=\"").with_context(|| format!("no form: {page}"))?;
        let transaction = between("name=\"transaction\" value=\"").context("no transaction in the form")?;
        let origin = realm.split("/realms").next().unwrap_or_default();
        let field = |name: &str, value: &str| format!("{name}={value}");
        person.curl(&[
            "--header",
            &format!("origin: {origin}"),
            "--header",
            "sec-fetch-site: same-origin",
            "--data-urlencode",
            &field("transaction", &transaction),
            "--data-urlencode",
            &field("username", username),
            "--data-urlencode",
            &field("password", password),
            &if action.starts_with('/') { format!("{origin}{action}") } else { action },
        ])?;
        Ok(person)
    }

    /// The tokens of another code for a public client. `header` goes with the request for them.
    pub fn tokens(&self, client: &str, header: &str) -> anyhow::Result<Value> {
        let format = ["-o/dev/null", "-w%{redirect_url}"];
        let mut at = self.start(client);
        let code = loop {
            at = self.curl(&[format[0], format[1], &at])?;
            anyhow::ensure!(!at.is_empty(), "the login has not come to a code");
            if at.starts_with(CALLBACK) {
                break at.split(['?', '&']).find_map(|pair| pair.strip_prefix("code=")).with_context(|| format!("no code: {at}"))?;
            }
        };
        let body = format!("grant_type=authorization_code&client_id={client}&redirect_uri={CALLBACK}&code_verifier={VERIFIER}&code={code}");
        let answer = self.curl(&["--header", header, "--data", &body, &format!("{}/oauth2/token", self.realm)])?;
        serde_json::from_str(&answer).with_context(|| format!("no tokens: {answer}"))
    }

    /// Name and value of the cookies that a page leads to, by whatever logins.
    pub fn cookies_of(&self, url: &str) -> anyhow::Result<Vec<(String, String)>> {
        self.curl(&["-L", "-f", "-o/dev/null", "-H", "accept: text/html", "-H", "sec-fetch-mode: navigate", url])?;
        let jar = std::fs::read_to_string(&self.cookies)?;
        let pair = |line: &str| {
            let fields: Vec<&str> = line.split('\t').collect();
            Some(((*fields.get(5)?).to_owned(), (*fields.get(6)?).to_owned()))
        };
        Ok(jar.lines().filter_map(pair).collect())
    }

    /// Where a code is sent, and what it is bound to.
    pub fn code_parameters() -> String {
        format!("redirect_uri={CALLBACK}&code_challenge={CHALLENGE}&code_challenge_method=S256")
    }

    fn start(&self, client: &str) -> String {
        let code = Self::code_parameters();
        format!("{}/oauth2/authorize?response_type=code&client_id={client}&scope=offline_access&state=s&{code}", self.realm)
    }

    fn curl(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let cookies = self.cookies.to_string_lossy();
        let mut all = vec!["-ksS", "-b", &cookies, "-c", &cookies];
        all.extend(arguments);
        output("curl", &all)
    }
}

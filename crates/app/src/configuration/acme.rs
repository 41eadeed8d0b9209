//! What `durward.yaml` says of certificates that are obtained by ACME (RFC 8555).

use std::path::PathBuf;

use durward_model::resource::SecretReference;
use durward_pki::ServerName;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Certificates obtained and renewed by ACME.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Acme {
    /// The authority's directory; Let's Encrypt's when absent.
    pub directory: String,
    /// The host names to obtain a certificate for, each its own; for none when empty. Each leads to the gateway or the authority, at port 443.
    pub names: Vec<String>,
    /// Whether you agree to the authority's terms of service: it issues nothing before.
    pub terms_agreed: bool,
    /// An e-mail address at which the authority may reach you.
    pub contact: Option<String>,
    /// The kind of certificate, where the authority offers several: `shortlived`.
    pub profile: Option<String>,
    /// The roots that vouch for the authority's own server, as a file of certificates in PEM; the system's when absent.
    pub roots: Option<PathBuf>,
    /// What ties the account to one that you have with the authority, where it asks for that.
    pub external_account: Option<ExternalAccount>,
}

/// RFC 8555 section 7.3.4: an account outside of ACME.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExternalAccount {
    /// The key's id there.
    pub id: String,
    /// The key, in base64url as the authority gives it out, by reference.
    pub key: SecretReference,
}

impl Default for Acme {
    fn default() -> Self {
        Self {
            directory: "https://acme-v02.api.letsencrypt.org/directory".to_owned(),
            names: Vec::new(),
            terms_agreed: false,
            contact: None,
            profile: None,
            roots: None,
            external_account: None,
        }
    }
}

impl Acme {
    /// The first key that cannot be as it is, and why.
    pub(super) fn fault(&self) -> Option<(&'static str, String)> {
        if !url::Url::parse(&self.directory).is_ok_and(|url| url.scheme() == "https" && url.has_host()) {
            return Some(("acme.directory", format!("found `{}`: expected `https://host/path`", self.directory)));
        }
        if let Some(name) = self.names.iter().find(|name| !is_host_name(name)) {
            let expected = "expected a host name in lower case: addresses and wildcards cannot be proved by TLS-ALPN-01";
            return Some(("acme.names", format!("found `{name}`: {expected}")));
        }
        if let Some(contact) = self.contact.as_deref().filter(|contact| !is_address(contact)) {
            return Some(("acme.contact", format!("found `{contact}`: expected an e-mail address")));
        }
        let unagreed = !self.names.is_empty() && !self.terms_agreed;
        unagreed
            .then(|| ("acme.terms_agreed", "found `false`: the authority issues nothing until you agree to its terms: `true`".to_owned()))
    }
}

fn is_host_name(name: &str) -> bool {
    let lower = !name.bytes().any(|byte| byte.is_ascii_uppercase());
    lower && !name.ends_with('.') && matches!(ServerName::try_from(name), Ok(ServerName::DnsName(_)))
}

fn is_address(text: &str) -> bool {
    let plain = !text.chars().any(|character| character.is_whitespace() || matches!(character, ':' | '?' | ','));
    plain && text.split_once('@').is_some_and(|(local, host)| !local.is_empty() && is_host_name(host))
}

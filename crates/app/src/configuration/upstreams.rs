//! What `durward.yaml` says of the gateway's upstreams in general.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How long upstreams may take, in milliseconds, where a route says nothing else.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UpstreamTimeouts {
    /// To a connection, TLS included.
    pub connect_ms: u32,
    /// From the request's last byte to the answer's head.
    pub answer_ms: u32,
    /// Without a byte in either direction, and of a kept-alive connection without a request.
    pub idle_ms: u32,
}

impl Default for UpstreamTimeouts {
    fn default() -> Self {
        Self { connect_ms: 2000, answer_ms: 10_000, idle_ms: 60_000 }
    }
}

/// TLS to upstreams, for the routes that name it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpstreamTls {
    /// What routes call it, as `upstream_tls`.
    pub name: String,
    /// The roots that vouch for upstreams, as a file of certificates in PEM; the system's when absent.
    #[serde(default)]
    pub roots: Option<PathBuf>,
    /// The certificate that is shown to upstreams that ask for one, as a file in PEM, its chain after it.
    #[serde(default)]
    pub certificate: Option<PathBuf>,
    /// Its key, as a file in PEM.
    #[serde(default)]
    pub key: Option<PathBuf>,
}

impl UpstreamTls {
    /// Takes relative paths as relative to this directory.
    pub(super) fn relative_to(&mut self, directory: &Path) {
        for file in [&mut self.roots, &mut self.certificate, &mut self.key].into_iter().flatten() {
            *file = directory.join(&*file);
        }
    }
}

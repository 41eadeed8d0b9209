//! What a service of the shop is told when it starts.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context as _;
use axum::Router;
use durward_verify::{Authority, ServiceCredential, Trust, Verifier};
use tokio::net::TcpListener;
use url::Url;

/// What a service of the shop is told when it starts.
#[derive(Debug, Clone)]
pub struct ServiceSettings {
    /// The authority it trusts.
    pub authority: Authority,
    /// The roots the authority's certificate is checked against.
    pub trust: Trust,
    /// Its own credential.
    pub credential: ServiceCredential,
    /// Where it keeps what it must not lose: its part of the audit record, and what it knew last.
    pub data: PathBuf,
    /// Where inventory is; only payments asks.
    pub inventory: Option<Url>,
}

impl ServiceSettings {
    pub(crate) async fn verifier(&self) -> anyhow::Result<Verifier> {
        let verifier = Verifier::connect(&self.authority, &self.trust, &self.credential, &self.data);
        verifier.await.context("cannot join the authority")
    }
}

/// Serves a service's routes, in plain HTTP: the gateway stands before it.
pub async fn serve(listener: TcpListener, routes: Router) -> anyhow::Result<()> {
    Ok(axum::serve(listener, routes.into_make_service_with_connect_info::<SocketAddr>()).await?)
}

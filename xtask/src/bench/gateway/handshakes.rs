//! RFC 8446: whole handshakes with a client's certificate, both sides in memory; the server's CPU time alone is counted.

use std::sync::Arc;

use rustix::time::{ClockId, clock_gettime};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::{ClientConnection, RootCertStore, ServerConfig, ServerConnection};

use super::certificates::{Client, provider};

/// How many are made.
const HANDSHAKES: u32 = 1_000;

/// How many a server could make in a CPU-second.
pub fn per_cpu_second(client: &Client) -> anyhow::Result<f64> {
    let (server, client) = (server(client)?, client.configuration()?);
    let mut used = 0.0;
    for _ in 0..HANDSHAKES {
        let mut near = ClientConnection::new(Arc::clone(&client), ServerName::try_from("localhost")?)?;
        let started = cpu_seconds();
        let mut far = ServerConnection::new(Arc::clone(&server))?;
        used += cpu_seconds() - started;
        while near.is_handshaking() || far.is_handshaking() {
            let mut wire = Vec::new();
            near.write_tls(&mut wire)?;
            let (started, mut answer) = (cpu_seconds(), Vec::new());
            far.read_tls(&mut wire.as_slice())?;
            far.process_new_packets()?;
            far.write_tls(&mut answer)?;
            used += cpu_seconds() - started;
            near.read_tls(&mut answer.as_slice())?;
            near.process_new_packets()?;
        }
    }
    Ok(f64::from(HANDSHAKES) / used)
}

/// What the gateway shows and asks for: a chain of two, no resumption.
fn server(client: &Client) -> anyhow::Result<Arc<ServerConfig>> {
    let mut roots = RootCertStore::empty();
    roots.add(client.authority.clone())?;
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider()).build()?;
    let authority = rcgen::CertifiedIssuer::self_signed(
        {
            let mut params = rcgen::CertificateParams::default();
            params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
            params
        },
        rcgen::KeyPair::generate()?,
    )?;
    let key = rcgen::KeyPair::generate()?;
    let leaf = rcgen::CertificateParams::new(["localhost".to_owned()])?.signed_by(&key, &authority)?;
    let chain: Vec<CertificateDer<'static>> = vec![leaf.der().clone(), authority.der().clone()];
    let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let builder = ServerConfig::builder_with_provider(provider()).with_protocol_versions(&[&rustls::version::TLS13])?;
    let mut configuration = builder.with_client_cert_verifier(verifier).with_single_cert(chain, key)?;
    configuration.session_storage = Arc::new(NoServerSessionStorage {});
    configuration.send_tls13_tickets = 0;
    Ok(Arc::new(configuration))
}

/// CPU time of this thread.
fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

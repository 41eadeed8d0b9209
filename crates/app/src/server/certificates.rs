//! The authority's own certificates: root → intermediate made at first start and kept sealed, the listeners' leaf in memory only.

use anyhow::Context as _;
use durward_base::{Clock, Duration, Rng, SecretBytes, Timestamp};
use durward_net::{ServerIdentity, Shutdown};
use durward_pki::{Certificate, IntermediateAuthority, RootAuthority, SERVER_LIFETIME, ServerName, TrustBundle, local_names};
use durward_seal::{Context, Purpose, RootKey, Sealer};
use durward_store::Store;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::configuration::Settings;

/// How long one that could not be renewed is left alone.
const RETRY: Duration = Duration::from_secs(60);

/// When each certificate that listeners show ends, by its file or the name it was obtained for; the authority's own by `own`.
#[derive(Clone, Default)]
pub struct Expiries(Family<[(&'static str, String); 1], Gauge>);

impl Expiries {
    /// One ends then.
    pub fn set(&self, chain: &str, expires: Timestamp) {
        self.0.get_or_create(&[("chain", chain.to_owned())]).set(expires.seconds());
    }
}

/// The authority's certificates.
pub struct Certificates {
    root: Certificate,
    intermediate: IntermediateAuthority,
    names: Vec<ServerName<'static>>,
    expiries: Expiries,
}

impl Certificates {
    /// Opens what the store keeps, making it at first start; a spent intermediate is replaced under the same root.
    pub async fn open(
        store: &Store,
        root_key: &RootKey,
        names: Vec<ServerName<'static>>,
        clock: &Clock,
        rng: &Rng,
    ) -> anyhow::Result<Self> {
        let kept = Kept { store, sealer: root_key.derive(Purpose::CertificateAuthority, None).sealer(), rng };
        let root = kept.root(clock.now()).await?;
        let intermediate = kept.intermediate(&root, clock.now()).await?;
        Ok(Self { root: root.certificate().clone(), intermediate, names, expiries: Expiries::default() })
    }

    /// What clients have to trust.
    pub fn trust_bundle(&self) -> anyhow::Result<TrustBundle> {
        Ok(TrustBundle::new(vec![self.root.clone()])?)
    }

    /// Where it is told when others end.
    pub const fn expiries(&self) -> &Expiries {
        &self.expiries
    }

    /// Shows when listeners' certificates end.
    pub fn register(&self, metrics: &mut Registry) {
        metrics.register(
            "durward_certificate_expiry_seconds",
            "When a certificate that listeners show ends, as seconds since 1970",
            self.expiries.0.clone(),
        );
    }

    /// A listener's certificate, and when to renew it.
    pub fn issue(&self, now: Timestamp, rng: &Rng) -> anyhow::Result<(ServerIdentity, Timestamp)> {
        let (chain, key, renew_at) = self.leaf(now, rng)?;
        Ok((ServerIdentity::new(chain, key.expose())?, renew_at))
    }

    /// Renews the certificate at half its life until shutdown.
    pub async fn keep_fresh(self, identity: ServerIdentity, mut renew_at: Timestamp, clock: Clock, rng: Rng, shutdown: Shutdown) {
        loop {
            let wait = renew_at.since(clock.now()).min(Duration::from_secs(3600)).max(Duration::from_secs(1));
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = shutdown.cancelled() => return,
            }
            // A certificate of a wrong time is believed by nobody; the one there is lasts half its life more.
            if clock.now() < renew_at || clock.jump().is_some() {
                continue;
            }
            renew_at = self.renewed(&identity, clock.now(), &rng);
        }
    }

    /// Renews the certificate; when to do so again.
    fn renewed(&self, identity: &ServerIdentity, now: Timestamp, rng: &Rng) -> Timestamp {
        let renewed = self.leaf(now, rng).and_then(|(chain, key, next)| Ok((identity.replace(chain, key.expose())?, next)));
        renewed.map(|((), next)| next).unwrap_or_else(|error| {
            tracing::error!(%error, "the listeners' certificate could not be renewed; trying again in a minute");
            now + RETRY
        })
    }

    fn leaf(&self, now: Timestamp, rng: &Rng) -> anyhow::Result<(Vec<Vec<u8>>, SecretBytes, Timestamp)> {
        let issued = self.intermediate.issue_server(&self.names, now, SERVER_LIFETIME, rng)?;
        self.expiries.set("own", issued.certificate.expires());
        Ok((issued.chain_der, issued.key_pkcs8, issued.certificate.renew_at()))
    }
}

/// Authorities as the store keeps them: the certificate beside its key, the key sealed.
struct Kept<'a> {
    store: &'a Store,
    sealer: Sealer,
    rng: &'a Rng,
}

impl Kept<'_> {
    async fn root(&self, now: Timestamp) -> anyhow::Result<RootAuthority> {
        if self.load("ca/root").await?.is_none() {
            let made = RootAuthority::create("Durward root", now, self.rng)?;
            // Another authority may have been first; what stands then is read below.
            self.keep("ca/root", made.certificate(), &made.key_pkcs8()).await?;
        }
        let (certificate, key) = self.load("ca/root").await?.context("the root authority vanished from the store")?;
        Ok(RootAuthority::load(&certificate, &key)?)
    }

    async fn intermediate(&self, root: &RootAuthority, now: Timestamp) -> anyhow::Result<IntermediateAuthority> {
        for number in 1.. {
            let name = format!("ca/intermediate/{number}");
            if let Some((certificate, key)) = self.load(&name).await? {
                let authority = IntermediateAuthority::load(&certificate, &key, root.certificate())?;
                if now < authority.certificate().renew_at() {
                    return Ok(authority);
                }
            } else {
                let made = root.issue_intermediate(&format!("Durward intermediate {number}"), now, self.rng)?;
                self.keep(&name, made.certificate(), &made.key_pkcs8()).await?;
                let (certificate, key) = self.load(&name).await?.context("the intermediate authority vanished from the store")?;
                return Ok(IntermediateAuthority::load(&certificate, &key, root.certificate())?);
            }
        }
        anyhow::bail!("no number is left for an intermediate authority")
    }

    async fn load(&self, name: &str) -> anyhow::Result<Option<(Vec<u8>, SecretBytes)>> {
        let Some(kept) = self.store.material(name).await? else { return Ok(None) };
        let opened = kept.expose().split_first_chunk::<4>().and_then(|(length, rest)| {
            let (certificate, sealed) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
            let key = self.sealer.open(&context(name, certificate), sealed).ok()?;
            Some((certificate.to_vec(), key))
        });
        opened.with_context(|| format!("the store's {name} cannot be opened with this root key")).map(Some)
    }

    /// Keeps length and certificate in the clear, the key sealed behind them.
    async fn keep(&self, name: &str, certificate: &Certificate, key: &SecretBytes) -> anyhow::Result<()> {
        let certificate = certificate.der();
        let mut kept = u32::try_from(certificate.len())?.to_be_bytes().to_vec();
        kept.extend_from_slice(certificate);
        kept.extend_from_slice(&self.sealer.seal(&context(name, certificate), key.expose(), self.rng));
        self.store.put_material_if_absent(name, &SecretBytes::new(kept)).await?;
        Ok(())
    }
}

fn context(name: &str, certificate: &[u8]) -> Context {
    Context::new("certificate authority").with(name).with(certificate)
}

/// `localhost`, 127.0.0.1 and ::1, the hosts of the public URLs, and whatever `names` and `acme.names` add.
pub fn names(public_url: &str, settings: &Settings) -> anyhow::Result<Vec<ServerName<'static>>> {
    let mut names = local_names();
    let urls =
        std::iter::once(public_url).chain(settings.gateway.public_url.as_deref()).map(url::Url::parse).collect::<Result<Vec<_>, _>>()?;
    let further = settings.names.iter().chain(&settings.acme.names).map(String::as_str);
    for name in urls.iter().filter_map(url::Url::host_str).chain(further) {
        let name = ServerName::try_from(name.trim_matches(['[', ']']).to_owned())
            .with_context(|| format!("names: `{name}` is no host name and no address"))?;
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use durward_node::machine;

    use super::*;

    #[test]
    fn a_certificate_that_cannot_be_renewed_is_tried_again_after_a_minute() {
        let (rng, now) = (machine::rng(), Timestamp::from_seconds(1_800_000_000));
        let root = RootAuthority::create("root", now, &rng).unwrap();
        let intermediate = root.issue_intermediate("intermediate", now, &rng).unwrap();
        let end = intermediate.certificate().expires();
        let names = local_names();
        let certificates = Certificates { root: root.certificate().clone(), intermediate, names, expiries: Expiries::default() };
        let (identity, renew_at) = certificates.issue(now, &rng).unwrap();
        assert!(certificates.renewed(&identity, renew_at, &rng) > renew_at + RETRY);
        let after = end + RETRY;
        assert_eq!(certificates.renewed(&identity, after, &rng), after + RETRY, "what signs has ended");
    }
}

//! RFC 8555: certificates obtained from an authority that clients know, and renewed in time. Until one is there, our own is shown.

mod account;
mod kept;
mod order;
mod transport;

use std::collections::BTreeMap;

use anyhow::{Context as _, ensure};
use durward_base::{Clock, Duration, EventId, Rng, SecretBytes, Timestamp};
use durward_model::{Event, EventKind, Outcome};
use durward_net::{AcmeChallenges, NamedCertificate, NamedCertificates, Shutdown};
use durward_node::Journal;
use durward_pki::{Certificate, part, renew_at};
use durward_seal::{Purpose, RootKey};
use durward_store::Store;
use instant_acme::CertificateIdentifier;

pub use self::account::Accounts;
use self::kept::Kept;
use self::order::{Ordered, obtain};
use super::certificates::Expiries;
use crate::configuration::Acme as AcmeSettings;

/// How often an authority is asked when it wants a certificate renewed, where it says nothing else.
const LOOK: Duration = Duration::from_secs(6 * 60 * 60);
/// How long the clock is left alone at most.
const NAP: Duration = Duration::from_secs(60);
/// After the first failure, and doubled with each.
const RETRY: Duration = Duration::from_secs(60);
/// What doubling ends at.
const RETRY_MOST: Duration = Duration::from_secs(6 * 60 * 60);

/// What obtaining certificates takes.
pub struct Tools {
    /// Where they are kept.
    pub store: Store,
    /// What signals on the record.
    pub journal: Journal,
    /// The node's name in events.
    pub node: &'static str,
    /// Where it is told when they end.
    pub expiries: Expiries,
    /// Time.
    pub clock: Clock,
    /// Randomness.
    pub rng: Rng,
}

/// Obtains certificates and renews them.
pub struct Acme {
    settings: AcmeSettings,
    accounts: Accounts,
    kept: Kept,
    tools: Tools,
    held: BTreeMap<String, Held>,
    named: NamedCertificates,
    challenges: AcmeChallenges,
}

/// What there is for a name.
#[derive(Default)]
struct Held {
    certificate: Option<(NamedCertificate, Certificate)>,
    obtained: Timestamp,
    /// When to renew it.
    due: Timestamp,
    /// When to look after it next.
    wake: Timestamp,
    /// Attempts that failed since one succeeded.
    failures: u32,
}

impl Acme {
    /// Shows what was obtained before. There is nothing to do where no name is asked for.
    ///
    /// # Errors
    /// Settings that cannot be used. A certificate that cannot is obtained anew.
    pub async fn open(settings: &AcmeSettings, root: &RootKey, tools: Tools) -> anyhow::Result<Option<Self>> {
        if settings.names.is_empty() {
            return Ok(None);
        }
        let kept = Kept {
            store: tools.store.clone(),
            sealer: root.derive(Purpose::Acme, None).sealer(),
            directory: settings.directory.clone(),
            rng: tools.rng.clone(),
        };
        let mut acme = Self {
            settings: settings.clone(),
            accounts: Accounts::new(settings)?,
            kept,
            tools,
            held: BTreeMap::new(),
            named: NamedCertificates::default(),
            challenges: AcmeChallenges::default(),
        };
        acme.load().await?;
        Ok(Some(acme))
    }

    /// What was obtained, by name.
    pub fn named(&self) -> NamedCertificates {
        self.named.clone()
    }

    /// What listeners answer the authority with.
    pub fn challenges(&self) -> AcmeChallenges {
        self.challenges.clone()
    }

    /// Looks after every name in its time, until shutdown.
    pub async fn run(mut self, shutdown: Shutdown) {
        loop {
            let Some(next) = self.held.values().map(|held| held.wake).min() else { return };
            // The clock may be set meanwhile.
            let nap = next.since(self.tools.clock.now()).min(NAP);
            tokio::select! {
                () = tokio::time::sleep(nap) => {}
                () = shutdown.cancelled() => return,
            }
            let (now, jumped) = (self.tools.clock.now(), self.tools.clock.jump().is_some());
            if jumped {
                // What a clock that jumped calls expired may be good for months.
                tokio::time::sleep(Duration::from_secs(1)).await;
                continue;
            }
            let due: Vec<String> = self.held.iter().filter(|(_, held)| held.wake <= now).map(|(name, _)| name.clone()).collect();
            for name in due {
                tokio::select! {
                    () = self.tend(&name) => {}
                    () = shutdown.cancelled() => return,
                }
            }
        }
    }

    async fn load(&mut self) -> anyhow::Result<()> {
        for name in self.settings.names.clone() {
            self.tools.expiries.set(&name, Timestamp::default());
            self.held.insert(name.clone(), Held::default());
            let Some(pem) = self.kept.certificate(&name).await? else { continue };
            match read(&name, &pem) {
                Ok(found) => {
                    let begins = found.1.not_before();
                    self.show(&name, found, begins);
                }
                Err(error) => {
                    tracing::error!(name, error = format!("{error:#}"), "what was obtained before cannot be used; it is obtained anew");
                }
            }
        }
        Ok(())
    }

    /// Obtains what is due; otherwise asks whether it is to be renewed earlier than thought.
    async fn tend(&mut self, name: &str) {
        let now = self.tools.clock.now();
        let Some(held) = self.held.get(name) else { return };
        if held.due > now {
            let look = self.consult(name).await;
            if let Some(held) = self.held.get_mut(name) {
                held.wake = held.due.min(now + look);
            }
            return;
        }
        let renewed = self.renew(name).await;
        let now = self.tools.clock.now();
        let Some(held) = self.held.get_mut(name) else { return };
        match renewed {
            Ok(()) => {
                held.failures = 0;
                held.wake = now;
                tracing::info!(name, "a certificate was obtained and is in force");
            }
            Err(error) => {
                let wait = RETRY.saturating_mul(1 << held.failures.min(16)).min(RETRY_MOST);
                held.failures += 1;
                held.wake = now + wait + part(wait / 4, &self.tools.rng);
                let (failures, again) = (held.failures, held.wake);
                tracing::error!(name, failures, %again, error = format!("{error:#}"), "no certificate was obtained; what is there is shown on");
            }
        }
        self.record(name).await;
    }

    /// Asks when the authority wants a certificate renewed; how long its answer is good.
    async fn consult(&mut self, name: &str) -> Duration {
        match self.window(name).await {
            Ok((from, to, good_for)) => {
                self.schedule(name, Some((from, to)));
                good_for.clamp(NAP, LOOK * 4)
            }
            Err(error) => {
                tracing::debug!(name, error = format!("{error:#}"), "the authority suggests no time to renew");
                LOOK
            }
        }
    }

    async fn window(&mut self, name: &str) -> anyhow::Result<(Timestamp, Timestamp, Duration)> {
        let replaced = self.identifier(name).context("it has no authority key identifier")?;
        let account = self.accounts.open(&self.kept).await?;
        let (info, good_for) = account.renewal_info(&replaced).await?;
        let [from, to] = [info.suggested_window.start, info.suggested_window.end].map(|at| Timestamp::from_seconds(at.unix_timestamp()));
        Ok((from, to, good_for))
    }

    fn schedule(&mut self, name: &str, window: Option<(Timestamp, Timestamp)>) {
        let Some(held) = self.held.get_mut(name) else { return };
        if let Some((_, certificate)) = &held.certificate {
            held.due = renew_at(certificate, held.obtained, window, &self.tools.rng);
        }
    }

    async fn renew(&mut self, name: &str) -> anyhow::Result<()> {
        let replaces = self.identifier(name);
        let account = self.accounts.open(&self.kept).await.context("the account")?;
        let ordered = Ordered { name, profile: self.settings.profile.as_deref(), replaces };
        let obtained = obtain(&account, ordered, &self.challenges).await;
        if let Err(error) = &obtained {
            self.accounts.forget_if_unknown(error, &self.kept).await?;
        }
        let pem = obtained?;
        let certificate = read(name, &pem)?;
        if let Err(error) = self.kept.keep_certificate(name, &pem).await {
            tracing::error!(name, error = format!("{error:#}"), "a certificate was not kept; the next start obtains another");
        }
        self.show(name, certificate, self.tools.clock.now());
        Ok(())
    }

    /// New connections see this certificate from now on.
    fn show(&mut self, name: &str, certificate: (NamedCertificate, Certificate), obtained: Timestamp) {
        self.tools.expiries.set(name, certificate.1.expires());
        let held = self.held.entry(name.to_owned()).or_default();
        (held.certificate, held.obtained) = (Some(certificate), obtained);
        self.schedule(name, None);
        self.named.replace(self.held.values().filter_map(|held| held.certificate.as_ref()).map(|(shown, _)| shown.clone()).collect());
    }

    /// RFC 9773 section 4.1.
    fn identifier(&self, name: &str) -> Option<CertificateIdentifier<'static>> {
        let (_, certificate) = self.held.get(name)?.certificate.as_ref()?;
        CertificateIdentifier::try_from(certificate.der()).ok().map(CertificateIdentifier::into_owned)
    }

    async fn record(&self, name: &str) {
        let Some(held) = self.held.get(name) else { return };
        let now = self.tools.clock.now();
        let mut event = Event::new(EventId::new(now, &self.tools.rng), now, self.tools.node.into(), EventKind::CertificateObtained);
        event.target = Some(format!("certificate/{name}"));
        if held.failures == 0 {
            event.outcome = Outcome::Changed;
            event.detail = Some(format!("by ACME; it is renewed at {}", held.due));
        } else {
            event.outcome = Outcome::Failed;
            event.reason = Some("acme.not_obtained".to_owned());
            event.detail = Some(format!("failure {} in a row, why is in the log; tried again at {}", held.failures, held.wake));
        }
        if self.tools.journal.record(event).await.is_err() {
            tracing::error!(name, "the record does not say what became of a certificate");
        }
    }
}

/// A chain and its key in PEM, if they belong together and are for this name.
fn read(name: &str, pem: &SecretBytes) -> anyhow::Result<(NamedCertificate, Certificate)> {
    let shown = NamedCertificate::from_pem(pem.expose(), pem.expose())?;
    let certificate = Certificate::from_der(shown.leaf())?;
    ensure!(shown.is_for_host(name), "the certificate is not for {name}");
    Ok((shown, certificate))
}

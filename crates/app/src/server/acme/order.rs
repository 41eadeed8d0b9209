//! RFC 8555 section 7.4: one order, from the first request to the certificate.

use anyhow::{Context as _, bail};
use durward_base::{Duration, SecretBytes};
use durward_net::AcmeChallenges;
use durward_pki::{CertificateRequest, ChallengeCertificate};
use instant_acme::{
    Account, AuthorizationStatus, CertificateIdentifier, ChallengeType, Identifier, NewOrder, Order, OrderStatus, RetryPolicy,
};

/// How long an authority may take to validate, and to issue.
const PATIENCE: Duration = Duration::from_secs(120);

/// What is ordered.
pub struct Ordered<'a> {
    /// The one host name.
    pub name: &'a str,
    /// The authority's profile, when one is asked for.
    pub profile: Option<&'a str>,
    /// The certificate whose place it takes.
    pub replaces: Option<CertificateIdentifier<'static>>,
}

/// Obtains a certificate: its chain and its key, in PEM. Nothing of what the authority sent is verified yet.
///
/// # Errors
/// What the authority says, and what cannot be reached.
pub async fn obtain(account: &Account, ordered: Ordered<'_>, challenges: &AcmeChallenges) -> anyhow::Result<SecretBytes> {
    let identifiers = [Identifier::Dns(ordered.name.to_owned())];
    let mut order = place(account, &ordered, &identifiers).await.context("the order")?;
    if order.state().status == OrderStatus::Pending {
        let proved = prove(&mut order, ordered.name, challenges).await;
        challenges.end();
        proved?;
    }
    let request = CertificateRequest::new(ordered.name)?;
    order.finalize_csr(&request.der).await.context("the order's end")?;
    let chain = order.poll_certificate(&patience()).await.context("the certificate")?;
    Ok(SecretBytes::new([chain.as_bytes(), b"\n", request.key_pem.expose()].concat()))
}

async fn place(account: &Account, ordered: &Ordered<'_>, identifiers: &[Identifier]) -> Result<Order, instant_acme::Error> {
    let order = || {
        let order = NewOrder::new(identifiers);
        if let Some(profile) = ordered.profile { order.profile(profile) } else { order }
    };
    if let Some(replaced) = &ordered.replaces {
        // RFC 9773 section 5: an order that names what it replaces may be refused for that alone.
        if let Ok(placed) = account.new_order(&order().replaces(replaced.clone())).await {
            return Ok(placed);
        }
    }
    account.new_order(&order()).await
}

/// Shows the authority that the name leads here.
async fn prove(order: &mut Order, name: &str, challenges: &AcmeChallenges) -> anyhow::Result<()> {
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization.context("the authorization")?;
        if authorization.status != AuthorizationStatus::Pending {
            continue;
        }
        let offered = authorization.challenge(ChallengeType::TlsAlpn01);
        let mut challenge = offered.context("the authority offers no TLS-ALPN-01 challenge, the one that is answered here")?;
        let digest = challenge.key_authorization().digest();
        let shown = ChallengeCertificate::new(name, digest.as_ref().try_into()?)?;
        challenges.show(name, shown.der, shown.key_pkcs8.expose())?;
        challenge.set_ready().await.context("the challenge")?;
    }
    match order.poll_ready(&patience()).await {
        Ok(OrderStatus::Ready | OrderStatus::Valid) => Ok(()),
        ended => match refusal(order).await {
            Some(problem) => bail!("the authority could not validate the name: {problem}"),
            None => bail!("the order did not become ready: {:?}", ended?),
        },
    }
}

/// Why a challenge was not met, in the authority's words.
async fn refusal(order: &mut Order) -> Option<String> {
    let mut authorizations = order.authorizations();
    while let Some(Ok(mut authorization)) = authorizations.next().await {
        let state = authorization.refresh().await.ok()?;
        if let Some(problem) = state.challenges.iter().find_map(|challenge| challenge.error.as_ref()) {
            return Some(problem.to_string());
        }
    }
    None
}

fn patience() -> RetryPolicy {
    RetryPolicy::new().initial_delay(Duration::from_millis(250)).backoff(1.5).timeout(PATIENCE)
}

//! Client certificates as a way in: RFC 5280 section 6, X509-SVID, and the certificates that clients are registered with (RFC 8705 section 2).

use std::sync::Arc;

use arc_swap::ArcSwap;
use durward_base::{Duration, Timestamp};
use durward_enforce::{Declared, RealmView, Refusal, TokenError, View};
use durward_model::resolve::{Resolution, ResolveRequest, Resolved};
use durward_model::resource::Client;
use durward_model::{Assurance, CredentialFacts, CredentialLimits, PrincipalKind};
use durward_net::{CertificateDer, PeerCertificate, Vouch};
use durward_oauth::client_authentication::mutual_tls::{Known, known};
use durward_pki::{ClientAuthorities, ClientCertificate, SpiffeId, Unvouched};

use crate::Gateway;

/// How long what was found holds: a list that was replaced takes effect by then.
const HOLDS: Duration = Duration::from_secs(60);

/// Who may vouch for the clients of one realm.
#[derive(Debug)]
pub struct RealmAuthorities {
    /// The realm's name.
    pub realm: String,
    /// Its roots, its lists and its trust domain.
    pub authorities: ClientAuthorities,
}

/// Those of all realms, replaced while the gateway runs.
#[derive(Debug, Clone, Default)]
pub struct KnownAuthorities(Arc<ArcSwap<Vec<RealmAuthorities>>>);

impl KnownAuthorities {
    /// These vouch from now on, and no others.
    pub fn replace(&self, authorities: Vec<RealmAuthorities>) {
        self.0.store(Arc::new(authorities));
    }

    pub(crate) fn load(&self) -> Arc<Vec<RealmAuthorities>> {
        self.0.load_full()
    }
}

/// Who a certificate is.
enum Holder<'v> {
    Registered(&'v Declared<Client>),
    Workload(SpiffeId),
}

/// Says of a certificate that is asked about what the authority says of other credentials.
///
/// # Errors
/// `Refusal` when it is nobody's.
pub(crate) fn resolve(
    view: &View,
    known_to: &[RealmAuthorities],
    certificate: &PeerCertificate,
    request: &ResolveRequest,
    now: Timestamp,
) -> Result<Resolution, Refusal> {
    let refused = |reason| Refusal::Token(TokenError::Unvouched(reason));
    let certificate = ClientCertificate::read(certificate.chain()).map_err(|_| refused(Unvouched::NotTrusted))?;
    if !certificate.is_timely(now) {
        return Err(Refusal::Token(TokenError::Expired));
    }
    let authorities = known_to.iter().filter(|known| known.realm == request.realm).map(|known| &known.authorities);
    let holder = holder(view, authorities, &certificate, &request.realm, now).map_err(refused)?;
    let (kind, id, client, roles) = match holder {
        Holder::Registered(client) => {
            let Client { name, runs, roles, .. } = &client.resource;
            let kind = if runs.is_some() { PrincipalKind::Service } else { PrincipalKind::Client };
            (kind, runs.as_ref().unwrap_or(name).clone(), Some(name.clone()), roles.clone())
        }
        Holder::Workload(id) => (PrincipalKind::Service, id.as_str().to_owned(), None, Vec::new()),
    };
    let until = (now + HOLDS).min(certificate.expires());
    let credential = CredentialFacts {
        kind: request.kind,
        id: certificate.thumbprint().to_owned(),
        issuer: String::new(),
        family: None,
        session: None,
        client,
        key: None,
        bound_key: None,
        issued: now,
        expires: until,
    };
    let (assurance, limits, audience) = (Assurance::default(), CredentialLimits::default(), request.audience.clone());
    let resolved = Resolved { kind, id, roles, scopes: Vec::new(), assurance, audience, limits, credential, made: now, until };
    Ok(Resolution::Proved(Box::new(resolved)))
}

/// The client that is registered with it, else the workload that it names.
fn holder<'v, 'a>(
    view: &'v View,
    authorities: impl Iterator<Item = &'a ClientAuthorities>,
    certificate: &ClientCertificate,
    realm: &str,
    now: Timestamp,
) -> Result<Holder<'v>, Unvouched> {
    let realm = view.realm(realm).ok_or(Unvouched::NotTrusted)?;
    let registered = |how| registered(realm, certificate, how);
    if let Some(client) = registered(Known::ByThumbprint) {
        return Ok(Holder::Registered(client));
    }
    let mut why = Unvouched::NotTrusted;
    for authorities in authorities {
        match authorities.must_vouch_for(certificate, now) {
            Ok(()) => {}
            // Whoever took it back is believed, whatever others say.
            Err(Unvouched::Revoked) => return Err(Unvouched::Revoked),
            Err(error) => {
                why = if why == Unvouched::NotTrusted { error } else { why };
                continue;
            }
        }
        if let Some(client) = registered(Known::BySubject) {
            return Ok(Holder::Registered(client));
        }
        match authorities.workload(certificate) {
            Ok(Some(id)) => return Ok(Holder::Workload(id)),
            Ok(None) => {}
            Err(error) => why = error,
        }
    }
    Err(why)
}

/// The client that is registered with it in this way.
fn registered<'v>(realm: &'v RealmView, certificate: &ClientCertificate, how: Known) -> Option<&'v Declared<Client>> {
    // What clients say of themselves when they register neither makes a certificate theirs nor takes it from whose it is.
    let declared = realm.clients().iter().map(|(_, client)| &**client).filter(|client| client.resource.origin.is_declared());
    let mut found = declared.filter(|client| known(&client.resource, certificate) == Some(how));
    // Of two with the same certificate it is neither.
    found.next().filter(|_| found.next().is_none())
}

/// For the listener that requires a certificate: whose it is, and what that one may, is asked at each request.
impl Vouch for Gateway {
    fn vouches_for(&self, chain: &[CertificateDer<'_>]) -> bool {
        chain.first().is_some_and(|own| self.fronts.contains(own))
            || ClientCertificate::read(chain)
                .is_ok_and(|certificate| is_known(&self.shared.view(), &self.lookups.authorities.load(), &certificate, self.clock.now()))
    }
}

/// Whether it is registered with a client of any realm, or the authorities of any realm vouch for it.
fn is_known(view: &View, known_to: &[RealmAuthorities], certificate: &ClientCertificate, now: Timestamp) -> bool {
    if !certificate.is_timely(now) {
        return false;
    }
    let words: Vec<_> = known_to.iter().map(|known| known.authorities.must_vouch_for(certificate, now)).collect();
    view.realms().any(|realm| registered(realm, certificate, Known::ByThumbprint).is_some())
        || words.contains(&Ok(())) && !words.contains(&Err(Unvouched::Revoked))
}

#[cfg(test)]
mod tests;

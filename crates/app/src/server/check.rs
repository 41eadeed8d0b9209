//! Settings checked without serving: every file that they name is opened as at a start. The secrets they refer to need not be where they are
//! checked, and nothing is connected to or made.

use super::acme::Accounts;
use super::breached::BreachedFile;
use super::certificates::{Expiries, names};
use super::{browsers, certificate_files, client_authorities, front_certificates, places, telemetry, upstreams};
use crate::configuration::Settings;
use crate::server::start;

/// Opens what settings name.
///
/// # Errors
/// What a start would refuse, in the same words.
pub fn check(settings: &Settings) -> anyhow::Result<()> {
    let Settings { gateway, acme, .. } = settings;
    telemetry::filter(&settings.telemetry)?;
    settings.seal_file()?;
    names(settings.public_url.as_deref().unwrap_or("https://localhost"), settings)?;
    places::open(settings.places.as_deref())?;
    start::egress(&settings.outbound)?;
    certificate_files::open(&settings.certificates, &Expiries::default())?;
    if !acme.names.is_empty() {
        Accounts::trust(acme)?;
    }
    settings.passwords.breached.as_deref().map(BreachedFile::open).transpose()?;
    if gateway.enabled {
        front_certificates::read(&gateway.front_certificates)?;
        upstreams::open(gateway)?;
        client_authorities::open(&gateway.client_authorities)?;
        gateway.sessions.iter().enumerate().try_for_each(|(index, session)| browsers::foreign_service(index, session).map(drop))?;
    }
    Ok(())
}

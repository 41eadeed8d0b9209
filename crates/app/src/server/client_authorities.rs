//! Who may vouch for clients at the gateway in this process. What does not read keeps it from starting: nobody is trusted by mistake.

use std::path::Path;

use anyhow::Context as _;
use durward_gateway::{KnownAuthorities, RealmAuthorities};
use durward_pki::ClientAuthorities;

use super::followed::Followed;
use crate::configuration::ClientAuthorities as Settings;

/// Reads the authorities of the settings, and says how to follow them: lists of what was taken back are renewed every few hours.
///
/// # Errors
/// Names the first that cannot be used.
pub fn open(settings: &[Settings]) -> anyhow::Result<(KnownAuthorities, Followed)> {
    let known = KnownAuthorities::default();
    let files = settings.iter().flat_map(|settings| std::iter::once(&settings.roots).chain(&settings.revocation_lists)).cloned().collect();
    let read = {
        let (settings, known) = (settings.to_vec(), known.clone());
        move || {
            let read = |(index, settings)| read(settings).with_context(|| format!("gateway.client_authorities[{index}]"));
            known.replace(settings.iter().enumerate().map(read).collect::<anyhow::Result<_>>()?);
            Ok(())
        }
    };
    Ok((known, Followed::read("authorities for clients", files, read)?))
}

fn read(settings: &Settings) -> anyhow::Result<RealmAuthorities> {
    let file = |path: &Path| std::fs::read(path).with_context(|| format!("the file {} cannot be read", path.display()));
    let roots = String::from_utf8(file(&settings.roots)?).context("roots: not PEM text")?;
    let lists = settings.revocation_lists.iter().map(|path| file(path)).collect::<anyhow::Result<Vec<_>>>()?;
    let authorities = ClientAuthorities::new(&roots, lists.iter().map(Vec::as_slice), settings.trust_domain.clone())?;
    Ok(RealmAuthorities { realm: settings.realm.clone(), authorities })
}

//! Who may vouch for clients at the gateway in this process. What does not read keeps it from starting: nobody is trusted by mistake.

use std::path::Path;

use anyhow::Context as _;
use durward_gateway::RealmAuthorities;
use durward_pki::ClientAuthorities;

use crate::configuration::ClientAuthorities as Settings;

/// Reads the authorities of the settings.
pub fn open(settings: &[Settings]) -> anyhow::Result<Vec<RealmAuthorities>> {
    settings
        .iter()
        .enumerate()
        .map(|(index, settings)| read(settings).with_context(|| format!("gateway.client_authorities[{index}]")))
        .collect()
}

fn read(settings: &Settings) -> anyhow::Result<RealmAuthorities> {
    let file = |path: &Path| std::fs::read(path).with_context(|| format!("the file {} cannot be read", path.display()));
    let roots = String::from_utf8(file(&settings.roots)?).context("roots: not PEM text")?;
    let lists = settings.revocation_lists.iter().map(|path| file(path)).collect::<anyhow::Result<Vec<_>>>()?;
    let authorities = ClientAuthorities::new(&roots, lists.iter().map(Vec::as_slice), settings.trust_domain.clone())?;
    Ok(RealmAuthorities { realm: settings.realm.clone(), authorities })
}

//! What may be built in: no second provider of cryptography, no second client, only licences we can pass on.

use super::Fault;
use super::metadata::{Metadata, Package};

/// Name and reason.
const BANNED: [(&str, &str); 8] = [
    ("openssl-sys", "aws-lc-rs is the one provider of cryptography"),
    ("native-tls", "rustls is the one TLS"),
    ("ring", "aws-lc-rs is the one provider of cryptography"),
    ("rsa", "no patched version exists (RUSTSEC-2023-0071)"),
    ("serde_yaml", "it is no longer kept up; serde-saphyr reads YAML"),
    ("reqwest", "net makes every outbound call"),
    ("sqlx-sqlite", "one crate alone links SQLite"),
    ("libxml", "no XML library in C"),
];

const LICENCES: [&str; 14] = [
    "BlueOak-1.0.0",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "MIT",
    "MIT-0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Zlib",
    "Unicode-3.0",
    "CC0-1.0",
    "BSL-1.0",
    "Unlicense",
    "CDLA-Permissive-2.0",
];

pub fn check() -> anyhow::Result<Vec<Fault>> {
    let metadata = Metadata::read()?;
    Ok(metadata.built_into("durward-app").into_iter().flat_map(faults).collect())
}

fn faults(package: &Package) -> Vec<Fault> {
    let banned = BANNED.iter().filter(|(name, _)| *name == package.name).map(|(name, reason)| format!("{name} is built in: {reason}"));
    let licence = package.license.as_deref().unwrap_or("none");
    let unknown = (!allowed(licence)).then(|| format!("{}: its licence is `{licence}`, which is not on the list", package.name));
    banned.chain(unknown).collect()
}

/// Whether an SPDX expression can be met: of each `OR` one side, of each `AND` both. Slashes are an old spelling of `OR`.
fn allowed(expression: &str) -> bool {
    let expression = expression.replace(['(', ')'], " ").replace('/', " OR ");
    expression.split(" AND ").all(|part| part.split(" OR ").any(|licence| LICENCES.contains(&licence.trim())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_banned_crate_and_an_unknown_licence_are_found() {
        let package = |name: &str, license: &str| Package {
            id: String::new(),
            name: name.to_owned(),
            license: Some(license.to_owned()),
            source: None,
            dependencies: Vec::new(),
        };
        assert_eq!(faults(&package("serde", "MIT OR Apache-2.0")), Vec::<Fault>::new());
        assert_eq!(faults(&package("ring", "Apache-2.0 AND ISC")).len(), 1);
        assert_eq!(faults(&package("other", "AGPL-3.0")).len(), 1);
    }
}

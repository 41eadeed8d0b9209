//! What may be built in: no second provider of cryptography, no second client, only licences we can pass on.

use std::collections::BTreeSet;
use std::process::Command;

use super::Fault;

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
    // What is built in, as cargo resolves features; `cargo metadata` also lists what a feature could bring.
    let arguments = [
        "tree",
        "--locked",
        "--package",
        "durward-app",
        "--edges",
        "normal,build",
        "--prefix",
        "none",
        "--no-dedupe",
        "--format",
        "{p}|{l}",
    ];
    let output = Command::new("cargo").args(arguments).output()?;
    anyhow::ensure!(output.status.success(), "cargo tree: {}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8_lossy(&output.stdout);
    let packages: BTreeSet<&str> = tree.lines().collect();
    Ok(packages.into_iter().flat_map(faults).collect())
}

/// `name v1.2.3|licence`
fn faults(package: &str) -> Vec<Fault> {
    let (package, licence) = package.rsplit_once('|').unwrap_or((package, ""));
    let name = package.split(' ').next().unwrap_or(package);
    let banned = BANNED.iter().filter(|(banned, _)| *banned == name).map(|(_, reason)| format!("{name} is built in: {reason}"));
    let unknown = (!allowed(licence)).then(|| format!("{name}: its licence is `{licence}`, which is not on the list"));
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
        assert_eq!(faults("serde v1.0.0|MIT OR Apache-2.0"), Vec::<Fault>::new());
        assert_eq!(faults("ring v0.17.0|Apache-2.0 AND ISC").len(), 1);
        assert_eq!(faults("other v1.0.0|AGPL-3.0").len(), 1);
    }
}

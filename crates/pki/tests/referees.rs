//! The JDK's keytool and OpenSSL read what we write. A test whose referee is not installed says so and passes.

use std::process::{Command, Output};

use durward_base::{Entropy, EntropyError, Rng, Secret, Timestamp};
use durward_pki::{RootAuthority, SERVER_LIFETIME, TrustBundle, local_names};

const NOW: Timestamp = Timestamp::from_seconds(1_795_348_504);

struct System;

impl Entropy for System {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        aws_lc_rs::rand::fill(bytes).map_err(|_| EntropyError)
    }
}

/// What the referee printed, and whether it was content; nothing when it is not installed.
fn run(program: &str, arguments: &[&str]) -> Option<(bool, String)> {
    match Command::new(program).args(arguments).output() {
        Ok(Output { status, stdout, stderr }) => {
            Some((status.success(), String::from_utf8_lossy(&stdout).into_owned() + &String::from_utf8_lossy(&stderr)))
        }
        Err(error) => {
            println!("skipped: {program}: {error}");
            None
        }
    }
}

#[test]
fn java_trusts_the_roots_of_a_pkcs12_truststore_and_checks_its_password() {
    let rng = Rng::new(System);
    let roots = ["Durward root 1", "Wurzel Nr. 2 ü"].map(|name| RootAuthority::create(name, NOW, &rng).unwrap().certificate().clone());
    let bundle = TrustBundle::new(roots.to_vec()).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let file = format!("{}/trust.p12", directory.path().display());
    std::fs::write(&file, bundle.to_pkcs12(&Secret::new("changeit"), &rng)).unwrap();
    let list = |password| run("keytool", &["-list", "-v", "-keystore", &file, "-storetype", "PKCS12", "-storepass", password]);
    let Some((content, shown)) = list("changeit") else { return };
    assert!(content, "{shown}");
    assert_eq!(shown.matches("Entry type: trustedCertEntry").count(), 2, "{shown}");
    for root in &roots {
        let fingerprint = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, root.der());
        let fingerprint: Vec<String> = fingerprint.as_ref().iter().map(|byte| format!("{byte:02X}")).collect();
        assert!(shown.contains(&fingerprint.join(":")), "{shown}");
    }
    let (content, shown) = list("changeit2").unwrap();
    assert!(!content, "{shown}");
}

#[test]
fn openssl_reads_a_pkcs12_truststore_and_checks_its_mac() {
    let rng = Rng::new(System);
    let root = RootAuthority::create("Durward root", NOW, &rng).unwrap();
    let bundle = TrustBundle::new(vec![root.certificate().clone()]).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let file = format!("{}/trust.p12", directory.path().display());
    std::fs::write(&file, bundle.to_pkcs12(&Secret::new("päss 🔑 word"), &rng)).unwrap();
    let read = |password| run("openssl", &["pkcs12", "-in", &file, "-nokeys", "-passin", password]);
    let Some((content, shown)) = read("pass:päss 🔑 word") else { return };
    assert!(content && shown.contains("friendlyName: 1 durward root") && shown.contains(&root.certificate().to_pem()), "{shown}");
    let (content, shown) = read("pass:wrong").unwrap();
    assert!(!content && shown.contains("Mac verify error"), "{shown}");
}

#[test]
fn openssl_finds_nothing_to_criticise_in_a_chain() {
    let rng = Rng::new(System);
    let root = RootAuthority::create("Durward root", NOW, &rng).unwrap();
    let intermediate = root.issue_intermediate("Durward intermediate", NOW, &rng).unwrap();
    let server = intermediate.issue_server(&local_names(), NOW, SERVER_LIFETIME, &rng).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, certificate: &durward_pki::Certificate| {
        let path = format!("{}/{name}.pem", directory.path().display());
        std::fs::write(&path, certificate.to_pem()).unwrap();
        path
    };
    let [root, intermediate, server] =
        [("root", root.certificate()), ("intermediate", intermediate.certificate()), ("server", &server.certificate)]
            .map(|(name, certificate)| write(name, certificate));
    let now = NOW.seconds().to_string();
    let arguments = ["-x509_strict", "-check_ss_sig", "-purpose", "sslserver", "-verify_hostname", "localhost", "-attime", &now];
    let files = ["-CAfile", &root, "-untrusted", &intermediate, &server];
    let Some((content, shown)) = run("openssl", &[&["verify"][..], &arguments, &files].concat()) else { return };
    assert!(content, "{shown}");
}

//! `client_credentials` over kept-alive TLS, against the bare rate of ES256 signatures of the same library on the same core.

use std::path::Path;
use std::time::{Duration, Instant};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::authority::{self, AUTHORITY, Authority};
use super::report::{Case, Report};
use super::{Plan, load};

/// Runs it.
pub fn run(plan: &Plan) -> anyhow::Result<Report> {
    authority::build()?;
    let directory = tempfile::tempdir()?;
    let durward = Authority::start(directory.path(), Some(Path::new("bench/gateway/resources")))?;
    let url = format!("https://127.0.0.1:{AUTHORITY}/realms/main/oauth2/token");
    let secret = std::fs::read_to_string("bench/gateway/secret")?;
    let basic = STANDARD.encode(format!("bench:{}", secret.trim()));
    let mut report = Report::new("token", "client-credentials-es256");
    let mut rounds = Vec::new();
    for round in 0..=plan.rounds {
        let floor = signatures_per_cpu_second(Duration::from_secs(1))?;
        let ours = load::run(&durward.process, plan.seconds, &["-s", "bench/token/post.lua"], &url, &[&basic, "shop"])?;
        anyhow::ensure!(ours.refused == 0 && ours.requests > 0.0, "{} requests were refused", ours.refused);
        if round > 0 {
            rounds.push((ours.per_cpu_second, floor));
            println!("# round {round}: {:.0} tokens against {floor:.0} signatures per CPU-second", ours.per_cpu_second);
        }
    }
    report.cases.push(Case {
        name: report.headline.clone(),
        peer: "the bare ES256 signing rate".to_owned(),
        unit: "tokens per CPU-second".to_owned(),
        goal: 0.40,
        at_most: false,
        rounds,
    });
    Ok(report)
}

fn signatures_per_cpu_second(time: Duration) -> anyhow::Result<f64> {
    let random = SystemRandom::new();
    let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random)?;
    let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref())?;
    let message = [7_u8; 500];
    let (started, mut count) = (Instant::now(), 0_u32);
    while started.elapsed() < time {
        for _ in 0..100 {
            key.sign(&random, &message)?;
        }
        count += 100;
    }
    Ok(f64::from(count) / started.elapsed().as_secs_f64())
}

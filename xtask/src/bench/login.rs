//! Passwords: logins a CPU-second against the bare rate of argon2id with the same parameters on the same core, and how long others wait
//! meanwhile. The load is the password grant, which is the login page's own check without its pages.

use std::path::Path;

use anyhow::Context as _;
use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::authority::{self, AUTHORITY, Authority};
use super::process::own_cpu_seconds;
use super::report::{Case, Report};
use super::{Plan, load};

/// Logins at a time: none waits for another.
const LOGINS: &str = "-c2";
/// Milliseconds that others may wait longer while passwords are hashed.
const PATIENCE: f64 = 5.0;

/// Runs it.
pub fn run(plan: &Plan) -> anyhow::Result<Report> {
    authority::build(plan)?;
    let directory = tempfile::tempdir()?;
    let durward = Authority::start(plan, directory.path(), Some(Path::new("bench/token/resources.yaml")))?;
    let url = format!("https://localhost:{AUTHORITY}/realms/main/oauth2/token");
    let secret = std::fs::read_to_string("bench/gateway/secret")?.trim().to_owned();
    let write = |name: &str, body: String| {
        let file = directory.path().join(name);
        std::fs::write(&file, body).map(|()| file.to_string_lossy().into_owned())
    };
    let login = write("login", format!("grant_type=password&username=alice&password={secret}\n"))?;
    let other = write("other", "grant_type=client_credentials\n".to_owned())?;
    let basic = STANDARD.encode(format!("program:{secret}"));
    let script = ["-c2", "--latency", "-s", "bench/token/requests.lua"];
    let others = || load::run(&durward.process, plan.seconds, &script, &url, &[&other, &basic]);
    let logins = || load::run(&durward.process, plan.seconds, &[LOGINS, "-s", "bench/token/requests.lua"], &url, &[&login, &basic]);
    let (mut rates, mut waits) = (Vec::new(), Vec::new());
    for round in 0..=plan.rounds {
        let bare = hashes_per_cpu_second()?;
        let alone = logins()?;
        anyhow::ensure!(alone.refused == 0 && alone.requests > 0.0, "{} logins were refused", alone.refused);
        let idle = others()?.p99.context("wrk printed no latencies")?;
        let busy = std::thread::scope(|scope| {
            let beside = scope.spawn(logins);
            let busy = others();
            let beside = beside.join().map_err(|_| anyhow::anyhow!("the load of logins broke off"))?;
            beside.and(busy)
        })?;
        let busy = busy.p99.context("wrk printed no latencies")?;
        println!(
            "# round {round}: {:.1} logins against {bare:.1} hashes per CPU-second; others' p99 {idle:.2} ms idle, {busy:.2} ms beside",
            alone.per_cpu_second
        );
        if round > 0 {
            rates.push((alone.per_cpu_second, bare));
            waits.push((busy, idle + PATIENCE));
        }
    }
    let mut report = Report::new("login", "argon2id");
    report.cases = vec![
        Case {
            name: "argon2id".to_owned(),
            peer: "the bare argon2id rate".to_owned(),
            unit: "logins per CPU-second".to_owned(),
            goal: 0.95,
            at_most: false,
            rounds: rates,
        },
        Case {
            name: "others-p99".to_owned(),
            peer: "idle and 5 ms more".to_owned(),
            unit: "ms".to_owned(),
            goal: 1.0,
            at_most: true,
            rounds: waits,
        },
    ];
    Ok(report)
}

/// 19 MiB, two passes, one lane: what people's passwords are hashed with.
fn hashes_per_cpu_second() -> anyhow::Result<f64> {
    let parameters = Params::new(19_456, 2, 1, None).map_err(|error| anyhow::anyhow!("{error}"))?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters);
    let (started, mut count, mut hash) = (own_cpu_seconds(), 0_u32, [0; 32]);
    while own_cpu_seconds() - started < 1.0 {
        argon2.hash_password_into(b"a password", b"sixteen bytes it", &mut hash).map_err(|error| anyhow::anyhow!("{error}"))?;
        count += 1;
    }
    Ok(f64::from(count) / (own_cpu_seconds() - started))
}

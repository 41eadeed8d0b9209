//! What the work under a request costs by itself, counted like what is measured: signatures made and verified, durable writes.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, UnparsedPublicKey};

use super::process::own_cpu_seconds;

/// Writes that become durable together: as many as there are connections.
const TOGETHER: u32 = 64;

/// What a request cannot do without.
#[derive(Clone, Copy)]
pub struct Work {
    /// ES256 signatures made.
    pub signed: u32,
    /// ES256 signatures verified.
    pub verified: u32,
    /// Durable writes.
    pub written: u32,
}

/// Seconds that one of each takes.
pub struct Floor {
    sign: f64,
    verify: f64,
    write: f64,
}

impl Floor {
    /// Measures it. The file of the writes stands in `directory`.
    pub fn measure(directory: &Path) -> anyhow::Result<Self> {
        let random = SystemRandom::new();
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?;
        let message = [7_u8; 500];
        let signature = key.sign(&random, &message)?;
        let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key.public_key().as_ref());
        let mut file = File::create(directory.join("floor"))?;
        Ok(Self {
            sign: cpu_seconds_each(|| key.sign(&random, &message).map(drop).map_err(Into::into))?,
            verify: cpu_seconds_each(|| public.verify(&message, signature.as_ref()).map_err(Into::into))?,
            write: seconds_each(|| {
                file.write_all(&[7; 4096 * TOGETHER as usize])?;
                Ok(file.sync_data()?)
            })? / f64::from(TOGETHER),
        })
    }

    /// How often a second the work could be done.
    pub fn rate(&self, work: Work) -> f64 {
        let seconds = f64::from(work.signed) * self.sign + f64::from(work.verified) * self.verify + f64::from(work.written) * self.write;
        1.0 / seconds
    }
}

/// CPU seconds that each takes, measured over one.
fn cpu_seconds_each(mut work: impl FnMut() -> anyhow::Result<()>) -> anyhow::Result<f64> {
    let (started, mut count) = (own_cpu_seconds(), 0_u32);
    while own_cpu_seconds() - started < 1.0 {
        for _ in 0..100 {
            work()?;
        }
        count += 100;
    }
    Ok((own_cpu_seconds() - started) / f64::from(count))
}

/// Seconds that each takes, of which most is waiting.
fn seconds_each(mut work: impl FnMut() -> anyhow::Result<()>) -> anyhow::Result<f64> {
    let (started, mut count) = (Instant::now(), 0_u32);
    while started.elapsed() < Duration::from_millis(500) {
        work()?;
        count += 1;
    }
    Ok(started.elapsed().as_secs_f64() / f64::from(count))
}

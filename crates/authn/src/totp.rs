//! RFC 6238: TOTP, the second factor that people carry in an app of theirs; its numbers are RFC 4226's.

use aws_lc_rs::hmac;
use durward_base::{Duration, Rng, Secret, SecretBytes, Timestamp};

#[cfg(test)]
mod tests;

/// How many steps of 30 seconds had passed since 1970.
pub type Step = u64;

/// What the app and we share.
#[derive(Debug)]
pub struct TotpSecret(SecretBytes);

/// The six digits that a person typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TotpCode(u32);

/// Why a code proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TotpError {
    /// Anything but six digits.
    #[error("a code has {DIGITS} digits, 0 to 9")]
    Malformed,
    /// It is no code of this moment.
    #[error("the code is not the one of this moment")]
    Wrong,
    /// It was good, and has been used, or one after it has.
    #[error("the code was used before: wait for the next one")]
    Used,
}

impl TotpSecret {
    /// A new one. RFC 4226 section 4, R6: "This document RECOMMENDs a shared secret length of 160 bits."
    pub fn generate(rng: &Rng) -> Self {
        Self::from_bytes(rng.bytes::<20>())
    }

    /// One that was made before.
    pub fn from_bytes(bytes: impl Into<Vec<u8>>) -> Self {
        Self(SecretBytes::new(bytes))
    }

    /// One that a page shows, as [`Self::to_text`] writes it. None for what is none.
    pub fn from_text(text: &str) -> Option<Self> {
        let letters = text.bytes().filter(|letter| *letter != b' ').take(MAX_LETTERS);
        let (mut bytes, mut held, mut bits) = (Vec::new(), 0_u32, 0_u32);
        for letter in letters {
            let value = ALPHABET.iter().position(|known| *known == letter)?;
            held = held << 5 | u32::try_from(value).ok()?;
            bits += 5;
            if bits >= 8 {
                bits -= 8;
                bytes.push(u8::try_from(held >> bits & 0xff).ok()?);
            }
        }
        (!bytes.is_empty()).then(|| Self::from_bytes(bytes))
    }

    /// Its bytes, to be sealed.
    pub fn expose(&self) -> &[u8] {
        self.0.expose()
    }

    /// As people type it, who cannot scan: base32 (RFC 4648 section 6) in groups of four.
    pub fn to_text(&self) -> Secret {
        let text = base32(self.expose());
        let groups: Vec<&str> = text.as_bytes().chunks(4).filter_map(|group| std::str::from_utf8(group).ok()).collect();
        Secret::new(groups.join(" "))
    }

    /// As apps scan it: an `otpauth` address with the name of whose login it is, and where.
    pub fn to_uri(&self, issuer: &str, username: &str) -> Secret {
        let (issuer, username, secret) = (escaped(issuer), escaped(username), base32(self.expose()));
        Secret::new(format!("otpauth://totp/{issuer}:{username}?secret={secret}&issuer={issuer}"))
    }

    /// The code of a step.
    pub fn code(&self, step: Step) -> TotpCode {
        // RFC 4226 5.2: "HOTP(K,C) = Truncate(HMAC-SHA-1(K,C))".
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, self.expose());
        let mac = hmac::sign(&key, &step.to_be_bytes());
        // 5.3: "Let OffsetBits be the low-order 4 bits of String[19]", and four bytes from there without their first bit.
        let offset = mac.as_ref().last().map_or(0, |last| usize::from(last & 0xf));
        let four = mac.as_ref().get(offset..).and_then(|rest| rest.first_chunk()).copied().unwrap_or_default();
        TotpCode((u32::from_be_bytes(four) & 0x7fff_ffff) % 10_u32.pow(DIGITS))
    }

    /// The step whose code this is, to be written down as used. `used` is the last step whose code was.
    ///
    /// # Errors
    /// `Wrong`, `Used`.
    pub fn step_of(&self, code: TotpCode, used: Option<Step>, now: Timestamp) -> Result<Step, TotpError> {
        let present = step_at(now);
        // RFC 6238 5.2: "We RECOMMEND that at most one time step is allowed as the network delay." A clock may be as far ahead.
        let near = [present, present.saturating_sub(1), present.saturating_add(1)];
        let matching: Vec<Step> = near.into_iter().filter(|step| self.code(*step) == code).collect();
        // 5.2: "The verifier MUST NOT accept the second attempt of the OTP after the successful validation has been issued for the first OTP".
        let unused = matching.iter().find(|step| used.is_none_or(|used| **step > used)).copied();
        unused.ok_or(if matching.is_empty() { TotpError::Wrong } else { TotpError::Used })
    }
}

impl TotpCode {
    /// Reads what was typed; apps show a space in the middle, and people type it.
    ///
    /// # Errors
    /// `Malformed` for anything but six ASCII digits.
    pub fn parse(typed: &str) -> Result<Self, TotpError> {
        let digits: String = typed.chars().take(MAX_TYPED).filter(|character| *character != ' ').collect();
        let is_code = digits.len() == DIGITS as usize && digits.bytes().all(|byte| byte.is_ascii_digit()) && typed.len() < MAX_TYPED;
        digits.parse().ok().filter(|_| is_code).map(Self).ok_or(TotpError::Malformed)
    }
}

impl std::fmt::Display for TotpCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:06}", self.0)
    }
}

/// The step of a moment.
pub fn step_at(now: Timestamp) -> Step {
    Step::try_from(now.seconds()).unwrap_or_default() / STEP.as_secs()
}

fn base32(bytes: &[u8]) -> String {
    let bits = |chunk: &[u8]| chunk.iter().chain(std::iter::repeat(&0)).take(5).fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
    let letter = |bits: u64, at: usize| ALPHABET.get(usize::try_from(bits >> (35 - 5 * at) & 31).unwrap_or_default()).copied();
    let letters = |chunk: &[u8]| {
        let bits = bits(chunk);
        (0..(chunk.len() * 8).div_ceil(5)).filter_map(move |at| letter(bits, at)).map(char::from).collect::<String>()
    };
    bytes.chunks(5).map(letters).collect()
}

/// RFC 3986 section 2.1: all but the unreserved characters in percent encoding.
fn escaped(text: &str) -> String {
    let one = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(one).collect()
}

const STEP: Duration = Duration::from_secs(30);
const DIGITS: u32 = 6;
const MAX_TYPED: usize = 32;
const MAX_LETTERS: usize = 128;
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

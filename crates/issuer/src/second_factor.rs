//! The second factor at a login: whether a person has one, and proving it, by a code of their app or by one from their paper.

use std::net::{IpAddr, Ipv4Addr};

use durward_authn::{Account, RecoveryCode, TotpCode, TotpError, TotpSecret, Username, Verdict, assurance};
use durward_base::PersonId;
use durward_model::{Assurance, Person, Write};
use durward_oauth::Registry as _;
use durward_oauth::acr::Level;
use durward_seal::Context;
use durward_store::StoreError;

use crate::call::Call;
use crate::proof::Unproven;
use crate::sso::LiveLogin;

/// What somebody typed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Typed<'a> {
    /// A code of their app.
    Totp(&'a str),
    /// A recovery code.
    Recovery(&'a str),
}

/// A code that is right, and counts once its write is committed.
#[derive(Debug)]
pub(crate) struct Proof {
    /// What the login is worth with it.
    pub assurance: Assurance,
    /// Uses the code up: where it misses, somebody else has.
    pub spend: Write,
    attempt: Attempt,
}

/// A guess that was counted.
#[derive(Debug)]
struct Attempt {
    account: Account,
    address: IpAddr,
}

/// Whether the person has a second factor.
///
/// # Errors
/// When the store cannot be read.
pub(crate) async fn is_set_up(call: &Call, person: PersonId) -> Result<bool, StoreError> {
    Ok(call.issuer.store().totp(call.realm.name(), person).await?.is_some())
}

/// How strongly the person of a login could log in, where a request wants more than the login is worth: with the second factor they have, or
/// one that they may set up now. Whoever has come with a recovery code has none at hand.
///
/// # Errors
/// When the store cannot be read.
pub(crate) async fn strongest(call: &Call, login: &LiveLogin, wanted: Option<Level>) -> Result<Level, StoreError> {
    let had = login.level().unwrap_or(Level::Password);
    if wanted.is_none_or(|wanted| wanted <= had) || assurance::is_recovery(&login.session.assurance) {
        return Ok(had);
    }
    let may = is_set_up(call, login.person.id).await? || assurance::may_change_factors(&login.session.assurance, false, call.now);
    Ok(if may { Level::MultiFactor } else { had })
}

/// Checks a code. Guesses of both kinds are counted together, whoever's login it is.
///
/// # Errors
/// Why it proves nothing.
pub(crate) async fn prove(call: &Call, person: &Person, typed: Typed<'_>) -> Result<Proof, Unproven> {
    match typed {
        Typed::Totp(typed) => {
            let code = TotpCode::parse(typed).map_err(|_| Unproven::WrongCode("login.code_malformed"))?;
            by_totp(call, person, code, Attempt::count(call, person)?).await
        }
        Typed::Recovery(typed) => {
            let code = RecoveryCode::parse(typed).ok_or(Unproven::WrongCode("login.recovery_code_malformed"))?;
            let attempt = Attempt::count(call, person)?;
            let hash = call.issuer.hasher.hash_recovery_code(call.realm.id(), person.id, code.canonical());
            let spend = Write::SpendRecoveryCode { realm: call.realm.name().to_owned(), person: person.id, hash };
            Ok(Proof { assurance: assurance::by_recovery_code(call.now), spend, attempt })
        }
    }
}

async fn by_totp(call: &Call, person: &Person, code: TotpCode, attempt: Attempt) -> Result<Proof, Unproven> {
    let unavailable = |attempt: &Attempt| {
        attempt.abandoned(call);
        Unproven::Unavailable
    };
    let totp = call.issuer.store().totp(call.realm.name(), person.id).await.map_err(|_| unavailable(&attempt))?;
    let totp = totp.ok_or(Unproven::WrongCode("login.no_second_factor"))?;
    let secret = open(call, person.id, &totp.sealed).ok_or_else(|| unavailable(&attempt))?;
    let step = secret.step_of(code, Some(totp.used), call.now).map_err(|error| match error {
        TotpError::Used => Unproven::WrongCode("login.code_used"),
        TotpError::Malformed | TotpError::Wrong => Unproven::WrongCode("login.code_wrong"),
    })?;
    let spend = Write::SpendTotp { realm: call.realm.name().to_owned(), person: person.id, step };
    Ok(Proof { assurance: assurance::by_totp(call.now), spend, attempt })
}

/// A secret as it is stored: for this person alone.
pub(crate) fn seal(call: &Call, person: PersonId, secret: &TotpSecret) -> Vec<u8> {
    call.issuer.fields.seal(&context(call, person), secret.expose(), call.issuer.rng())
}

fn open(call: &Call, person: PersonId, sealed: &[u8]) -> Option<TotpSecret> {
    match call.issuer.fields.open(&context(call, person), sealed) {
        Ok(bytes) => Some(TotpSecret::from_bytes(bytes.expose())),
        Err(error) => {
            tracing::error!(%person, %error, "a stored second factor does not open");
            None
        }
    }
}

fn context(call: &Call, person: PersonId) -> Context {
    Context::new("durward totp 1").with(call.realm.id().to_bytes()).with(person.to_bytes())
}

impl Proof {
    /// It was committed: the guess was none.
    pub(crate) fn succeeded(&self, call: &Call) {
        call.issuer.code_throttle().succeeded(&self.attempt.account, self.attempt.address);
    }

    /// It is not known whether it was: the guess does not count.
    pub(crate) fn abandoned(&self, call: &Call) {
        self.attempt.abandoned(call);
    }
}

impl Attempt {
    fn count(call: &Call, person: &Person) -> Result<Self, Unproven> {
        let username = Username::parse(&person.username).map_err(|_| Unproven::WrongCode("login.username_malformed"))?;
        let attempt = Self {
            account: Account::new(call.realm.name(), username),
            address: call.address().unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
        };
        match call.issuer.code_throttle().attempt(call.now, &attempt.account, attempt.address) {
            Verdict::Allowed => Ok(attempt),
            Verdict::Wait(wait) => Err(Unproven::Throttled(wait)),
        }
    }

    fn abandoned(&self, call: &Call) {
        call.issuer.code_throttle().abandoned(&self.account, self.address);
    }
}

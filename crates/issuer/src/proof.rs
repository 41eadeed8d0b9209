//! Proving who one is by username and password: count, load, hash, compare; the same work whether there is such a person or not.

use std::net::{IpAddr, Ipv4Addr};

use durward_authn::{Account, Username, Verdict, password};
use durward_base::{Duration, Secret, Timestamp};
use durward_model::Person;
use http::StatusCode;

use crate::answer::seconds;
use crate::call::Call;
use crate::issuer::Inner;

/// Why somebody is not logged in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unproven {
    /// Name or password is wrong, or the person may not log in: which of them is for the record.
    Wrong(&'static str),
    /// The second factor's code is wrong, or was used before.
    WrongCode(&'static str),
    /// Too many guesses.
    Throttled(Duration),
    /// Too many people at once.
    Busy(Duration),
    /// The store cannot be reached.
    Unavailable,
}

/// Somebody who says who they are: guesses are counted together, whichever way they come.
#[derive(Clone, Copy)]
pub(crate) struct Guess<'a> {
    /// What all endpoints share.
    pub issuer: &'a Inner,
    /// The realm's name.
    pub realm: &'a str,
    /// Where from.
    pub address: Option<IpAddr>,
    /// When.
    pub now: Timestamp,
}

impl<'a> From<&'a Call> for Guess<'a> {
    fn from(call: &'a Call) -> Self {
        Self { issuer: &call.issuer, realm: call.realm.name(), address: call.address(), now: call.now }
    }
}

/// The person whose password this is.
///
/// # Errors
/// Why not.
pub(crate) async fn by_password(guess: &Guess<'_>, typed: &str, password: Secret) -> Result<Person, Unproven> {
    let Guess { issuer, realm, now, .. } = *guess;
    let username = Username::parse(typed).map_err(|_| Unproven::Wrong("login.username_malformed"))?;
    let account = Account::new(realm, username.clone());
    let address = guess.address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    if let Verdict::Wait(wait) = issuer.throttle().attempt(now, &account, address) {
        return Err(Unproven::Throttled(wait));
    }
    let abandoned = |why| {
        issuer.throttle().abandoned(&account, address);
        why
    };
    let found = issuer.store().person_by_username(realm, username.as_str()).await;
    let found = found.map_err(|_| abandoned(Unproven::Unavailable))?;
    let stored = found.as_ref().and_then(|found| found.password_hash.clone());
    let has_password = stored.is_some();
    let stored = stored.unwrap_or_else(|| Secret::new(password::dummy_hash()));
    let verified = issuer.settings.hashing.run(move || password::verify(&password, stored.expose())).await;
    let verified = verified.map_err(|busy| abandoned(Unproven::Busy(busy.retry_after)))?;
    let person = found.map(|found| found.person).ok_or(Unproven::Wrong("login.person_unknown"))?;
    match verified {
        Ok(true) if has_password && !person.disabled => {
            issuer.throttle().succeeded(&account, address);
            Ok(person)
        }
        Ok(true) if has_password => Err(Unproven::Wrong("login.person_disabled")),
        Ok(_) => Err(Unproven::Wrong("login.password_wrong")),
        Err(error) => {
            tracing::error!(person = %person.id, %error, "a stored password hash is unusable");
            Err(Unproven::Wrong("login.hash_unusable"))
        }
    }
}

impl Unproven {
    /// The stable reason for the record.
    pub(crate) const fn reason(&self) -> &'static str {
        match self {
            Self::Wrong(reason) | Self::WrongCode(reason) => reason,
            Self::Throttled(_) => "login.throttled",
            Self::Busy(_) => "login.busy",
            Self::Unavailable => "store_unavailable",
        }
    }

    /// The status.
    pub(crate) const fn status(&self) -> StatusCode {
        match self {
            Self::Wrong(_) | Self::WrongCode(_) => StatusCode::FORBIDDEN,
            Self::Throttled(_) | Self::Busy(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// How long to wait before trying again.
    pub(crate) const fn wait(&self) -> Option<Duration> {
        match self {
            Self::Throttled(wait) | Self::Busy(wait) => Some(*wait),
            Self::Wrong(_) | Self::WrongCode(_) | Self::Unavailable => None,
        }
    }

    /// What the person reads.
    pub(crate) fn sentence(&self) -> String {
        match self {
            Self::Wrong(_) => "The username or the password is not right. Check both and try again.".to_owned(),
            Self::WrongCode(_) => {
                "The code is not right, or was used before. Check it, or wait for the next one, and try again.".to_owned()
            }
            Self::Throttled(wait) => format!("There were too many attempts. Wait {} and try again.", words(*wait)),
            Self::Busy(wait) => format!("Many people are signing in at this moment. Wait {} and try again.", words(*wait)),
            Self::Unavailable => "Signing in is not possible at the moment.".to_owned(),
        }
    }
}

/// A time to wait, never told too short.
fn words(wait: Duration) -> String {
    match seconds(wait) {
        0 | 1 => "a second".to_owned(),
        seconds @ 2..=90 => format!("{seconds} seconds"),
        seconds => format!("{} minutes", seconds.div_ceil(60)),
    }
}

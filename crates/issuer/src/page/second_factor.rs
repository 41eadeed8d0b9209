//! The pages of the second factor: typing a code at login, setting an app up, and what is kept for when it is lost.

use askama::Template;

use super::{Frame, Navigation, QrCode};

/// Where people type the code of their app, or one from their paper.
#[derive(Debug, Template)]
#[template(path = "login_totp.html")]
pub(crate) struct LoginTotp<'a> {
    pub frame: Frame,
    pub destination: &'a str,
    pub action: String,
    pub transaction: &'a str,
    /// Whether it is the paper that they type from.
    pub recovery: bool,
    /// The page for the other one.
    pub other: String,
    pub error: Option<String>,
}

/// A second factor that is set up.
#[derive(Debug, Template)]
#[template(path = "totp.html")]
pub(crate) struct Totp<'a> {
    pub frame: Frame,
    pub navigation: Navigation,
    pub since: String,
    pub recovery_codes: u32,
    pub action: String,
    pub transaction: &'a str,
}

/// Setting one up.
#[derive(Debug, Template)]
#[template(path = "totp_enrol.html")]
pub(crate) struct TotpEnrol<'a> {
    pub frame: Frame,
    pub navigation: Navigation,
    pub qr: QrCode,
    /// What the QR code says, for an app on the device that shows this page.
    pub uri: &'a str,
    /// The secret, for whoever cannot scan.
    pub secret: &'a str,
    pub action: String,
    pub transaction: &'a str,
    /// Seals where to go on afterwards.
    pub onward: Option<&'a str>,
    pub error: Option<String>,
}

/// The recovery codes, the one time they are shown.
#[derive(Debug, Template)]
#[template(path = "recovery_codes.html")]
pub(crate) struct RecoveryCodes {
    pub frame: Frame,
    pub navigation: Navigation,
    pub codes: Vec<String>,
    /// Whether the second factor was set up just now.
    pub enrolled: bool,
    pub onward: String,
}

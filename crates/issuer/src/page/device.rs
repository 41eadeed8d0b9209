//! The pages of the device grant.

use askama::Template;

use super::Frame;
use super::scopes::ScopeRow;

/// Where people type the code that a device shows.
#[derive(Debug, Template)]
#[template(path = "device.html")]
pub(crate) struct DeviceEntry<'a> {
    pub frame: Frame,
    pub username: &'a str,
    pub code: &'a str,
    pub error: Option<&'static str>,
    pub action: String,
    pub transaction: &'a str,
}

/// What asks, from where, and for what.
#[derive(Debug, Template)]
#[template(path = "device_confirm.html")]
pub(crate) struct DeviceConfirm<'a> {
    pub frame: Frame,
    pub client: &'a str,
    pub username: &'a str,
    pub code: String,
    pub address: Option<&'a str>,
    pub since: String,
    pub scopes: Vec<ScopeRow>,
    pub action: String,
    pub transaction: &'a str,
}

/// The device knows by now.
#[derive(Debug, Template)]
#[template(path = "device_answered.html")]
pub(crate) struct DeviceAnswered<'a> {
    pub frame: Frame,
    pub client: &'a str,
    pub allowed: bool,
}

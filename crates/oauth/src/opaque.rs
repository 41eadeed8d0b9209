//! The texts of long-lived opaque credentials: a handle (`durward_seal::HandleKeys`), an underscore, and a checksum over the handle.

use durward_base::Secret;
use durward_seal::checksum;

/// The text of a credential, to be shown once.
pub(crate) fn text(handle: &Secret) -> Secret {
    Secret::new(format!("{}_{}", handle.expose(), checksum(handle.expose())))
}

/// The handle before the checksum, when the checksum is right: all that can be said of a text without a key.
pub(crate) fn handle(text: &str) -> Option<&str> {
    let (handle, sum) = text.split_at_checked(text.len().checked_sub(CHECKSUM_LENGTH)?)?;
    (sum.strip_prefix('_') == Some(checksum(handle).as_str())).then_some(handle)
}

/// An underscore and six characters.
const CHECKSUM_LENGTH: usize = 7;

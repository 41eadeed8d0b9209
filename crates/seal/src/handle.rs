//! Opaque handles that prove themselves: what is forged or mangled is refused before anything is looked up.

use aws_lc_rs::hmac;
use durward_base::{RealmId, Secret, base64url, equal};

use crate::{Context, Purpose, RootKey};

#[cfg(test)]
mod tests;

/// What a handle stands for. A handle of one kind is never read as another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HandleKind {
    /// A refresh token: a family and its generation.
    RefreshToken,
    /// A device that waits for a person's answer (RFC 8628).
    DeviceCode,
    /// A person's answer that a client waits for (OpenID Connect CIBA).
    AuthReqId,
    /// A personal access token.
    PersonalToken,
    /// An API key.
    ApiKey,
    /// An initial access token (RFC 7591 section 1.2).
    InitialAccess,
    /// A registration access token (RFC 7592 section 1.2): a client and how often it was given a new one.
    Registration,
}

/// A handle that was verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Handle {
    kind: HandleKind,
    realm: RealmId,
    id: [u8; 16],
    generation: u32,
}

/// Why a text is no handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HandleError {
    /// The text has another form, or is a handle of another kind.
    #[error("not a handle of this kind")]
    Malformed,
    /// The form is right; it was not minted here, or for another kind or realm.
    #[error("the handle is not authentic for this kind and realm")]
    NotAuthentic,
}

/// Mints and reads handles.
pub struct HandleKeys(hmac::Key);

impl HandleKeys {
    /// The keys of this installation.
    pub fn from_root(root: &RootKey) -> Self {
        Self(root.derive(Purpose::Mac, None).mac())
    }

    /// The text of a handle: `dw_rt_` or the like, and base64url of version, cell, id, generation and MAC.
    pub fn mint(&self, kind: HandleKind, realm: RealmId, id: [u8; 16], generation: u32) -> Secret {
        let body = [&HEADER[..], &id, &generation.to_be_bytes()].concat();
        let mac = self.mac(kind, realm, &body);
        Secret::new(format!("{}{}", kind.prefix(), base64url::encode(&[&body[..], &mac].concat())))
    }

    /// Reads and verifies the text of a handle.
    ///
    /// # Errors
    /// `Malformed`, `NotAuthentic`.
    pub fn read(&self, kind: HandleKind, realm: RealmId, text: &str) -> Result<Handle, HandleError> {
        let encoded = text.strip_prefix(kind.prefix()).filter(|encoded| encoded.len() == ENCODED_LENGTH).ok_or(HandleError::Malformed)?;
        let bytes = base64url::decode(encoded).ok_or(HandleError::Malformed)?;
        let (body, mac) = bytes.split_last_chunk::<MAC_LENGTH>().ok_or(HandleError::Malformed)?;
        if !equal(mac, &self.mac(kind, realm, body)) {
            return Err(HandleError::NotAuthentic);
        }
        let body = body.strip_prefix(&HEADER).ok_or(HandleError::Malformed)?;
        let (id, generation) = body.split_first_chunk().ok_or(HandleError::Malformed)?;
        let generation = generation.try_into().map_err(|_| HandleError::Malformed)?;
        Ok(Handle { kind, realm, id: *id, generation: u32::from_be_bytes(generation) })
    }

    /// HMAC-SHA-256, cut to 16 bytes.
    fn mac(&self, kind: HandleKind, realm: RealmId, body: &[u8]) -> [u8; MAC_LENGTH] {
        let context = Context::new("durward handle 1").with(kind.prefix()).with(realm.to_bytes()).with(body);
        let mut mac = [0; MAC_LENGTH];
        mac.iter_mut().zip(hmac::sign(&self.0, context.as_bytes()).as_ref()).for_each(|(to, from)| *to = *from);
        mac
    }
}

impl Handle {
    /// What it stands for.
    pub const fn kind(&self) -> HandleKind {
        self.kind
    }

    /// The realm it was minted in.
    pub const fn realm(&self) -> RealmId {
        self.realm
    }

    /// The id of the row behind it.
    pub const fn id(&self) -> [u8; 16] {
        self.id
    }

    /// Which of the successive handles of that row this is.
    pub const fn generation(&self) -> u32 {
        self.generation
    }
}

impl HandleKind {
    const fn prefix(self) -> &'static str {
        match self {
            Self::RefreshToken => "dw_rt_",
            Self::DeviceCode => "dw_dc_",
            Self::AuthReqId => "dw_ar_",
            Self::PersonalToken => "dw_pat_",
            Self::ApiKey => "dw_key_",
            Self::InitialAccess => "dw_iat_",
            Self::Registration => "dw_reg_",
        }
    }
}

/// Version 1, and the cell: a hint of two bytes, zero as long as there is one.
const HEADER: [u8; 3] = [1, 0, 0];
const MAC_LENGTH: usize = 16;
/// Of 3 + 16 + 4 + 16 bytes, which fill base64url's characters to the last bit.
const ENCODED_LENGTH: usize = 52;

//! RFC 7636: Proof Key for Code Exchange.

use aws_lc_rs::digest;
use durward_base::{base64url, equal};
use durward_model::resource::{Client, ClientAuthentication, Realm};
use minicbor::{Decode, Encode};

use crate::error::OAuthError;
use crate::parameters::Parameters;
use crate::scope::asks_for_openid;

/// A code challenge of method `S256`: the SHA-256 of the verifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct CodeChallenge(#[cbor(n(0), with = "minicbor::bytes")] [u8; 32]);

impl CodeChallenge {
    /// Reads `code_challenge` and `code_challenge_method` of an authorization request. Every client must send them, but where its realm lets it
    /// leave them out.
    ///
    /// # Errors
    /// `invalid_request`.
    pub(crate) fn read_for(client: &Client, realm: &Realm, parameters: &Parameters) -> Result<Option<Self>, OAuthError> {
        let absent = ["code_challenge", "code_challenge_method"].into_iter().all(|name| parameters.get(name).is_none());
        // RFC 9700 2.1.1: "Public clients MUST use PKCE [RFC7636] to this end [...]. For confidential clients, the use of PKCE [RFC7636] is
        // RECOMMENDED".
        let authenticates = client.authentication != ClientAuthentication::None;
        let optional = realm.code_challenge_optional && authenticates && client.profile.is_none() && asks_for_openid(parameters);
        if absent && optional { Ok(None) } else { Self::read(parameters).map(Some) }
    }

    /// Reads them where they must be there.
    ///
    /// # Errors
    /// `invalid_request`.
    pub fn read(parameters: &Parameters) -> Result<Self, OAuthError> {
        // RFC 7636 4.4.1: "If the server requires Proof Key for Code Exchange (PKCE) by OAuth public clients and the client does not send
        // the "code_challenge" in the request, the authorization endpoint MUST return the authorization error response with the "error"
        // value set to "invalid_request"."
        let challenge = parameters.required("code_challenge", REQUIRED)?;
        // RFC 7636 4.2: "If the client is capable of using "S256", it MUST use "S256"". `plain`, which is also what absence means, is
        // refused.
        if parameters.get("code_challenge_method") != Some("S256") {
            return Err(OAuthError::invalid_request("pkce.method", "code_challenge_method must be S256"));
        }
        let digest = base64url::decode(challenge).and_then(|bytes| bytes.try_into().ok());
        digest
            .map(Self)
            .ok_or(OAuthError::invalid_request("pkce.malformed", "code_challenge must be the base64url of a SHA-256, 43 characters"))
    }

    /// Whether `verifier` is well-formed and its hash is this challenge.
    pub fn verify(&self, verifier: &str) -> bool {
        // RFC 7636 4.1: "code-verifier = 43*128unreserved".
        let well_formed = (43..=128).contains(&verifier.len())
            && verifier.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~'));
        // RFC 7636 4.6: "BASE64URL-ENCODE(SHA256(ASCII(code_verifier))) == code_challenge".
        well_formed && equal(digest::digest(&digest::SHA256, verifier.as_bytes()).as_ref(), &self.0)
    }
}

const REQUIRED: OAuthError = OAuthError::invalid_request("pkce.missing", "code_challenge is required (PKCE, method S256)");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_appendix_b_verifies() {
        let query = b"code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";
        let challenge = CodeChallenge::read(&Parameters::parse(&[query]).unwrap()).unwrap();
        assert!(challenge.verify("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"));
        assert!(!challenge.verify("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXK"));
        assert!(!challenge.verify("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"), "the challenge itself is no verifier");
    }
}

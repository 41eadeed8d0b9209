//! RFC 7292: PKCS #12, as a truststore: certificates in the clear under a MAC.

use aws_lc_rs::{digest, hmac};
use durward_base::Secret;
use zeroize::Zeroizing;

use crate::Certificate;
use crate::der::{bmp_string, explicit_0, integer, null, object_identifier, octet_string, sequence, set_of};

/// A PFX of `roots`, each marked as trusted in the way Java asks for.
pub(crate) fn truststore(roots: &[Certificate], password: &Secret, salt: &[u8; 16]) -> Vec<u8> {
    let bags: Vec<_> = (1..).zip(roots).map(|(number, root)| certificate_bag(number, root)).collect();
    let authenticated_safe = sequence(&[data(&sequence(&bags))]);
    let mac_key = hmac::Key::new(hmac::HMAC_SHA256, &*mac_key(password, salt, ITERATIONS));
    let mac = hmac::sign(&mac_key, &authenticated_safe);
    let digest_info = sequence(&[sequence(&[object_identifier(SHA_256), null()]), octet_string(mac.as_ref())]);
    let mac_data = sequence(&[digest_info, octet_string(salt), integer(ITERATIONS)]);
    sequence(&[integer(3), data(&authenticated_safe), mac_data])
}

/// A `ContentInfo` of type `data`.
fn data(content: &[u8]) -> Vec<u8> {
    sequence(&[object_identifier(PKCS7_DATA), explicit_0(&octet_string(content))])
}

fn certificate_bag(number: usize, root: &Certificate) -> Vec<u8> {
    let certificate = sequence(&[object_identifier(X509_CERTIFICATE), explicit_0(&octet_string(root.der()))]);
    let alias = format!("{number} {}", root.common_name().unwrap_or("root")).to_lowercase();
    let friendly_name = sequence(&[object_identifier(FRIENDLY_NAME), set_of(vec![bmp_string(&alias)])]);
    // Java takes a certificate without a key for trusted only when it bears this attribute.
    let trusted_for = sequence(&[object_identifier(TRUSTED_KEY_USAGE), set_of(vec![object_identifier(ANY_EXTENDED_KEY_USAGE)])]);
    sequence(&[object_identifier(CERTIFICATE_BAG), explicit_0(&certificate), set_of(vec![friendly_name, trusted_for])])
}

/// RFC 7292 appendix B.2 with SHA-256 and ID 3 (key for a MAC). A key of 32 bytes is one block, so there is no second round.
fn mac_key(password: &Secret, salt: &[u8], iterations: u32) -> Zeroizing<[u8; 32]> {
    // Appendix B.1: a BMPString "with two additional bytes 0x00 0x00 at its end".
    let password: Zeroizing<Vec<u8>> = Zeroizing::new(password.expose().encode_utf16().chain([0]).flat_map(u16::to_be_bytes).collect());
    let fill = |bytes: &[u8]| -> Zeroizing<Vec<u8>> {
        Zeroizing::new(bytes.iter().copied().cycle().take(bytes.len().next_multiple_of(BLOCK)).collect())
    };
    let mut block = digest::Context::new(&digest::SHA256);
    for part in [&[3; BLOCK][..], &fill(salt), &fill(&password)] {
        block.update(part);
    }
    let mut key = Zeroizing::new([0; 32]);
    key.copy_from_slice(block.finish().as_ref());
    for _ in 1..iterations {
        let next = digest::digest(&digest::SHA256, &*key);
        key.copy_from_slice(next.as_ref());
    }
    key
}

/// SHA-256's block, in bytes.
const BLOCK: usize = 64;
/// What the JDK itself writes.
const ITERATIONS: u32 = 10_000;

const PKCS7_DATA: &[u32] = &[1, 2, 840, 113_549, 1, 7, 1];
const CERTIFICATE_BAG: &[u32] = &[1, 2, 840, 113_549, 1, 12, 10, 1, 3];
const X509_CERTIFICATE: &[u32] = &[1, 2, 840, 113_549, 1, 9, 22, 1];
const FRIENDLY_NAME: &[u32] = &[1, 2, 840, 113_549, 1, 9, 20];
const TRUSTED_KEY_USAGE: &[u32] = &[2, 16, 840, 1, 113_894, 746_875, 1, 1];
const ANY_EXTENDED_KEY_USAGE: &[u32] = &[2, 5, 29, 37, 0];
const SHA_256: &[u32] = &[2, 16, 840, 1, 101, 3, 4, 2, 1];

#[cfg(test)]
mod tests {
    use super::*;

    /// The answer of OpenSSL 3's `kdf … PKCS12KDF` to the same question.
    #[test]
    fn the_mac_key_is_the_one_of_rfc_7292() {
        let salt: Vec<u8> = (0..16).collect();
        let key = mac_key(&Secret::new("changeit"), &salt, 10_000);
        assert_eq!(hex::encode(*key), "04f324108fb2ac9a77729c84bc77f98f6be093b823aad9102bd78e1d00cafb9c");
    }
}

//! RFC 7518 section 6 and RFC 8037 section 2: the members of public keys, decoded and of exactly the right size.

use durward_base::base64url;

use crate::{JoseError, Jwk, rsa};

/// RFC 7518 section 6.2.1: both coordinates, each of the full size of the curve's field, as an uncompressed point (SEC 1 section 2.3.3).
pub(crate) fn point(jwk: &Jwk, size: usize) -> Result<Vec<u8>, JoseError> {
    let expected = "a coordinate of the curve's full size, in base64url";
    let mut uncompressed = vec![4];
    for (member, text) in [("x", &jwk.x), ("y", &jwk.y)] {
        let coordinate = decode(text, size).filter(|bytes| bytes.len() == size);
        uncompressed.extend(coordinate.ok_or(JoseError::KeyMember { member, expected })?);
    }
    Ok(uncompressed)
}

/// RFC 8037 section 2: the public key of Ed25519 or X25519.
pub(crate) fn octets(jwk: &Jwk) -> Result<Vec<u8>, JoseError> {
    let wrong = JoseError::KeyMember { member: "x", expected: "32 bytes in base64url" };
    decode(&jwk.x, 32).filter(|bytes| bytes.len() == 32).ok_or(wrong)
}

/// RFC 7518 section 6.3.1: modulus and exponent of a key that is not weak.
pub(crate) fn modulus_and_exponent(jwk: &Jwk) -> Result<(Vec<u8>, Vec<u8>), JoseError> {
    let n = decode(&jwk.n, 1024).ok_or(JoseError::KeyMember { member: "n", expected: "at most 8192 bits in base64url" })?;
    let e = decode(&jwk.e, 8).ok_or(JoseError::KeyMember { member: "e", expected: "at most 8 bytes in base64url" })?;
    rsa::must_be_strong(&n, &e)?;
    Ok((n, e))
}

/// At most `size` bytes, the length checked before they are decoded.
fn decode(member: &Option<String>, size: usize) -> Option<Vec<u8>> {
    let text = member.as_deref().filter(|text| text.len() <= (size * 4).div_ceil(3))?;
    base64url::decode(text)
}

//! RSA keys that may be trusted: RFC 7518 section 3.3, FIPS 186-5 appendix A.1.1, CVE-2017-15361 (ROCA).

use std::ops::RangeInclusive;

use crate::JoseError;

const MODULUS_BITS: RangeInclusive<usize> = 2048..=8192;
const EXPONENT: RangeInclusive<u64> = 65_537..=u32::MAX as u64;

/// The odd primes to which every modulus of the flawed generator can be told by.
const PRIMES: [u32; 38] = [
    3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107, 109, 113, 127, 131, 137,
    139, 149, 151, 157, 163, 167,
];

/// Refuses a public key, given big-endian, that could be factored or whose signatures could be made without its private half.
pub(crate) fn must_be_strong(modulus: &[u8], exponent: &[u8]) -> Result<(), JoseError> {
    let weak = |why| Err(JoseError::KeyWeak { why });
    let (Some(&first), Some(&last)) = (modulus.first(), modulus.last()) else { return weak("no modulus") };
    // RFC 7518 section 6.3.1.1: the octet sequence MUST use the minimum number of octets
    if first == 0 || exponent.first().is_none_or(|&byte| byte == 0) {
        return weak("modulus or exponent starts with a zero byte");
    }
    // RFC 7518 section 3.3: a key of size 2048 bits or larger MUST be used
    if !MODULUS_BITS.contains(&(modulus.len() * 8 - first.leading_zeros() as usize)) {
        return weak("modulus is not of 2048 to 8192 bits");
    }
    if last % 2 == 0 {
        return weak("modulus is even");
    }
    let value = exponent.iter().try_fold(0_u64, |value, &byte| Some(value.checked_mul(256)? + u64::from(byte)));
    if !value.is_some_and(|value| EXPONENT.contains(&value) && value % 2 == 1) {
        return weak("exponent is not an odd number from 65537 to 2^32");
    }
    if has_roca_fingerprint(modulus) {
        return weak("modulus from a flawed generator (CVE-2017-15361)");
    }
    Ok(())
}

/// The flawed generator makes primes that are powers of 65537 modulo many small primes; so is then their product.
/// A sound modulus passes for one with probability 2^-27.
fn has_roca_fingerprint(modulus: &[u8]) -> bool {
    PRIMES.iter().all(|&prime| {
        let residue = modulus.iter().fold(0, |residue, &byte| (residue * 256 + u32::from(byte)) % prime);
        std::iter::successors(Some(1), |power| Some(power * 65_537 % prime)).take(prime as usize).any(|power| power == residue)
    })
}

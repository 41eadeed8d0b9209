//! CRC-32 (ISO 3309) behind the texts of long-lived credentials: anyone can tell a real one from something alike, without a key and without
//! asking, and scanners for leaked secrets do.

use durward_base::base64url;

/// The checksum of a text, as it stands behind it: six characters.
pub fn checksum(text: &str) -> String {
    base64url::encode(&crc32(text.as_bytes()).to_be_bytes())
}

fn crc32(bytes: &[u8]) -> u32 {
    let bit = |crc: u32, _| if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 };
    !bytes.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), bit))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The check value of the algorithm's catalogue entry, CRC-32/ISO-HDLC.
    #[test]
    fn the_checksum_is_the_common_crc_32() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        assert_eq!(crc32(b""), 0);
        assert_eq!(checksum("123456789").len(), 6);
    }
}

use proptest::prelude::*;

use super::*;

fn from(address: &str) -> Proxied {
    Proxied { client: Some(address.parse().unwrap()), in_the_clear: false }
}

const NOBODY: Proxied = Proxied { client: None, in_the_clear: false };

/// Version 2, about a connection from 192.0.2.1:56324 to 192.0.2.2:443.
fn v2(command: u8, family: u8, vectors: &[u8]) -> Vec<u8> {
    let addresses: Vec<u8> = match family {
        0x11 => [&[192, 0, 2, 1, 192, 0, 2, 2][..], &[220, 4, 1, 187]].concat(),
        0x21 => [&[0x20, 1, 0xd, 0xb8][..], &[0; 11], &[1], &[0; 16], &[220, 4, 1, 187]].concat(),
        _ => Vec::new(),
    };
    let said = [addresses, vectors.to_vec()].concat();
    [&SIGNATURE[..], &[command, family], &u16::try_from(said.len()).unwrap().to_be_bytes(), &said].concat()
}

fn vector(kind: u8, value: &[u8]) -> Vec<u8> {
    [&[kind][..], &u16::try_from(value.len()).unwrap().to_be_bytes(), value].concat()
}

#[test]
fn both_versions_say_whose_connection_it_is() {
    let over_tls = vector(0x20, &[1, 0, 0, 0, 0]);
    let in_the_clear = vector(0x20, &[0, 0, 0, 0, 0]);
    for (header, said) in [
        (b"PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n".to_vec(), from("192.0.2.1:56324")),
        (b"PROXY TCP6 2001:db8::1 2001:db8::2 1 65535\r\n".to_vec(), from("[2001:db8::1]:1")),
        (b"PROXY UNKNOWN\r\n".to_vec(), NOBODY),
        (b"PROXY UNKNOWN ffff:f...f:ffff ffff 65535 65535\r\n".to_vec(), NOBODY),
        (v2(0x21, 0x11, b""), from("192.0.2.1:56324")),
        (v2(0x21, 0x21, b""), from("[2001:db8::1]:56324")),
        (v2(0x21, 0x11, &over_tls), from("192.0.2.1:56324")),
        (v2(0x21, 0x11, &in_the_clear), Proxied { in_the_clear: true, ..from("192.0.2.1:56324") }),
        (v2(0x21, 0x11, &[vector(0x04, &[0; 300]), in_the_clear].concat()), Proxied { in_the_clear: true, ..from("192.0.2.1:56324") }),
        (v2(0x20, 0x11, b""), NOBODY),
        (v2(0x20, 0x00, b"anything"), NOBODY),
    ] {
        let followed = [&header[..], b"GET / HTTP/1.1\r\n"].concat();
        assert_eq!(Proxied::parse(&followed), Ok(Some((said, header.len()))), "{}", header.escape_ascii());
        for end in 0..header.len() {
            assert_eq!(Proxied::parse(&header[..end]), Ok(None), "{}", header[..end].escape_ascii());
        }
    }
}

/// GWDOS-004, GWDOS-009
#[test]
fn what_is_not_exactly_a_header_is_refused() {
    let mut garbled = v2(0x21, 0x11, &vector(0x03, &[0; 4]));
    assert!(Proxied::parse(&garbled).is_err(), "a checksum that is not its own");
    let sum = crc32c(garbled.iter().copied()).to_be_bytes();
    let at = garbled.len() - 4;
    garbled[at..].copy_from_slice(&sum);
    assert!(Proxied::parse(&garbled).is_ok(), "its own");
    garbled[FIXED] = 193;
    assert!(Proxied::parse(&garbled).is_err(), "that of another");

    for header in [
        b"GET / HTTP/1.1\r\n".to_vec(),
        b"\x16\x03\x01".to_vec(),
        b"proxy TCP4 192.0.2.1 192.0.2.2 56324 443\r\n".to_vec(),
        b"PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\n".to_vec(),
        b"PROXY TCP4 192.0.2.1 192.0.2.2 56324\r\n".to_vec(),
        b"PROXY TCP4 192.0.2.1 192.0.2.2 56324 443 \r\n".to_vec(),
        b"PROXY TCP4  192.0.2.1 192.0.2.2 56324 443\r\n".to_vec(),
        b"PROXY TCP4 192.0.2.1 192.0.2.2 +6324 443\r\n".to_vec(),
        b"PROXY TCP4 192.0.2.1 192.0.2.2 056324 443\r\n".to_vec(),
        b"PROXY TCP4 192.0.2.1 192.0.2.2 65536 443\r\n".to_vec(),
        b"PROXY TCP4 192.0.2.01 192.0.2.2 56324 443\r\n".to_vec(),
        b"PROXY TCP4 2001:db8::1 2001:db8::2 56324 443\r\n".to_vec(),
        b"PROXY TCP6 192.0.2.1 192.0.2.2 56324 443\r\n".to_vec(),
        b"PROXY UDP4 192.0.2.1 192.0.2.2 56324 443\r\n".to_vec(),
        b"PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\0\r\n".to_vec(),
        [&b"PROXY UNKNOWN "[..], &[b'x'; 120]].concat(),
        v2(0x11, 0x11, b""),
        v2(0x22, 0x11, b""),
        v2(0x21, 0x12, b""),
        v2(0x21, 0x31, &[0; 216]),
        v2(0x21, 0x11, &[0x20, 0]),
        v2(0x21, 0x11, &[0x20, 0, 9, 1]),
        v2(0x21, 0x11, &[0; LONGEST_2]),
        [&SIGNATURE[..], &[0x21, 0x11, 0, 11], &[0; 11]].concat(),
    ] {
        assert!(Proxied::parse(&header).is_err(), "{}", header.escape_ascii());
    }
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), version_2 in any::<bool>()) {
        let start: &[u8] = if version_2 { SIGNATURE } else { b"PROXY " };
        if let Ok(Some((_, length))) = Proxied::parse(&[start, &bytes].concat()) {
            prop_assert!(length <= start.len() + bytes.len());
        }
        let _ = Proxied::parse(&bytes);
    }
}

//! X.690: the Distinguished Encoding Rules, as far as a PKCS #12 file needs them. Writing only.

/// A SEQUENCE of encoded elements.
pub(crate) fn sequence(elements: &[Vec<u8>]) -> Vec<u8> {
    element(0x30, &elements.concat())
}

/// A SET OF encoded elements; X.690 section 11.6: "shall appear in ascending order".
pub(crate) fn set_of(mut elements: Vec<Vec<u8>>) -> Vec<u8> {
    elements.sort();
    element(0x31, &elements.concat())
}

/// An explicit context tag 0 around one encoded element.
pub(crate) fn explicit_0(inner: &[u8]) -> Vec<u8> {
    element(0xa0, inner)
}

/// An OCTET STRING.
pub(crate) fn octet_string(bytes: &[u8]) -> Vec<u8> {
    element(0x04, bytes)
}

/// A BMPString; what is beyond the Basic Multilingual Plane becomes the pair of surrogates that Java makes of it.
pub(crate) fn bmp_string(text: &str) -> Vec<u8> {
    element(0x1e, &text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<u8>>())
}

/// A non-negative INTEGER, in the fewest bytes whose first bit is clear.
pub(crate) fn integer(value: u32) -> Vec<u8> {
    let bytes = [&[0][..], &value.to_be_bytes()].concat();
    let redundant = bytes.windows(2).take_while(|pair| matches!(pair, [0, next] if *next < 0x80)).count();
    element(0x02, bytes.get(redundant..).unwrap_or(&bytes))
}

/// An OBJECT IDENTIFIER of these arcs.
pub(crate) fn object_identifier(arcs: &[u32]) -> Vec<u8> {
    let (first, rest) = match arcs {
        [first, second, rest @ ..] => (first * 40 + second, rest),
        _ => (0, arcs),
    };
    let base_128 = |arc: u32| {
        let groups = (arc.max(1).ilog2() / 7 + 1) as u8;
        (0..groups).rev().map(move |group| (arc >> (7 * group)) as u8 & 0x7f | u8::from(group > 0) << 7)
    };
    element(0x06, &std::iter::once(first).chain(rest.iter().copied()).flat_map(base_128).collect::<Vec<u8>>())
}

/// NULL.
pub(crate) fn null() -> Vec<u8> {
    element(0x05, &[])
}

/// Tag, definite length in the fewest bytes, content.
fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let significant: Vec<u8> = length.into_iter().skip_while(|byte| *byte == 0).collect();
    let prefix = match significant.as_slice() {
        [] => vec![tag, 0],
        [short] if *short < 0x80 => vec![tag, *short],
        long => [&[tag, 0x80 | long.len() as u8][..], long].concat(),
    };
    [prefix.as_slice(), content].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_minimal() {
        for (length, header) in [
            (0, vec![4, 0]),
            (127, vec![4, 127]),
            (128, vec![4, 0x81, 128]),
            (255, vec![4, 0x81, 255]),
            (256, vec![4, 0x82, 1, 0]),
            (65_536, vec![4, 0x83, 1, 0, 0]),
        ] {
            let encoded = octet_string(&vec![0xff; length]);
            assert_eq!(encoded[..header.len()], header);
            assert_eq!(encoded.len(), header.len() + length);
        }
    }

    #[test]
    fn integers_are_minimal_and_never_negative() {
        for (value, encoded) in [
            (0, vec![2, 1, 0]),
            (127, vec![2, 1, 127]),
            (128, vec![2, 2, 0, 128]),
            (10_000, vec![2, 2, 0x27, 0x10]),
            (u32::MAX, vec![2, 5, 0, 255, 255, 255, 255]),
        ] {
            assert_eq!(integer(value), encoded);
        }
    }

    /// X.690 section 8.19.5 gives the first; the others are those of PKCS #7 `data` and of Oracle's attribute.
    #[test]
    fn object_identifiers_are_base_128() {
        for (arcs, encoded) in [
            (&[2, 999, 3][..], vec![6, 3, 0x88, 0x37, 3]),
            (&[1, 2, 840, 113_549, 1, 7, 1], vec![6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 1]),
            (&[2, 16, 840, 1, 113_894, 746_875, 1, 1], vec![6, 12, 0x60, 0x86, 0x48, 1, 0x86, 0xf9, 0x66, 0xad, 0xca, 0x7b, 1, 1]),
        ] {
            assert_eq!(object_identifier(arcs), encoded);
        }
    }

    #[test]
    fn a_set_is_written_in_ascending_order() {
        assert_eq!(set_of(vec![octet_string(b"b"), octet_string(b"a")]), [0x31, 6, 4, 1, b'a', 4, 1, b'b']);
    }
}

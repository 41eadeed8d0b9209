//! Requests over HTTP/1.1: no panic, pieces make no difference, and what is read has one reading: httparse, which forgives more, reads the same
//! fields, and no framing is ever in doubt.

#![no_main]

use bytes::BytesMut;
use durward_net::http1::{Decoded, Framing, HeadReader, Refused, RequestHead};
use libfuzzer_sys::fuzz_target;

const LIMIT: usize = 32 * 1024;

fuzz_target!(|data: &[u8]| {
    let mut buffer = BytesMut::from(data);
    let whole = HeadReader::default().take(&mut buffer, LIMIT);
    let (mut reader, mut pieces, mut piecewise) = (HeadReader::default(), BytesMut::new(), Ok(None));
    for byte in data {
        pieces.extend_from_slice(&[*byte]);
        piecewise = reader.take(&mut pieces, LIMIT);
        if !matches!(piecewise, Ok(None)) {
            break;
        }
    }
    assert_eq!(told(&whole), told(&piecewise), "pieces make a difference");
    let Ok(Some(head)) = whole else { return };
    agrees(&head, &data[..data.len() - buffer.len()]);
    let mut framing = head.framing.unwrap_or(Framing::Length(0));
    let mut length = 0;
    while let Ok(Decoded::Data(data)) = framing.decode(&mut buffer) {
        assert!(!data.is_empty(), "no progress");
        length += data.len() as u64;
    }
    if let Some(Framing::Length(announced)) = head.framing {
        assert!(length <= announced);
    }
});

fn told(read: &Result<Option<RequestHead>, Refused>) -> Result<Option<(String, Option<Framing>)>, Refused> {
    read.as_ref().map_err(|refused| *refused).map(|head| head.as_ref().map(|head| (format!("{:?}", head.parts.headers), head.framing)))
}

fn agrees(head: &RequestHead, bytes: &[u8]) {
    let mut fields = [httparse::EMPTY_HEADER; 128];
    let mut theirs = httparse::Request::new(&mut fields);
    assert!(matches!(theirs.parse(bytes), Ok(httparse::Status::Complete(length)) if length == bytes.len()), "another end");
    assert_eq!(theirs.method, Some(head.parts.method.as_str()));
    assert_eq!(theirs.headers.len(), head.parts.headers.len());
    for field in theirs.headers.iter() {
        assert!(head.parts.headers.get_all(field.name).iter().any(|value| value.as_bytes() == field.value), "another field");
    }
    let has = |name| theirs.headers.iter().filter(|field| field.name.eq_ignore_ascii_case(name)).count();
    assert!(has("host") == 1 && has("content-length") + has("transfer-encoding") <= 1, "two readings");
    assert_eq!(has("content-length") + has("transfer-encoding") == 1, head.framing.is_some());
}

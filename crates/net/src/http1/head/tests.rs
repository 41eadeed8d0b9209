use proptest::prelude::*;

use super::*;

const LIMIT: usize = 32 * 1024;

fn read(wire: &[u8]) -> Result<Option<RequestHead>, Refused> {
    HeadReader::default().take(&mut BytesMut::from(wire), LIMIT)
}

fn refused(wire: &str) -> u16 {
    match read(wire.as_bytes()) {
        Err(refused) => refused.status().as_u16(),
        read => panic!("{wire:?} was read: {read:?}"),
    }
}

#[test]
fn what_is_not_exactly_a_head_is_refused() {
    for (id, wire, status) in [
        ("HTTP-001", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        ("HTTP-001", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", 400),
        ("HTTP-001", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n", 400),
        ("HTTP-001", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\n", 400),
        ("HTTP-001", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\n", 400),
        ("HTTP-001", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x5\r\n\r\n", 400),
        ("HTTP-001", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \r\n\r\n", 400),
        ("HTTP-001", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551616\r\n\r\n", 400),
        ("HTTP-001", "POST / HTTP/1.1\r\nHost: a\r\nContent_Length: 5\r\n\r\n", 400),
        ("HTTP-001", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n", 400),
        ("HTTP-002", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n", 400),
        ("HTTP-002", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: ,chunked\r\n\r\n", 400),
        ("HTTP-002", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked,identity\r\n\r\n", 400),
        ("HTTP-002", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \"chunked\"\r\n\r\n", 400),
        ("HTTP-002", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \x0bchunked\r\n\r\n", 400),
        ("HTTP-002", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \u{85}chunked\r\n\r\n", 400),
        ("HTTP-002", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\u{a0}\r\n\r\n", 400),
        ("HTTP-002", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        ("HTTP-002", "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        ("HTTP-002", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 400),
        ("HTTP-002", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-\r\nEncoding: chunked\r\n\r\n", 400),
        ("HTTP-002", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n", 400),
        ("HTTP-002", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n chunked\r\n\r\n", 400),
        ("HTTP-002", "POST / HTTP/1.1\r\nHost: a\r\nTransfer_Encoding: chunked\r\n\r\n", 400),
        ("HTTP-002", "POST / HTTP/1.1\r\nHost: a\nTransfer-Encoding: chunked\r\n\r\n", 400),
        ("HTTP-008", "GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("HTTP-008", "GET x HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("HTTP-008", "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("HTTP-008", "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("HTTP-008", "GET /a\x7f HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("HTTP-008", "GET /\u{e9} HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GWPATH-008", "GET / HTTP/1.1\r\n\r\n", 400),
        ("GWPATH-008", "GET / HTTP/1.0\r\n\r\n", 400),
        ("GWPATH-008", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400),
        ("GWPATH-008", "GET / HTTP/1.1\r\nHost: a, a\r\n\r\n", 400),
        ("GWPATH-008", "GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("a line feed alone", "GET / HTTP/1.1\nHost: a\n\n", 400),
        ("a carriage return alone", "GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n", 400),
        ("an empty line before it", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("a folded line", "GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n", 400),
        ("a first line that is folded", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400),
        ("no name", "GET / HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n", 400),
        ("no colon", "GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n", 400),
        ("a NUL", "GET / HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n", 400),
        ("two spaces", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("a tab", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("a space behind", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400),
        ("a small method", "get / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("no version", "GET /\r\nHost: a\r\n\r\n", 400),
        ("a small version", "GET / http/1.1\r\nHost: a\r\n\r\n", 400),
        ("HTTP/0.9", "GET / HTTP/0.9\r\nHost: a\r\n\r\n", 505),
        ("HTTP/1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", 505),
        ("HTTP/2 where nobody agreed on it", "PRI * HTTP/2.0\r\n\r\n", 505),
        ("TLS", "\x16\x03\x01\x02\x00", 400),
    ] {
        assert_eq!(refused(wire), status, "{id}: {wire:?}");
    }
}

#[test]
fn what_is_too_large_is_refused_before_it_is_whole() {
    // GWDOS-005
    assert_eq!(refused(&format!("GET /{}", "a".repeat(9000))), 414);
    assert_eq!(refused(&format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "a".repeat(8192))), 414);
    assert_eq!(refused(&format!("GET / HTTP/1.1\r\nHost: a\r\n{}", "a: b\r\n".repeat(100))), 431);
    assert_eq!(refused(&format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}", "a".repeat(LIMIT))), 431);
    assert!(read(format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "a: b\r\n".repeat(99)).as_bytes()).unwrap().is_some());
}

#[test]
fn a_head_says_what_follows_it() {
    for (wire, framing, keep_alive, expects_continue) in [
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", None, true, false),
        ("GET / HTTP/1.0\r\nHost: a\r\n\r\n", None, false, false),
        ("GET / HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n", None, false, false),
        ("GET / HTTP/1.1\r\nhost:\ta:80 \r\nempty:\r\n\r\n", None, true, false),
        ("GET http://a/x HTTP/1.1\r\nHost: a\r\n\r\n", None, true, false),
        ("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", None, true, false),
        ("CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", None, true, false),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-Continue\r\n\r\n", Some(Framing::Length(5)), true, true),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n", Some(Framing::Chunked(Default::default())), true, false),
    ] {
        let head = read(wire.as_bytes()).unwrap().unwrap_or_else(|| panic!("{wire}"));
        assert_eq!((head.framing, head.keep_alive, head.expects_continue), (framing, keep_alive, expects_continue), "{wire}");
    }
}

#[test]
fn what_follows_a_head_stays() {
    let mut buffer = BytesMut::from("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nokGET");
    HeadReader::default().take(&mut buffer, LIMIT).unwrap().unwrap();
    assert_eq!(&buffer[..], b"okGET");
}

proptest! {
    #[test]
    fn no_bytes_panic_and_pieces_make_no_difference(wire in prop::collection::vec(any::<u8>(), 0..300), step in 1_usize..50) {
        let wire = [&b"GET / HTTP/1.1\r\nHost: a\r\n"[..], &wire, b"\r\n\r\n"].concat();
        let (mut reader, mut buffer, mut piecewise) = (HeadReader::default(), BytesMut::new(), Ok(None));
        for piece in wire.chunks(step) {
            buffer.extend_from_slice(piece);
            piecewise = reader.take(&mut buffer, LIMIT);
            if !matches!(piecewise, Ok(None)) {
                break;
            }
        }
        let told = |read: Result<Option<RequestHead>, Refused>| read.map(|head| head.map(|head| (head.parts.headers, head.framing)));
        prop_assert_eq!(told(piecewise), told(read(&wire)));
    }

    #[test]
    fn a_head_of_the_grammar_is_read_as_it_was_written(
        method in "[A-Z]{1,12}", path in "/[a-z0-9/%._~-]{0,40}", fields in prop::collection::vec(("x-[a-z0-9-]{1,20}", "[!-~]([ -~]{0,30}[!-~])?"), 0..30),
    ) {
        let lines: String = fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let head = read(format!("{method} {path} HTTP/1.1\r\nHost: a\r\n{lines}\r\n").as_bytes()).unwrap().unwrap();
        prop_assert_eq!((head.parts.method.as_str(), head.parts.uri.path_and_query().unwrap().as_str()), (&*method, &*path));
        for (name, value) in &fields {
            prop_assert!(head.parts.headers.get_all(name).iter().any(|found| found == value));
        }
        prop_assert_eq!(head.parts.headers.len(), fields.len() + 1);
    }
}

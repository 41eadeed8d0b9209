//! Paths: whatever is accepted has one reading, and the WHATWG URL parser, which resolves what it can, finds nothing left to change.

#![no_main]

use durward_enforce::NormalPath;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(path) = NormalPath::parse(data) else { return };
    assert_eq!(path.as_str().as_bytes(), data, "forwarded bytes are the bytes received");
    for segment in path.segments() {
        assert!(!["", ".", ".."].contains(&segment.as_ref()), "{segment:?}");
        assert!(!segment.contains(['/', '\\', '%', ';', '\0', '\r', '\n']), "{segment:?}");
    }
    let slashes = data.iter().filter(|byte| **byte == b'/').count();
    assert_eq!(path.segments().len(), if data == b"/" { 0 } else { slashes - usize::from(path.has_trailing_slash()) });
    let url = url::Url::parse(&format!("http://upstream.example{}", path.as_str())).expect("a path is part of a URL");
    assert_eq!(url.path(), path.as_str(), "a second reading");
});

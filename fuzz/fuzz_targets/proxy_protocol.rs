//! What a front says before a connection: no panic, pieces make no difference, and what follows the header is not read.

#![no_main]

use durward_net::Proxied;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let whole = Proxied::parse(data);
    let piecewise = (0..=data.len()).map(|end| Proxied::parse(&data[..end])).find(|parsed| *parsed != Ok(None));
    assert_eq!(piecewise.unwrap_or(Ok(None)), whole, "pieces make a difference");
    if let Ok(Some((_, length))) = whole {
        assert_eq!(Proxied::parse(&data[..length]), whole, "it depends on what follows");
    }
});

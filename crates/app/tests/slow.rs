//! Clients that send a byte a second, many at a time: others are answered meanwhile.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use reqwest::StatusCode;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::fixture::{Durward, SOON, Turn, within};

/// The start of a TLS handshake: a record of 512 bytes.
const HANDSHAKE: &[u8] = &[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3];
/// The start of a request behind a proxy, which says itself where it comes from.
const REQUEST: &[u8] = b"PROXY TCP4 127.0.0.1 127.0.0.1 40000 80\r\nGET /nowhere HTTP/1.1\r\nhost: a\r\nx: ";

fn clients() -> usize {
    std::env::var("DURWARD_SLOW_CLIENTS").ok().and_then(|count| count.parse().ok()).unwrap_or(300)
}

/// Sends this, then the same byte for ever, a byte a second; begins again when it is cut off, and counts that.
async fn drip(address: String, start: &'static [u8], cut_off: Arc<AtomicUsize>) {
    // The proxy's part is there at once: it is not the client's.
    let at_once = start.iter().position(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    loop {
        let Ok(mut stream) = TcpStream::connect(&address).await else { return };
        let (mut sent, mut slowly) = (stream.write_all(&start[..at_once]).await, start[at_once..].iter());
        while sent.is_ok() {
            tokio::time::sleep(Duration::from_secs(1)).await;
            sent = stream.write_u8(slowly.next().copied().unwrap_or(b'a')).await;
        }
        cut_off.fetch_add(1, Ordering::Relaxed);
    }
}

/// GWDOS-004
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_send_a_byte_a_second_are_cut_off_and_keep_nobody_waiting() {
    let most = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: most, maximum: most }).unwrap();
    let mut durward = Durward::empty(Turn::shared().await).await;
    durward.stop();
    let file = durward.directory().join("durward.yaml");
    let settings = fs::read_to_string(&file).unwrap().replace("listen:\n", "listen:\n  plain: 127.0.0.1:0\n  head_ms: 3000\n");
    fs::write(&file, settings).unwrap();
    durward.restart();

    let cut_off = Arc::new(AtomicUsize::new(0));
    let slow: Vec<_> = (0..clients())
        .map(|number| {
            let (listener, start) = if number % 2 == 0 { ("gateway", HANDSHAKE) } else { ("plain", REQUEST) };
            tokio::spawn(drip(durward.listens(listener).to_owned(), start, Arc::clone(&cut_off)))
        })
        .collect();
    let client = durward.client();
    let mut answered = 0;
    while answered < clients() || cut_off.load(Ordering::Relaxed) == 0 {
        let answer = client.get(durward.at_gateway("/nowhere")).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "after {answered}");
        answered += 1;
    }
    within(SOON, "each is cut off", async || cut_off.load(Ordering::Relaxed) >= clients()).await;
    assert!(slow.iter().all(|drip| !drip.is_finished()), "and may come again");
    slow.iter().for_each(tokio::task::JoinHandle::abort);
    let recorded = async || durward.command(&["audit", "list", "--kind", "connection.refused"]).to_string().contains("tls.too_slow");
    within(SOON, "it is on record", recorded).await;
}

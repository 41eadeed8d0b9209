//! Connections that end before there is a request: counted by reason, and on the audit record, where a flood of them is two events a
//! minute for each network and reason.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use durward_base::{Clock, Duration, EventId, Rng, Timestamp};
use durward_model::{Event, EventKind, Outcome, event};
use rustls::AlertDescription as Alert;

use crate::rate::network;
use crate::{HttpMetrics, Record};

/// How long further connections of a network are only counted.
pub(crate) const WINDOW: Duration = Duration::from_secs(60);
/// Networks told apart within a window; the rest are told of together.
const NETWORKS: usize = 64;

/// What becomes of a listener's connections that never brought a request.
pub struct Unserved {
    /// The listener's name in metrics and events.
    pub listener: &'static str,
    /// The node's name in events.
    pub node: Arc<str>,
    /// Where events go.
    pub record: Arc<dyn Record>,
    /// Counters.
    pub metrics: HttpMetrics,
    /// Time.
    pub clock: Clock,
    /// Randomness.
    pub rng: Rng,
    /// What was told of lately.
    pub windows: Windows,
}

/// What was told of lately, by network (none: all others together) and reason.
#[derive(Default)]
pub struct Windows(Mutex<HashMap<(Option<IpAddr>, &'static str), Window>>);

struct Window {
    began: Timestamp,
    more: u64,
}

impl Unserved {
    /// Takes in that a connection from `address` ended for `reason`.
    pub(crate) fn ended(&self, address: Option<SocketAddr>, reason: &'static str) {
        self.metrics.unserved(self.listener, reason);
        let (now, address) = (self.clock.now(), address.map(|address| address.ip().to_canonical()));
        let mut windows = self.windows.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut key = (address.map(network), reason);
        if windows.len() >= NETWORKS && !windows.contains_key(&key) {
            key.0 = None;
        }
        if let Some(window) = windows.get_mut(&key) {
            window.more += 1;
            return;
        }
        windows.insert(key, Window { began: now, more: 0 });
        drop(windows);
        self.tell(address, reason, format!("on the listener {}, before there was a request", self.listener));
    }

    /// Tells how many more there were in the windows that are over, or in all of them.
    pub(crate) fn settle(&self, all: bool) {
        let now = self.clock.now();
        let mut over = Vec::new();
        self.windows.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|(network, reason), window| {
            let ends = all || now.since(window.began) >= WINDOW;
            if ends && window.more > 0 {
                over.push((*network, *reason, window.more));
            }
            !ends
        });
        for (network, reason, more) in over {
            let whose = if network.is_some() { "its network" } else { "other networks" };
            self.tell(network, reason, format!("on the listener {}, {more} more of {whose} within a minute", self.listener));
        }
    }

    fn tell(&self, address: Option<IpAddr>, reason: &'static str, detail: String) {
        let now = self.clock.now();
        let mut event = Event::new(EventId::new(now, &self.rng), now, Arc::clone(&self.node), EventKind::ConnectionRefused);
        event.outcome = Outcome::Denied;
        event.reason = Some(reason.to_owned());
        event.detail = Some(detail);
        event.request = Some(event::Request { address: address.map(|address| address.to_string()), ..event::Request::default() });
        // Queued here; there is nobody to wait for the disk.
        drop(self.record.record(event));
    }
}

/// Why a TLS handshake came to nothing.
pub(crate) fn of_handshake(error: &io::Error) -> &'static str {
    match error.get_ref().and_then(|error| error.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::AlertReceived(
            Alert::UnknownCA
            | Alert::BadCertificate
            | Alert::CertificateUnknown
            | Alert::CertificateExpired
            | Alert::UnsupportedCertificate,
        )) => "tls.server_not_trusted",
        Some(rustls::Error::AlertReceived(_)) => "tls.alert",
        Some(rustls::Error::PeerIncompatible(_)) => "tls.incompatible",
        Some(rustls::Error::NoApplicationProtocol) => "tls.no_common_protocol",
        Some(rustls::Error::InvalidMessage(_)) => "tls.not_tls",
        Some(rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented) => "tls.client_certificate",
        Some(_) => "tls.failed",
        None if matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset) => "tls.cut_short",
        None => "tls.failed",
    }
}

/// Whether what ended an HTTP/2 connection is that its start could not be read.
pub(crate) fn is_malformed(error: &hyper::Error) -> bool {
    error.is_parse()
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::Pin;

    use durward_testkit::{FakeClock, seeded};

    use super::*;
    use crate::RecordError;

    #[derive(Default)]
    struct Kept(Mutex<Vec<Event>>);

    impl Record for Kept {
        fn record(&self, event: Event) -> Pin<Box<dyn Future<Output = Result<(), RecordError>> + Send + '_>> {
            self.0.lock().unwrap().push(event);
            Box::pin(std::future::ready(Ok(())))
        }
    }

    impl Kept {
        fn take(&self) -> Vec<(String, Option<String>)> {
            let events = std::mem::take(&mut *self.0.lock().unwrap());
            events.into_iter().map(|event| (event.reason.unwrap(), event.request.unwrap().address)).collect()
        }
    }

    fn unserved(clock: &FakeClock) -> (Unserved, Arc<Kept>) {
        let kept = Arc::new(Kept::default());
        let record: Arc<dyn Record> = Arc::clone(&kept) as _;
        let metrics = HttpMetrics::register(&mut prometheus_client::registry::Registry::default());
        let (clock, rng, windows) = (clock.clock(), seeded(1), Windows::default());
        (Unserved { listener: "test", node: "test".into(), record, metrics, clock, rng, windows }, kept)
    }

    #[test]
    fn a_flood_from_one_network_is_two_events_a_minute() {
        let clock = FakeClock::at(Timestamp::from_seconds(1_800_000_000));
        let (unserved, kept) = unserved(&clock);
        for host in 0..1_000_u32 {
            unserved.ended(Some(SocketAddr::from(([192, 0, 2, (host % 250) as u8], 1))), "tls.failed");
        }
        assert_eq!(kept.take(), [("tls.failed".to_owned(), Some("192.0.2.0".to_owned()))]);
        unserved.settle(false);
        assert_eq!(kept.take(), []);
        clock.advance(WINDOW);
        unserved.settle(false);
        assert_eq!(kept.take(), [("tls.failed".to_owned(), Some("192.0.2.0".to_owned()))]);
        unserved.settle(true);
        assert_eq!(kept.take(), []);
    }

    #[test]
    fn a_flood_from_everywhere_is_bounded() {
        let clock = FakeClock::at(Timestamp::from_seconds(1_800_000_000));
        let (unserved, kept) = unserved(&clock);
        for host in 0..10_000_u32 {
            unserved.ended(Some(SocketAddr::from(([10, (host / 250) as u8, (host % 250) as u8, 1], 1))), "tls.not_tls");
        }
        assert_eq!(kept.take().len(), NETWORKS + 1);
        unserved.settle(true);
        assert_eq!(kept.take(), [("tls.not_tls".to_owned(), None)]);
    }

    #[test]
    fn why_a_handshake_failed_is_a_word() {
        let of = |error: rustls::Error| of_handshake(&io::Error::new(io::ErrorKind::InvalidData, error));
        assert_eq!(of(rustls::Error::AlertReceived(Alert::UnknownCA)), "tls.server_not_trusted");
        assert_eq!(of(rustls::Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType)), "tls.not_tls");
        assert_eq!(of(rustls::Error::General("anything".to_owned())), "tls.failed");
        assert_eq!(of_handshake(&io::Error::from(io::ErrorKind::UnexpectedEof)), "tls.cut_short");
    }
}

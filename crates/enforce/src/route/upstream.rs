//! The hosts that a route's requests go to, read from their URLs.

use std::net::Ipv6Addr;
use std::sync::Arc;

use durward_model::resource::Route;

/// Hosts of one route, at most.
const MOST: usize = 64;
/// The longest that anything may be given, in milliseconds.
const LONGEST: u32 = 60 * 60 * 1000;

/// One host that a route's requests may go to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct UpstreamHost {
    /// Whether it is spoken to over TLS.
    pub is_tls: bool,
    /// Whether it is spoken to in HTTP/2, without asking which it knows.
    pub is_http2: bool,
    /// Its name or address, an IPv6 one without brackets.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// `host:port` as written: the `Host` it is sent.
    pub authority: Arc<str>,
}

/// Checks what a route says of its upstream, and reads its hosts.
pub(super) fn hosts(route: &Route) -> Result<Vec<UpstreamHost>, String> {
    let urls = route.upstream.urls();
    if urls.is_empty() || urls.len() > MOST {
        return Err(format!("upstream has {} hosts: expected 1 to {MOST}", urls.len()));
    }
    let hosts = urls.iter().map(|url| host(url)).collect::<Result<Vec<_>, _>>()?;
    if let Some((twice, _)) = urls.iter().zip(1..).find(|(url, next)| urls.iter().skip(*next).any(|other| other == *url)) {
        return Err(format!("upstream {twice:?} is there twice"));
    }
    if (route.upstream_tls.is_some() || route.upstream_name.is_some()) && !hosts.iter().all(|host| host.is_tls) {
        return Err("upstream_tls and upstream_name say something of https://host:port alone, and there is another upstream".to_owned());
    }
    let timeouts = &route.timeouts;
    let mut times = [timeouts.connect_ms, timeouts.answer_ms, timeouts.idle_ms].into_iter().flatten();
    if let Some(wrong) = times.find(|time| !(1..=LONGEST).contains(time)) {
        return Err(format!("timeouts: found {wrong} ms: expected 1 ms to an hour"));
    }
    if route.max_in_flight == Some(0) {
        return Err("max_in_flight is 0: nothing could ever pass".to_owned());
    }
    if let Some(check) = &route.health_check {
        let is_path = check.path.starts_with('/') && check.path.len() <= 1024 && check.path.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_path || check.interval_seconds == 0 {
            return Err("health_check needs a `path` like /healthz and an `interval_seconds` above 0".to_owned());
        }
    }
    Ok(hosts)
}

fn host(url: &str) -> Result<UpstreamHost, String> {
    let expected = || format!("upstream {url:?} is not of the form http://host:port or https://host:port (in HTTP/2: h2c:// or h2://)");
    let (scheme, authority) = url.split_once("://").ok_or_else(expected)?;
    let (host, port) = authority.rsplit_once(':').ok_or_else(expected)?;
    let named = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    let literal = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let is_host = literal.map_or_else(|| !host.is_empty() && host.bytes().all(named), |host| host.parse::<Ipv6Addr>().is_ok());
    let (is_tls, is_http2) = match scheme {
        "http" => (false, false),
        "https" => (true, false),
        "h2c" => (false, true),
        "h2" => (true, true),
        _ => return Err(expected()),
    };
    let port = port.parse::<u16>().ok().filter(|port| *port > 0 && is_host).ok_or_else(expected)?;
    Ok(UpstreamHost { is_tls, is_http2, host: literal.unwrap_or(host).to_owned(), port, authority: authority.into() })
}

//! `durward coverage`: which locks each service has, and which are missing.

use std::collections::{BTreeSet, HashSet};
use std::net::IpAddr;
use std::process::ExitCode;

use clap::Args;
use durward_base::Duration;
use durward_model::resource::{Access, Client, Mode, Route, Service};
use durward_model::{Event, Resource, ResourceKind, Stored};
use durward_node::machine;
use serde::{Deserialize, Serialize};
use url::Url;

use super::api::{Api, Connection};
use super::audit::duration;
use super::output::{Output, table};
use super::plural;

/// The most pages of events in which services are looked for, of 200 events each.
const PAGES: usize = 50;

/// Show which locks each service has: entrance, its own, identity, transport, rate, audit
#[derive(Debug, Args)]
pub struct Arguments {
    /// How far back to look for services that check for themselves: 30s, 15m, 2h, 7d
    #[arg(long, value_name = "DURATION", default_value = "7d", value_parser = duration)]
    since: Duration,
}

#[derive(Deserialize)]
struct Page {
    items: Vec<Event>,
    next: Option<String>,
}

/// What stands about a service.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Line {
    service: String,
    /// Whether its routes let in only whom they should.
    entrance: String,
    /// Whether it checks for itself.
    own_lock: String,
    /// Whether it is told who calls.
    identity: String,
    /// How the gateway reaches it.
    transport: String,
    /// Whether its routes limit how often.
    rate: String,
    /// Who writes down what was asked of it.
    audit: String,
    /// The locks that it does not have.
    missing: Vec<&'static str>,
}

/// Runs `durward coverage`.
pub async fn run(arguments: &Arguments, connection: &Connection, output: Output) -> anyhow::Result<ExitCode> {
    let api = connection.api().await?;
    let (services, routes, clients) = (
        of_kind(&api, ResourceKind::Service).await?,
        of_kind(&api, ResourceKind::Route).await?,
        of_kind(&api, ResourceKind::Client).await?,
    );
    let checking = checking(&api, arguments.since).await?;
    let services = services.iter().filter_map(|resource| if let Resource::Service(service) = resource { Some(service) } else { None });
    let routes: Vec<&Route> =
        routes.iter().filter_map(|resource| if let Resource::Route(route) = resource { Some(route) } else { None }).collect();
    let clients: Vec<&Client> =
        clients.iter().filter_map(|resource| if let Resource::Client(client) = resource { Some(client) } else { None }).collect();
    let lines: Vec<Line> = services.map(|service| covered(service, &routes, &clients, &checking)).collect();
    output.print(&lines, |lines| {
        table(["SERVICE", "ENTRANCE", "OWN LOCK", "IDENTITY", "TRANSPORT", "RATE", "AUDIT", "MISSING"], lines.iter().map(row))
    })?;
    Ok(ExitCode::SUCCESS)
}

async fn of_kind(api: &Api, kind: ResourceKind) -> anyhow::Result<Vec<Resource>> {
    let stored: Vec<Stored> = api.list(plural(kind)).await?;
    Ok(stored.into_iter().map(|stored| stored.resource).collect())
}

/// The services that have decided something themselves lately, by their names.
async fn checking(api: &Api, since: Duration) -> anyhow::Result<HashSet<String>> {
    let since = (machine::clock().now() - since).millis().to_string();
    let (mut seen, mut before) = (HashSet::new(), None::<String>);
    for _ in 0..PAGES {
        let mut query = vec![("since", since.as_str()), ("kind", "service.request"), ("page_size", "200")];
        query.extend(before.as_deref().map(|before| ("before", before)));
        let page: Page = api.get("audit", &query).await?;
        seen.extend(page.items.iter().filter_map(|event| event.node.strip_prefix("service/")).map(str::to_owned));
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    Ok(seen)
}

fn covered(service: &Service, routes: &[&Route], clients: &[&Client], checking: &HashSet<String>) -> Line {
    let own: Vec<&Route> = routes.iter().copied().filter(|route| route.service == service.name).collect();
    let mut missing = Vec::new();
    let mut lock = |name: &'static str, (there, text): (bool, String)| {
        if !there {
            missing.push(name);
        }
        text
    };
    let runs = clients.iter().any(|client| client.runs.as_deref() == Some(service.name.as_str()));
    let checks = checking.contains(&service.name);
    let own_lock = if checks {
        "checks"
    } else if runs {
        "declared, not seen"
    } else {
        "none seen"
    };
    let known = own.iter().any(|route| route.access == Access::Protected);
    let audit = match (own.is_empty(), checks) {
        (false, true) => "gateway, service",
        (false, false) => "gateway",
        (true, true) => "service",
        (true, false) => "none",
    };
    Line {
        service: service.name.clone(),
        entrance: lock("entrance", entrance(&own)),
        own_lock: lock("own lock", (checks, own_lock.to_owned())),
        identity: lock("identity", (known, if known { "signed" } else { "none" }.to_owned())),
        transport: lock("transport", transport(&own)),
        rate: lock("rate", rate(&own)),
        audit: lock("audit", (audit != "none", audit.to_owned())),
        missing,
    }
}

fn entrance(routes: &[&Route]) -> (bool, String) {
    let names = |is: &dyn Fn(&Route) -> bool| routes.iter().filter(|route| is(route)).map(|route| route.name.as_str()).collect::<Vec<_>>();
    let observing = names(&|route| route.mode == Some(Mode::Observe));
    let public = names(&|route| route.access == Access::Public);
    match (routes.is_empty(), observing.is_empty()) {
        (true, _) => (false, "no route".to_owned()),
        (false, false) => (false, format!("observes: {}", observing.join(", "))),
        (false, true) if public.is_empty() => (true, "enforced".to_owned()),
        (false, true) => (true, format!("enforced; public: {}", public.join(", "))),
    }
}

fn transport(routes: &[&Route]) -> (bool, String) {
    let urls = routes.iter().flat_map(|route| route.upstream.urls()).map(String::as_str);
    let (secure, plain): (BTreeSet<&str>, BTreeSet<&str>) = urls.partition(|url| url.starts_with("https://") || url.starts_with("h2://"));
    let abroad: BTreeSet<&str> = plain.into_iter().filter(|url| !is_here(url)).collect();
    match (routes.is_empty(), abroad.is_empty()) {
        (true, _) => (false, "no route".to_owned()),
        (false, true) if secure.is_empty() => (true, "this machine".to_owned()),
        (false, true) => (true, "TLS".to_owned()),
        (false, false) => (false, format!("in the clear: {}", abroad.into_iter().collect::<Vec<_>>().join(", "))),
    }
}

fn is_here(url: &str) -> bool {
    let url = Url::parse(url).ok();
    let host = url.as_ref().and_then(Url::host_str).unwrap_or_default();
    host == "localhost" || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn rate(routes: &[&Route]) -> (bool, String) {
    let limited = routes.iter().filter(|route| !route.limits.is_empty()).count();
    match (limited, routes.len()) {
        (0, _) => (false, "none".to_owned()),
        (limited, all) if limited == all => (true, "limited".to_owned()),
        (limited, all) => (false, format!("{limited} of {all} routes")),
    }
}

fn row(line: &Line) -> [String; 8] {
    let Line { service, entrance, own_lock, identity, transport, rate, audit, missing } = line;
    let missing = if missing.is_empty() { "nothing".to_owned() } else { missing.join(", ") };
    [service, entrance, own_lock, identity, transport, rate, audit, &missing].map(Clone::clone)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn route(rest: serde_json::Value) -> Route {
        let mut route =
            json!({"name": "r", "path": "/r", "upstream": "http://127.0.0.1:1", "service": "stock", "require": {"authenticated": true}});
        route.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        serde_json::from_value(route).unwrap()
    }

    fn line(routes: &[&Route], checking: &[&str]) -> Line {
        let service: Service = serde_json::from_value(json!({"name": "stock"})).unwrap();
        covered(&service, routes, &[], &checking.iter().map(|name| (*name).to_owned()).collect())
    }

    #[test]
    fn a_service_with_every_lock_misses_none() {
        let limited = route(json!({"limits": [{"per": "address", "requests": 5}]}));
        let line = line(&[&limited], &["stock"]);
        assert_eq!((line.missing.as_slice(), line.audit.as_str()), (&[] as &[&str], "gateway, service"));
    }

    #[test]
    fn the_transport_is_safe_over_tls_and_on_this_machine_alone() {
        for (upstreams, safe, text) in [
            (json!("https://stock.internal"), true, "TLS"),
            (json!(["https://a.internal", "http://127.0.0.1:1"]), true, "TLS"),
            (json!(["https://a.internal", "http://b.internal:80"]), false, "in the clear: http://b.internal:80"),
            (json!("http://127.0.0.1.example:80"), false, "in the clear: http://127.0.0.1.example:80"),
            (json!("http://[::1]:80"), true, "this machine"),
            (json!("http://127.0.0.1"), true, "this machine"),
            (json!("h2c://127.0.0.1:50051"), true, "this machine"),
            (json!("h2://stock.internal:50051"), true, "TLS"),
            (json!("h2c://stock.internal:50051"), false, "in the clear: h2c://stock.internal:50051"),
        ] {
            let found = line(&[&route(json!({ "upstream": upstreams }))], &[]);
            assert_eq!((!found.missing.contains(&"transport"), found.transport.as_str()), (safe, text), "{upstreams}");
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        assert_eq!(line(&[], &[]).missing, ["entrance", "own lock", "identity", "transport", "rate", "audit"]);
        let observing = route(json!({"mode": "observe", "upstream": "http://stock.internal:80"}));
        let found = line(&[&observing, &route(json!({"limits": [{"per": "route", "requests": 5}]}))], &[]);
        assert_eq!(found.missing, ["entrance", "own lock", "transport", "rate"]);
        assert_eq!((found.entrance.as_str(), found.rate.as_str()), ("observes: r", "1 of 2 routes"));
    }
}

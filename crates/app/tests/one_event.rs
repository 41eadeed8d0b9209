//! Exactly one event for each request at each hop: counted in the journal's own files, in the store and in what `audit list` shows.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use durward_audit::Frames;
use durward_model::Event;
use reqwest::{Response, StatusCode};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::fixture::{ALICE, Durward, PASSWORD, SOON, Service, unanswered, within};

/// Every event that the journal's files hold, in order.
fn journal(directory: &Path) -> Vec<Event> {
    let mut segments: Vec<_> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    segments.retain(|path| path.extension().is_some_and(|extension| extension == "segment"));
    segments.sort();
    let events = |path| {
        let bytes = fs::read(path).unwrap();
        // The first record is the segment's header.
        let records = Frames::new(bytes.strip_prefix(b"durward journal\n").unwrap()).skip(1);
        records.map(|frame| durward_audit::decode(frame.record).unwrap()).collect::<Vec<_>>()
    };
    segments.into_iter().flat_map(events).collect()
}

/// How often each node's event of an id is there.
fn count(events: &[Event]) -> HashMap<(String, String), usize> {
    let mut counts = HashMap::new();
    events.iter().for_each(|event| *counts.entry((event.node.to_string(), event.id.to_string())).or_default() += 1);
    counts
}

fn id(answer: &Response) -> String {
    answer.headers()["x-request-id"].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn each_request_has_one_event_at_each_hop_whatever_became_of_it() {
    let mut durward = Durward::start().await;
    let service = Service::start(&durward, None);
    let held = unanswered();
    let dead = held.local_addr().unwrap();
    durward.apply(&format!("kind: route\nname: dead\npath: /dead\nupstream: http://{dead}\nservice: orders\naccess: public\n"));
    let (application, client) = (durward.application(), durward.client());
    let token = application.log_in(ALICE, PASSWORD).await.access_token;
    let get = async |url: String, token: &str| client.get(url).bearer_auth(token).send().await.unwrap();
    let served = async || get(durward.at_gateway("/dead"), "").await.status() == StatusCode::BAD_GATEWAY;
    within(SOON, "the routes are served", served).await;
    let of_service = application.program_token().await.unwrap();

    let mut answers = vec![
        (200, get(durward.at_gateway("/stock/lamp"), &token).await),
        (401, get(durward.at_gateway("/stock/lamp"), "x.y.z").await),
        (404, get(durward.at_gateway("/nowhere"), &token).await),
        (400, get(durward.at_gateway("/stock/a%2fb"), &token).await),
        (502, get(durward.at_gateway("/dead"), "").await),
        (200, get(application.at("oauth2/userinfo"), &token).await),
        (401, get(application.at("oauth2/userinfo"), "x.y.z").await),
        (404, get(durward.at("/realms/none/oauth2/userinfo"), "").await),
        (404, get(durward.at("/nowhere"), "").await),
        (400, application.exchange("no code").await.unwrap()),
        (415, client.post(application.at("oauth2/token")).body("no form").send().await.unwrap()),
        (401, client.get(durward.at("/admin/v1/people")).send().await.unwrap()),
        (400, get(durward.at("/admin/v1/people"), "two words").await),
        (401, get(durward.at("/admin/v1/people"), &token).await),
        (404, get(durward.at("/admin/v1/nothing"), &token).await),
        (405, client.delete(durward.at("/admin/v1/status")).send().await.unwrap()),
        (200, of_service),
    ];
    let direct = [
        (401, get(service.at("/stock/lamp"), &token).await),
        (401, get(service.at("/stock/lamp"), "x.y.z").await),
        (401, client.get(service.at("/stock/lamp")).send().await.unwrap()),
    ];
    for (status, answer) in answers.iter().chain(&direct) {
        assert_eq!(answer.status().as_u16(), *status, "{}", answer.url());
    }
    answers.extend(direct);

    // The service sends what it has when it ends; the authority takes from its store what it has, when it does.
    let listed = async || {
        let shown = shown(&durward);
        answers.iter().all(|(_, answer)| shown.get(&id(answer)) == Some(&1))
    };
    within(SOON, "every call is shown once, also those that name no realm", listed).await;
    let at_service = journal(&durward.directory().join("inventory/journal"));
    service.stop();
    durward.stop();

    let events = journal(&durward.data().join("journal"));
    let counts = count(&events);
    let doubled: Vec<_> = events.iter().filter(|event| counts[&(event.node.to_string(), event.id.to_string())] > 1).collect();
    assert!(doubled.is_empty(), "{doubled:#?}");
    for (status, answer) in &answers {
        let event = events.iter().find(|event| event.id.to_string() == id(answer)).unwrap_or_else(|| panic!("{}", answer.url()));
        assert_eq!(event.request.as_ref().unwrap().status, *status, "{event:?}");
    }
    let passed = id(&answers[0].1);
    let hops: Vec<_> = events.iter().filter(|event| event.chain.parent.as_ref() == Some(&passed)).collect();
    assert_eq!(hops.len(), 1, "the service's hop, once: {hops:#?}");
    assert_eq!(count(&at_service).values().max(), Some(&1));
    assert_eq!(events.iter().map(|event| event.lost).sum::<u64>(), 0);
}

/// How often each event is shown.
fn shown(durward: &Durward) -> HashMap<String, usize> {
    let page = durward.command(&["audit", "list", "--since", "10m", "--limit", "200"]);
    let mut shown = HashMap::new();
    for event in page["items"].as_array().unwrap() {
        *shown.entry(event["id"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    shown
}

#[tokio::test]
async fn a_connection_that_brings_no_request_is_counted_and_on_record_but_a_flood_is_not() {
    let durward = Durward::start().await;
    let client = durward.client();
    let gateway = durward.at_gateway("").replace("https://", "");
    let operations = durward.at_operations("").replace("http://", "");
    let send = async |address: &str, bytes: &[u8]| {
        let mut connection = TcpStream::connect(address).await.unwrap();
        connection.write_all(bytes).await.unwrap();
        let _ = connection.read_to_end(&mut Vec::new()).await;
    };
    for _ in 0..20 {
        send(&gateway, b"GET / HTTP/1.1\r\nhost: here\r\n\r\n").await;
        send(&operations, b"no request at all\r\n\r\n").await;
    }
    // A client that trusts other roots.
    assert!(reqwest::get(durward.at_gateway("/")).await.is_err());

    let refused = |page: &Value, reason: &str| {
        let items = page["items"].as_array().unwrap();
        items.iter().filter(|event| event["reason"] == reason && event["request"]["address"] == "127.0.0.1").count()
    };
    let recorded = async || {
        let page = durward.command(&["audit", "list", "--kind", "connection.refused"]);
        ["tls.not_tls", "tls.server_not_trusted"].iter().all(|reason| refused(&page, reason) == 1)
    };
    within(SOON, "one event for each reason", recorded).await;
    // A head that is none is answered, and what is answered has an event each.
    let page = durward.command(&["audit", "list", "--kind", "request.unrouted", "--limit", "100"]);
    let malformed = page["items"].as_array().unwrap().iter().filter(|event| event["request"]["status"] == 400).count();
    assert_eq!(malformed, 20, "{page}");
    let metrics = client.get(durward.at_operations("/metrics")).send().await.unwrap().text().await.unwrap();
    for line in [
        "durward_connections_unserved_total{listener=\"gateway\",reason=\"tls.not_tls\"} 20",
        "durward_connections_unserved_total{listener=\"gateway\",reason=\"tls.server_not_trusted\"} 1",
    ] {
        assert!(metrics.contains(line), "{line} is not in {metrics}");
    }
}

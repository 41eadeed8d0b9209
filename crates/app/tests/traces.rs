//! A trace as a collector sees it: the gateway's span below the caller's, the service's below the gateway's, the authority's likewise.

use reqwest::{Response, StatusCode};

use crate::fixture::{ALICE, Collector, Durward, PASSWORD, SOON, Service, Turn, within};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const CALLER: &str = "b7ad6b7169203331";

fn id(answer: &Response) -> String {
    answer.headers()["x-request-id"].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn each_hop_is_a_span_below_the_one_that_caused_it_and_says_no_secret() {
    let collector = Collector::listen().await;
    let durward = Durward::traced(Turn::shared().await, &collector.url).await;
    let service = Service::start(&durward, Some(&collector.url));
    let (application, client) = (durward.application(), durward.client());
    let token = application.log_in(ALICE, PASSWORD).await.access_token;
    let traceparent = |flags: &str| format!("00-{TRACE}-{CALLER}-{flags}");
    let call =
        async |url: String, traceparent: &str| client.get(url).bearer_auth(&token).header("traceparent", traceparent).send().await.unwrap();
    let served = async || call(durward.at_gateway("/stock/lamp"), "").await.status() == StatusCode::OK;
    within(SOON, "the route is served", served).await;

    let through = call(durward.at_gateway("/stock/lamp?secret=in-the-query"), &traceparent("01")).await;
    assert_eq!(through.status(), StatusCode::OK);
    let refused = call(durward.at_gateway("/nowhere"), &traceparent("01")).await;
    let at_issuer = call(application.at("oauth2/userinfo"), &traceparent("01")).await;
    let at_admin = call(durward.at("/admin/v1/people"), &traceparent("01")).await;
    let unsampled = call(durward.at_gateway("/stock/lamp"), &traceparent("00")).await;
    let malformed = call(durward.at_gateway("/stock/lamp"), &format!("00-{TRACE}-{}-01", "0".repeat(16))).await;

    let arrived =
        async || [&through, &refused, &at_issuer, &at_admin, &malformed].iter().all(|call| collector.of_request(&id(call)).is_some());
    within(SOON, "the authority's spans are collected", arrived).await;
    let gateway = collector.of_request(&id(&through)).unwrap();
    let below = async || collector.spans().iter().any(|span| span.parent == gateway.id);
    within(SOON, "the service's span is collected", below).await;

    for (call, name, route, status) in [
        (&through, "GET stock", Some("stock"), "200"),
        (&refused, "GET", None, "404"),
        (&at_issuer, "GET /realms/{realm}/oauth2/userinfo", Some("/realms/{realm}/oauth2/userinfo"), "200"),
        (&at_admin, "GET /admin/v1/people", Some("/admin/v1/people"), "401"),
    ] {
        let span = collector.of_request(&id(call)).unwrap();
        assert_eq!((span.trace.as_str(), span.parent.as_str(), span.name.as_str()), (TRACE, CALLER, name));
        assert_eq!(span.attributes.get("http.route").map(String::as_str), route);
        assert_eq!(span.attributes["http.response.status_code"], status);
        assert_eq!(span.service, "durward");
    }
    let at_service = collector.spans().into_iter().find(|span| span.parent == gateway.id).unwrap();
    assert_eq!((at_service.trace.as_str(), at_service.service.as_str()), (TRACE, "inventory"));
    assert_eq!(at_service.attributes["http.route"], "/stock/{sku}");
    assert_eq!(at_service.attributes["durward.node"], "service/inventory");
    assert_ne!(collector.of_request(&id(&malformed)).unwrap().trace, TRACE, "what is no traceparent is ignored");
    assert!(collector.of_request(&id(&unsampled)).is_none(), "the caller does not sample");
    let said = format!("{:?}", collector.spans());
    for secret in [token.as_str(), PASSWORD, "in-the-query"] {
        assert!(!said.contains(secret));
    }
    service.stop();
}

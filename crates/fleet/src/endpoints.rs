//! The endpoints of the nodes listener.

use durward_model::{AccessClass, EventKind, RateClass};
use durward_net::{Endpoint, Endpoints};

use crate::{Fleet, http};

pub(crate) fn list(fleet: Fleet) -> Vec<Endpoint> {
    Endpoints::new(fleet)
        .get("/feed/v1", AccessClass::Node, RateClass::Machine, EventKind::FeedRead, http::feed::v1::get)
        .post("/internal/v1/events", AccessClass::Node, RateClass::Machine, EventKind::EventsReceived, http::internal::v1::events::post)
        .post(
            "/internal/v1/resolve",
            AccessClass::Node,
            RateClass::Machine,
            EventKind::CredentialResolved,
            http::internal::v1::resolve::post,
        )
        .into_rows()
}

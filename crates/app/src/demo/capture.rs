//! An upstream of the walk's own: it keeps the identity token it is sent, so that the walk can show how that token dies.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use tokio::net::TcpListener;

/// The route that leads here, declared for the walk alone.
pub(super) const ROUTE: &str = "/walk";

/// The upstream; `Authorization` of the last request it was sent.
pub(super) struct Capture {
    pub(super) address: SocketAddr,
    seen: Arc<Mutex<Option<String>>>,
}

impl Capture {
    pub(super) async fn listen() -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let seen: Arc<Mutex<Option<String>>> = Arc::default();
        let keep = Arc::clone(&seen);
        let router = Router::new().fallback(move |headers: HeaderMap| {
            let authorization = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).map(str::to_owned);
            *keep.lock().unwrap_or_else(PoisonError::into_inner) = authorization;
            std::future::ready(())
        });
        tokio::spawn(axum::serve(listener, router).into_future());
        Ok(Self { address, seen })
    }

    /// The declaration of the route: what payments is given on `/orders`, this is given on `/walk`.
    pub(super) fn declaration(&self) -> String {
        format!(
            "kind: route\nname: walk\npath: {ROUTE}\nupstream: http://{}\nservice: payments\naudience: shop\nrequire: {{roles: [customer]}}\n",
            self.address
        )
    }

    /// The identity token last seen.
    pub(super) fn identity(&self) -> Option<String> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.as_deref()?.strip_prefix("Bearer ").map(str::to_owned)
    }
}

//! The endpoint table: one row an endpoint, with its access, its rate and its audit event. An endpoint without them does not compile.

use axum::Router;
use axum::handler::Handler;
use axum::routing::{MethodFilter, MethodRouter, on};
use durward_model::{AccessClass, EventKind, RateClass};

/// One row: a method on a path.
pub struct Endpoint {
    /// `GET`, `POST`, …
    pub method: &'static str,
    /// The path, with `{name}` for a parameter.
    pub path: &'static str,
    /// Who may call it.
    pub access: AccessClass,
    /// How often.
    pub rate: RateClass,
    /// The event that a call of it writes.
    pub event: EventKind,
    /// The handler's path in the code: `durward_issuer::http::oauth2::token::post`.
    pub handler: &'static str,
    pub(crate) route: MethodRouter,
}

/// A row as it stands in a listing: method, path, access, rate, event, handler.
impl std::fmt::Display for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { method, path, access, rate, event, handler, .. } = self;
        write!(f, "{method} {path} {access:?} {rate:?} {} {handler}", event.name())
    }
}

/// A crate's endpoints while they are being listed.
pub struct Endpoints<S> {
    state: S,
    rows: Vec<Endpoint>,
}

impl<S: Clone + Send + Sync + 'static> Endpoints<S> {
    /// An empty list whose handlers share `state`.
    pub const fn new(state: S) -> Self {
        Self { state, rows: Vec::new() }
    }

    /// Adds `GET path`, which answers HEAD too.
    #[must_use]
    pub fn get<H: Handler<T, S>, T: 'static>(
        self,
        path: &'static str,
        access: AccessClass,
        rate: RateClass,
        event: EventKind,
        handler: H,
    ) -> Self {
        self.add((MethodFilter::GET, "GET"), path, (access, rate, event), handler)
    }

    /// Adds `POST path`.
    #[must_use]
    pub fn post<H: Handler<T, S>, T: 'static>(
        self,
        path: &'static str,
        access: AccessClass,
        rate: RateClass,
        event: EventKind,
        handler: H,
    ) -> Self {
        self.add((MethodFilter::POST, "POST"), path, (access, rate, event), handler)
    }

    /// Adds `OPTIONS path`: scripts of other origins may read what the path answers.
    #[must_use]
    pub fn options<H: Handler<T, S>, T: 'static>(
        self,
        path: &'static str,
        access: AccessClass,
        rate: RateClass,
        event: EventKind,
        handler: H,
    ) -> Self {
        self.add((MethodFilter::OPTIONS, "OPTIONS"), path, (access, rate, event), handler)
    }

    /// Adds `PUT path`.
    #[must_use]
    pub fn put<H: Handler<T, S>, T: 'static>(
        self,
        path: &'static str,
        access: AccessClass,
        rate: RateClass,
        event: EventKind,
        handler: H,
    ) -> Self {
        self.add((MethodFilter::PUT, "PUT"), path, (access, rate, event), handler)
    }

    /// Adds `DELETE path`.
    #[must_use]
    pub fn delete<H: Handler<T, S>, T: 'static>(
        self,
        path: &'static str,
        access: AccessClass,
        rate: RateClass,
        event: EventKind,
        handler: H,
    ) -> Self {
        self.add((MethodFilter::DELETE, "DELETE"), path, (access, rate, event), handler)
    }

    /// The rows.
    pub fn into_rows(self) -> Vec<Endpoint> {
        self.rows
    }

    fn add<H: Handler<T, S>, T: 'static>(
        mut self,
        (filter, method): (MethodFilter, &'static str),
        path: &'static str,
        (access, rate, event): (AccessClass, RateClass, EventKind),
        handler: H,
    ) -> Self {
        let route = on(filter, handler).with_state(self.state.clone());
        self.rows.push(Endpoint { method, path, access, rate, event, handler: std::any::type_name::<H>(), route });
        self
    }
}

/// One router over rows; rows of one path are merged, so that 405 names what is allowed.
pub(crate) fn router(rows: impl IntoIterator<Item = (&'static str, MethodRouter)>) -> Router {
    rows.into_iter().fold(Router::new(), |router, (path, route)| router.route(path, route))
}

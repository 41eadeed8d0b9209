//! `/assets/{file}`: the stylesheet and the icon, under names that hold their hash and may be kept for ever.

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use durward_net::Problem;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, StatusCode};

/// `GET /assets/{file}`
pub async fn get(Path(file): Path<String>) -> Response {
    let Some(asset) = [&STYLESHEET, &ICON].into_iter().find(|asset| asset.name() == file) else {
        return Problem::new(StatusCode::NOT_FOUND, "not_found", "There is no such file.").into_response();
    };
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(asset.content_type)),
        (CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable")),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    (headers, asset.content).into_response()
}

/// A file in the binary.
pub(crate) struct Asset {
    stem: &'static str,
    extension: &'static str,
    content_type: &'static str,
    content: &'static str,
    hash: u64,
}

/// How the pages look.
pub(crate) const STYLESHEET: Asset = Asset::new("durward", "css", "text/css; charset=utf-8", include_str!("../../../assets/durward.css"));
/// The mark in the browser's tab.
pub(crate) const ICON: Asset = Asset::new("durward", "svg", "image/svg+xml", include_str!("../../../assets/durward.svg"));

impl Asset {
    const fn new(stem: &'static str, extension: &'static str, content_type: &'static str, content: &'static str) -> Self {
        Self { stem, extension, content_type, content, hash: fnv_1a(content.as_bytes()) }
    }

    /// The address pages name it by.
    pub(crate) fn path(&self) -> String {
        format!("/assets/{}", self.name())
    }

    fn name(&self) -> String {
        format!("{}-{:016x}.{}", self.stem, self.hash, self.extension)
    }
}

/// FNV-1a: tells versions of our own files apart; nothing else relies on it.
#[allow(clippy::indexing_slicing, reason = "a constant function has no iterators; the index is below the length")]
const fn fnv_1a(bytes: &[u8]) -> u64 {
    let (mut hash, mut at) = (0xcbf2_9ce4_8422_2325_u64, 0);
    while at < bytes.len() {
        hash = (hash ^ bytes[at] as u64).wrapping_mul(0x100_0000_01b3);
        at += 1;
    }
    hash
}

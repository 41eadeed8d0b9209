//! gRPC over HTTP/2: a refusal as its clients read it, "Trailers-Only": a status in the place of the trailers, and no message before it.

use axum::body::Body;
use durward_net::Problem;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use http::{Response, StatusCode, Version};

const STATUS: HeaderName = HeaderName::from_static("grpc-status");
const MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
const CONTENT: HeaderValue = HeaderValue::from_static("application/grpc");

/// The statuses that refusals have.
const UNKNOWN: u8 = 2;
const PERMISSION_DENIED: u8 = 7;
const RESOURCE_EXHAUSTED: u8 = 8;
const UNIMPLEMENTED: u8 = 12;
const INTERNAL: u8 = 13;
const UNAVAILABLE: u8 = 14;
const UNAUTHENTICATED: u8 = 16;

/// Whether a request is a call: over HTTP/1.1 there are none.
pub(crate) fn is_call(parts: &Parts) -> bool {
    parts.version == Version::HTTP_2 && is_grpc(&parts.headers)
}

/// Whether a message is one of gRPC: `application/grpc`, perhaps with what its messages are written in.
pub(crate) fn is_grpc(headers: &HeaderMap) -> bool {
    let content = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    content.strip_prefix(b"application/grpc").is_some_and(|rest| matches!(rest.first(), None | Some(b'+' | b';')))
}

/// The answer to a call that was refused for this problem.
pub(crate) fn refused(mut response: Response<Body>, problem: &Problem) -> Response<Body> {
    let message = format!("{}: {}", problem.code(), problem.detail());
    let status = status(response.status());
    *response.status_mut() = StatusCode::OK;
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_LENGTH);
    headers.insert(header::CONTENT_TYPE, CONTENT);
    headers.insert(STATUS, HeaderValue::from(u16::from(status)));
    headers.extend(HeaderValue::try_from(encoded(&message)).ok().map(|message| (MESSAGE, message)));
    *response.body_mut() = Body::empty();
    response
}

/// The trailers of a stream whose credential counts no more.
pub(crate) fn credential_ended() -> HeaderMap {
    HeaderMap::from_iter([
        (STATUS, HeaderValue::from(u16::from(UNAUTHENTICATED))),
        (MESSAGE, HeaderValue::from_static("credential_ended: the credential of this call counts no more")),
    ])
}

/// The status that stands for HTTP's: as gRPC's own table has it, but that too many requests are no outage.
const fn status(status: StatusCode) -> u8 {
    match status {
        StatusCode::UNAUTHORIZED => UNAUTHENTICATED,
        StatusCode::FORBIDDEN => PERMISSION_DENIED,
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED => UNIMPLEMENTED,
        StatusCode::TOO_MANY_REQUESTS | StatusCode::PAYLOAD_TOO_LARGE | StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => RESOURCE_EXHAUSTED,
        StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => UNAVAILABLE,
        StatusCode::BAD_REQUEST | StatusCode::INTERNAL_SERVER_ERROR => INTERNAL,
        _ => UNKNOWN,
    }
}

/// "Percent-Encoded → 1*(Percent-Byte-Unencoded / Percent-Byte-Encoded)".
fn encoded(message: &str) -> String {
    let byte = |byte| match byte {
        b' '..=b'~' if byte != b'%' => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    message.bytes().map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_told_by_its_content() {
        for (content, is_call) in [
            ("application/grpc", true),
            ("application/grpc+proto", true),
            ("application/grpc;charset=x", true),
            ("application/grpc-web", false),
            ("application/json", false),
        ] {
            assert_eq!(is_grpc(&HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(content))])), is_call, "{content}");
        }
        assert!(!is_grpc(&HeaderMap::new()));
    }

    #[test]
    fn a_refusal_keeps_its_fields_and_says_its_reason_in_one_line() {
        let problem = Problem::new(StatusCode::UNAUTHORIZED, "no_credential", "Ask for one:\n100 % free — here.");
        let mut response = problem.render(None);
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        let response = refused(response, &problem);
        let field = |name: &str| response.headers().get(name).map(|value| value.to_str().unwrap());
        assert_eq!((response.status(), field("content-type"), field("content-length")), (StatusCode::OK, Some("application/grpc"), None));
        assert_eq!((field("grpc-status"), field("www-authenticate")), (Some("16"), Some("Bearer")));
        assert_eq!(field("grpc-message"), Some("no_credential: Ask for one:%0A100 %25 free %E2%80%94 here."));
    }
}

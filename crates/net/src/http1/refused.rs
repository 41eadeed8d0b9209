//! Why a request is not taken up.

use http::{HeaderValue, StatusCode, header};

use crate::Problem;

/// Why a request is not taken up. The connection closes behind the answer: what follows on it cannot be told apart from what came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is not of RFC 9112's grammar.
    #[error("{0}")]
    Malformed(&'static str),
    /// It does not name one host.
    #[error("{0}")]
    Host(&'static str),
    /// Its `Content-Length` is not one number.
    #[error("{0}")]
    ContentLength(&'static str),
    /// Its `Transfer-Encoding` is not exactly `chunked`, or stands beside a length.
    #[error("{0}")]
    TransferEncoding(&'static str),
    /// Its target is longer than 8 KiB.
    #[error("The request's target is longer than 8 KiB.")]
    TargetTooLong,
    /// Its head is longer than the listener takes.
    #[error("The request's head is too long.")]
    HeadTooLarge,
    /// It has more than 100 fields.
    #[error("The request has more than 100 header fields.")]
    TooManyFields,
    /// Its head did not come in time.
    #[error("The request's head did not come in time.")]
    TooSlow,
    /// It expects more than leave to go on.
    #[error("Only `100-continue` may be expected.")]
    Expectation,
    /// Its body is in a coding.
    #[error("The body must come as it is, without a Content-Encoding.")]
    ContentCoding,
    /// It is of another version of HTTP.
    #[error("This server speaks HTTP/1.1, and HTTP/2 where TLS agreed on it.")]
    Version,
}

impl Refused {
    /// The status answered.
    pub const fn status(self) -> StatusCode {
        match self {
            Self::Malformed(_) | Self::Host(_) | Self::ContentLength(_) | Self::TransferEncoding(_) => StatusCode::BAD_REQUEST,
            Self::TargetTooLong => StatusCode::URI_TOO_LONG,
            Self::HeadTooLarge | Self::TooManyFields => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Expectation => StatusCode::EXPECTATION_FAILED,
            Self::ContentCoding => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Version => StatusCode::HTTP_VERSION_NOT_SUPPORTED,
        }
    }

    /// The stable reason, in answers and on record.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed(_) => "malformed",
            Self::Host(_) => "host",
            Self::ContentLength(_) => "content_length",
            Self::TransferEncoding(_) => "transfer_encoding",
            Self::TargetTooLong => "target_too_long",
            Self::HeadTooLarge => "head_too_large",
            Self::TooManyFields => "too_many_fields",
            Self::TooSlow => "head_too_slow",
            Self::Expectation => "expectation",
            Self::ContentCoding => "content_coding",
            Self::Version => "version",
        }
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        let problem = Self::new(refused.status(), refused.code(), refused.to_string());
        let problem = problem.header(header::CONNECTION, HeaderValue::from_static("close"));
        match refused {
            // RFC 9110 15.5.16: what would be taken.
            Refused::ContentCoding => problem.header(header::ACCEPT_ENCODING, HeaderValue::from_static("identity")),
            _ => problem,
        }
    }
}

//! Why the admin API does not do what it is asked, and how it says so.

use axum::Json;
use axum::response::{IntoResponse, Response};
use durward_model::{AdminRole, ResourceKind};
use durward_net::Problem;
use durward_node::JournalError;
use durward_store::{CommitError, StoreError};
use http::{HeaderValue, StatusCode, header};
use serde_json::json;

use crate::Fault;

/// Why a request is not done. Nothing of it was.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Refused {
    /// What it leads to is not valid.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Faults(Vec<Fault>),
    /// The caller may not.
    #[error("{} \"{name}\" may be changed with the role {} only", .kind.name(), .needed.name())]
    Beyond {
        /// The kind of what they may not change.
        kind: ResourceKind,
        /// Its name.
        name: String,
        /// The role that may.
        needed: AdminRole,
    },
    /// The caller may not, for all that is known of whose it is.
    #[error("whose this token is, is not on record here: it may be revoked with the role durward-admin only")]
    Unowned,
    /// What it is about is not there.
    #[error("{0}")]
    NotFound(String),
    /// The request itself is not understood.
    #[error("{0}")]
    Invalid(String),
    /// What it asks for cannot be done to this.
    #[error("{0}")]
    Impossible(String),
    /// Someone else changed the same meanwhile.
    #[error("someone else changed the same just now: look again and repeat")]
    Conflict,
    /// The store or the journal does not answer.
    #[error("{0}")]
    Unavailable(String),
    /// The audit record is not what was written.
    #[error("{0}")]
    Altered(String),
    /// Something of this process failed.
    #[error("{0}")]
    Failed(String),
}

impl Refused {
    /// Nothing of this name or id is in the realm.
    pub(crate) fn no(what: &str, name: &str) -> Self {
        Self::NotFound(format!("this realm has no {what} \"{}\"", name.chars().take(128).collect::<String>()))
    }

    /// The stable reason.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Faults(_) => "resources_invalid",
            Self::Beyond { .. } | Self::Unowned => "beyond_role",
            Self::NotFound(_) => "not_found",
            Self::Invalid(_) => "invalid_request",
            Self::Impossible(_) => "not_possible",
            Self::Conflict => "conflict",
            Self::Unavailable(_) => "store_unavailable",
            Self::Altered(_) => "journal_altered",
            Self::Failed(_) => "internal",
        }
    }

    const fn status(&self) -> StatusCode {
        match self {
            Self::Faults(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Beyond { .. } | Self::Unowned => StatusCode::FORBIDDEN,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::Invalid(_) => StatusCode::BAD_REQUEST,
            Self::Impossible(_) | Self::Conflict => StatusCode::CONFLICT,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Altered(_) | Self::Failed(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl From<CommitError> for Refused {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Conflict { .. } => Self::Conflict,
            CommitError::Unavailable(cause) => Self::Unavailable(cause.to_string()),
        }
    }
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unsupported(what) => Self::Impossible(what.to_owned()),
            StoreError::Unavailable(_) | StoreError::Corrupt { .. } | StoreError::Gap { .. } => Self::Unavailable(error.to_string()),
        }
    }
}

impl From<JournalError> for Refused {
    fn from(error: JournalError) -> Self {
        match error {
            JournalError::Altered { .. } | JournalError::Checkpoint { .. } => Self::Altered(error.to_string()),
            JournalError::InUse(_) | JournalError::Disk { .. } | JournalError::Closed => Self::Unavailable(error.to_string()),
        }
    }
}

/// RFC 9457, with the faults one by one where there are some.
impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let status = self.status();
        match self {
            Self::Faults(faults) => {
                let body = json!({
                    "type": "about:blank",
                    "title": status.canonical_reason(),
                    "status": status.as_u16(),
                    "code": "resources_invalid",
                    "detail": "What this leads to is not valid; nothing was changed.",
                    "faults": faults,
                });
                let headers = [(header::CONTENT_TYPE, "application/problem+json"), (header::CACHE_CONTROL, "no-store")];
                (status, headers, Json(body)).into_response()
            }
            // What the database says is for its operators, who read the log.
            Self::Unavailable(cause) => {
                tracing::error!(cause, "the admin API could not reach what it needs");
                Problem::new(status, "store_unavailable", "The store does not answer; try again in a moment.")
                    .header(header::RETRY_AFTER, HeaderValue::from_static("1"))
                    .into_response()
            }
            Self::Failed(cause) => {
                tracing::error!(cause, "the admin API failed");
                Problem::new(status, "internal", "Something went wrong here; the request id names it in the log.").into_response()
            }
            other => Problem::new(status, other.reason(), other.to_string()).into_response(),
        }
    }
}

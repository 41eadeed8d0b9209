//! RFC 6749 section 4.1 and OpenID Connect Core section 3.1.2: the authorization endpoint, from request to code.
//!
//! [`AuthorizationRequest::read`] (is it a request we may act on?) → [`next`] (who must be asked what first?) → [`issue`] (the code).

mod claims_request;
mod interaction;
mod issue;
mod request;
mod response;
mod response_type;

pub use interaction::{Login, Next, Progress, next};
pub(crate) use issue::open as open_family;
pub use issue::{Issuance, IssueFacts, issue};
pub use request::{AuthorizationRequest, DENIED_BY_PERSON, Prompt};
pub use response::{AuthorizationResponse, Delivery, ErrorRedirect, Refusal, ResponseMode};
pub use response_type::{Implicit, ResponseType};

//! Sections 5 to 7: what is asked. Members that are not known here are passed over, as the standard has it; none of them decides anything.

use std::net::IpAddr;

use durward_base::Secret;
use durward_jose::json::{self, JsonError, Limits};
use serde::Deserialize;
use serde_json::{Map, Value};

/// The longest request, in bytes.
pub const LONGEST: usize = 256 * 1024;
/// The most questions of one request (POL-010).
pub const MOST_QUESTIONS: usize = 100;

const LIMITS: Limits = Limits { bytes: LONGEST, depth: 16 };

/// A request that can be answered.
#[derive(Debug)]
pub struct AccessRequest {
    questions: Vec<Question>,
    semantic: Semantic,
    single: bool,
}

/// A request that cannot: 400.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccessRequestError {
    /// No JSON object.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// A member is missing or of another type.
    #[error("a question needs subject {{type, id}}, action {{name}} and resource {{type, id}}, each a string: {0}")]
    Question(String),
    /// Too many questions.
    #[error("{0} questions in one request, at most {MOST_QUESTIONS} are answered")]
    TooMany(usize),
    /// Section 7.1.2: none of the three.
    #[error("options.evaluations_semantic is execute_all, deny_on_first_deny or permit_on_first_permit")]
    Semantic,
}

/// Section 7.1.2.1: how far several questions are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Semantic {
    #[default]
    ExecuteAll,
    DenyOnFirstDeny,
    PermitOnFirstPermit,
}

/// May this subject do this to that?
#[derive(Debug, Deserialize)]
pub(super) struct Question {
    pub subject: Subject,
    pub action: Action,
    pub resource: Resource,
    #[serde(default)]
    pub context: Context,
}

/// Section 5.1.
#[derive(Debug, Deserialize)]
pub(super) struct Subject {
    #[serde(rename = "type")]
    pub kind: String,
    pub id: String,
    #[serde(default)]
    pub properties: Properties,
}

/// What of a subject's properties counts: its proof.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Properties {
    #[serde(default)]
    pub token: Option<Secret>,
}

/// Section 5.3.
#[derive(Debug, Deserialize)]
pub(super) struct Action {
    pub name: String,
}

/// Section 5.2.
#[derive(Debug, Deserialize)]
pub(super) struct Resource {
    #[serde(rename = "type")]
    pub kind: String,
    pub id: String,
}

/// Section 5.4: what of the circumstances is taken from the asker.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Context {
    #[serde(default)]
    pub address: Option<IpAddr>,
}

impl AccessRequest {
    /// Reads one question.
    ///
    /// # Errors
    /// `AccessRequestError` when it cannot be answered.
    pub fn one(body: &[u8]) -> Result<Self, AccessRequestError> {
        let request = json::object(body, LIMITS)?;
        Ok(Self { questions: vec![question(request)?], semantic: Semantic::default(), single: true })
    }

    /// Reads several. Section 7.1: what stands outside of `evaluations` is each question's unless it says otherwise; without any, it is one question.
    ///
    /// # Errors
    /// `AccessRequestError` when it cannot be answered.
    pub fn several(body: &[u8]) -> Result<Self, AccessRequestError> {
        let mut request = json::object(body, LIMITS)?;
        let semantic = match request.remove("options").as_mut().and_then(|options| options.get_mut("evaluations_semantic")) {
            Some(semantic) => serde_json::from_value(semantic.take()).map_err(|_| AccessRequestError::Semantic)?,
            None => Semantic::default(),
        };
        let several = match request.remove("evaluations") {
            None => Vec::new(),
            Some(Value::Array(several)) => several,
            Some(_) => return Err(AccessRequestError::Question("evaluations is no array".to_owned())),
        };
        if several.is_empty() {
            return Ok(Self { questions: vec![question(request)?], semantic, single: true });
        }
        if several.len() > MOST_QUESTIONS {
            return Err(AccessRequestError::TooMany(several.len()));
        }
        let whole = |own: Value| match own {
            Value::Object(own) => question(request.clone().into_iter().chain(own).collect()),
            _ => Err(AccessRequestError::Question("an evaluation is no object".to_owned())),
        };
        Ok(Self { questions: several.into_iter().map(whole).collect::<Result<_, _>>()?, semantic, single: false })
    }

    pub(super) fn questions(&self) -> &[Question] {
        &self.questions
    }

    pub(super) const fn semantic(&self) -> Semantic {
        self.semantic
    }

    pub(super) const fn is_single(&self) -> bool {
        self.single
    }
}

fn question(members: Map<String, Value>) -> Result<Question, AccessRequestError> {
    serde_json::from_value(Value::Object(members)).map_err(|error| AccessRequestError::Question(shape(&error)))
}

/// What serde says, without the values it quotes.
fn shape(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split_once(": ").filter(|_| text.starts_with("invalid")).map_or(text.clone(), |(kind, _)| kind.to_owned())
}

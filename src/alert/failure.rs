//! Why a destination did not take what was sent.

use std::time::Duration;

use crate::outbound::{Answer, SendError};

/// Characters of a refusal that are shown.
const SHOWN: usize = 200;

/// A destination did not take what was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct Failure {
    /// What went wrong. It holds nothing of what the destination said, which may quote what was sent.
    pub problem: String,
    /// What the destination said, on one line and shortened; often empty.
    pub said: String,
    /// How long the destination asks to wait.
    pub retry_after: Option<Duration>,
}

impl Failure {
    #[cfg(feature = "email")]
    pub(super) fn new(problem: String, said: &str) -> Self {
        Self {
            problem,
            said: shown(said),
            retry_after: None,
        }
    }

    /// The failure that a response with a status other than 2xx means.
    pub(super) fn of(answer: &Answer, retry_after: Option<Duration>) -> Self {
        Self {
            problem: format!("it answered {}", answer.status),
            said: shown(&String::from_utf8_lossy(&answer.body)),
            retry_after: retry_after.or(answer.retry_after),
        }
    }
}

fn shown(text: &str) -> String {
    let plain = text.chars().filter(|letter| !letter.is_control());
    plain.take(SHOWN).collect()
}

impl From<SendError> for Failure {
    fn from(error: SendError) -> Self {
        Self {
            problem: error.to_string(),
            said: String::new(),
            retry_after: None,
        }
    }
}

//! A reaction to the message in `quotedMessage`.

use serde::Deserialize;

use crate::notification::scalar::Text;

/// `reactionMessage`.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct ReactionMessage<'a> {
    /// The reaction.
    pub extended_text_message_data: Reaction<'a>,
}

/// A reaction.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct Reaction<'a> {
    /// The emoji; an empty string withdraws the reaction.
    pub text: Option<Text<'a>>,
}

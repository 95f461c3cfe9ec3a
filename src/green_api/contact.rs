//! `getContactInfo`: the contact of a private chat.

use serde_json::json;

use super::error::{CallError, Refusal};
use super::{Account, Api};

impl Api {
    /// `getContactInfo`: the `chatId` that GREEN-API answers for a private chat. The documents do not say whether it
    /// is the identifier that was asked for or the same person's other one. `None` if GREEN-API does not know the chat.
    pub async fn contact_chat(
        &self,
        account: &Account,
        chat_id: &str,
    ) -> Result<Option<String>, CallError> {
        let data = json!({ "chatId": chat_id });
        let data = data.as_object().cloned().unwrap_or_default();
        match self.post(account, "getContactInfo", &data).await {
            Ok(read) => Ok(read["chatId"].as_str().map(str::to_owned)),
            Err(CallError::Refused {
                refusal: Refusal::Other(400, _),
                ..
            }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

//! Polls and votes.

use green_inbox::notification::MessageContent as Content;
use serde_json::json;

use super::Row;

pub(super) fn rows() -> Vec<Row> {
    vec![
        Row {
            type_message: "pollMessage",
            key: "pollMessageData",
            payload: json!({
                "name": "Когда?",
                "options": [{ "optionName": "Сегодня" }, { "optionName": "Завтра" }],
                "multipleAnswers": true,
            }),
            matches: |found| {
                let Content::PollMessage(found) = found else {
                    return false;
                };
                let data = &found.poll_message_data;
                let options = data.options.as_ref().unwrap();
                data.name.as_deref() == Some("Когда?")
                    && options.len() == 2
                    && options[1].option_name.as_deref() == Some("Завтра")
                    && data.multiple_answers == Some(true)
            },
        },
        Row {
            type_message: "pollUpdateMessage",
            key: "pollMessageData",
            payload: json!({
                "stanzaId": "B4",
                "name": "Когда?",
                "votes": [
                    { "optionName": "Сегодня", "optionVoters": [] },
                    { "optionName": "Завтра", "optionVoters": ["79000000013@c.us", 10_000_013] },
                ],
            }),
            matches: |found| {
                let Content::PollUpdateMessage(found) = found else {
                    return false;
                };
                let data = &found.poll_message_data;
                let votes = data.votes.as_ref().unwrap();
                let chosen_by = votes[1].option_voters.as_ref().unwrap();
                data.stanza_id.as_deref() == Some("B4")
                    && data.name.as_deref() == Some("Когда?")
                    && votes[0].option_voters.as_ref().unwrap().is_empty()
                    && votes[1].option_name.as_deref() == Some("Завтра")
                    && *chosen_by[0] == *"79000000013@c.us"
                    && *chosen_by[1] == *"10000013"
            },
        },
    ]
}

//! The texts of the page: one typed struct, and one constant of it for each language. The scripts get the same
//! struct as JSON.

mod alerts;
mod english;
mod names;
mod russian;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Serialize;

use super::language::Language;
use crate::model::AlertName;
use alerts::AlertText;
pub(super) use names::{Calls, Kinds, States, Statuses, Types};

/// Declares the texts, so that each is named once.
macro_rules! words {
    ($($name:ident)*) => {
        /// Every text of the page in one language.
        #[derive(Debug, Serialize)]
        #[serde(rename_all = "camelCase")]
        pub(super) struct Words {
            $(pub(super) $name: &'static str,)*
            /// Values of `typeWebhook`.
            pub(super) types: Types,
            /// Values of `typeMessage`.
            pub(super) kinds: Kinds,
            /// Delivery statuses.
            pub(super) statuses: Statuses,
            /// States of an account.
            pub(super) states: States,
            /// Statuses of a call.
            pub(super) calls: Calls,
            /// What an alert says.
            #[serde(skip)]
            pub(super) alert_text: fn(AlertName) -> AlertText,
        }
    };
}

words! {
    // The language itself, and the language that the switch leads to.
    code other_code other_name
    // Frame.
    skip sections live instances health theme blur help sign_out close offline_note needs_script
    // Live list.
    live_title search search_hint filters type_label kind_label instance_label chat_label outcome_label drift_only
    since_label until_label any apply clear pause resume new_count skipped older newest no_events no_matches list_label
    state_live state_connecting state_paused state_lost state_signed_out state_search state_older announce
    outcome_known outcome_unknown outcome_malformed drift late duplicate times_delivered loading load_failed retry
    // Summaries.
    empty_message deleted_message edited_message reacted withdrew_reaction voted shared_contact shared_location
    invites poll_asks chose account_state socket_state quota blocked_chat device avatar unknown_type forwarded
    file_no_name you
    // One event.
    event neighbours previous next fields received timestamp last_received deliveries duplicate_of reason
    drift_title drift_help path expected found body copy copy_curl copied copy_failed whole_body body_cut
    body_not_text body_damaged bytes same_message first_event status edited deleted reaction vote open_chat
    no_value link_help summary origin origin_webhook origin_pull origin_journal
    // Chat.
    chat jump conversation no_messages older_messages later_messages latest quoted open_file thumbnail location votes call
    file_waiting file_lost
    open_event to_bottom search_chat matches
    // Accounts.
    state_unknown since newest_event last_day last_day_text no_instances alerts more_instances events_of queue
    // Health.
    health_ready health_not_ready rate per_minute commit_time lag_time database wal projection_file disk_free
    projection_lag waiting stored_events oldest_event retention backup rejections rejections_none explain_help
    explain_setting firing no_alerts since_start updated readers not_known resolved_alerts alert_times
    // Forwarding.
    forward forward_title no_destinations forward_running forward_failing forward_open forward_disabled forward_elsewhere position
    position_of backlog backlog_of no_backlog attempts attempts_of breaker breaker_open breaker_closed last_delivery
    failing_since last_problem enable forward_enabled dead_letters no_dead_letters dead_since more_dead_letters
    event_number send_again send_again_help send_again_to send_again_event send_dead send_event send_chat send_chat_to
    queued send_failed
    // Sign-in.
    sign_in sign_in_help token wrong_token
    // Failures.
    not_found not_found_help busy busy_help damaged damaged_help internal internal_help refused refused_help
    too_many too_many_help go_live from_outside from_outside_help
    // Keys.
    key_search key_down key_up key_open key_leave key_pause key_blur key_help key_newest
}

/// The texts in `language`, and the same as JSON.
pub(super) fn of(language: Language) -> (&'static Words, &'static str) {
    static ENGLISH: LazyLock<String> = LazyLock::new(|| json(&english::ENGLISH));
    static RUSSIAN: LazyLock<String> = LazyLock::new(|| json(&russian::RUSSIAN));
    match language {
        Language::English => (&english::ENGLISH, &ENGLISH),
        Language::Russian => (&russian::RUSSIAN, &RUSSIAN),
    }
}

fn json(words: &Words) -> String {
    // Cannot fail: texts always serialize to JSON.
    serde_json::to_string(words).unwrap_or_default()
}

/// What each alert says, as JSON, for the script that shows all of them.
pub(super) fn alert_texts(words: &Words) -> String {
    #[derive(Serialize)]
    struct Text {
        /// The headline as the API has it.
        original: &'static str,
        headline: &'static str,
        help: &'static str,
    }
    let texts: BTreeMap<_, _> = AlertName::ALL
        .into_iter()
        .map(|name| {
            let (headline, help) = (words.alert_text)(name);
            let text = Text {
                original: name.headline(),
                headline,
                help,
            };
            (name.name(), text)
        })
        .collect();
    // Cannot fail either.
    serde_json::to_string(&texts).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{AlertName, Language, of};

    #[test]
    fn every_alert_has_a_russian_text() {
        for name in AlertName::ALL {
            let (headline, help) = (of(Language::Russian).0.alert_text)(name);
            let is_russian = |text: &str| text.chars().any(|letter| ('а'..='я').contains(&letter));
            assert!(is_russian(headline) && is_russian(help), "{}", name.name());
        }
    }

    fn fields(language: Language) -> serde_json::Value {
        serde_json::from_str(of(language).1).unwrap()
    }

    #[test]
    fn no_text_is_empty_and_placeholders_agree() {
        let placeholders = |text: &str| {
            let mut found: Vec<_> = text
                .split('{')
                .skip(1)
                .map(|rest| rest.split('}').next().unwrap().to_owned())
                .collect();
            found.sort();
            found
        };
        let russian = fields(Language::Russian);
        for (name, english) in fields(Language::English).as_object().unwrap() {
            let (Some(english), Some(russian)) = (english.as_str(), russian[name].as_str()) else {
                continue;
            };
            assert!(!english.is_empty() && !russian.is_empty(), "{name}");
            assert_eq!(placeholders(english), placeholders(russian), "{name}");
        }
    }
}

//! The samples of Telegram, which has channels and bots and asks for a code and a password.

use super::scene::Chat;
use super::script::{Script, api, event, incoming, phone};
use super::{account, card, change, delivery, media, poll, quote, text};

const STATE: &str = "stateInstanceChanged";
const STATUS: &str = "outgoingMessageStatus";

pub(super) const STORY: &[Script] = &[
    event(STATE, "notAuthorized", account::state),
    event(STATE, "pendingCode", account::state),
    event(STATE, "pendingPassword", account::state),
    event(STATE, "blocked", account::state),
    event(STATE, "starting", account::state),
    event(STATE, "authorized", account::state),
    incoming("textMessage", text::asked),
    incoming("textMessage/supergroup", text::to_group).within(Chat::Group),
    incoming("textMessage/channel", text::post).within(Chat::Channel),
    incoming("textMessage/bot", text::from_bot).within(Chat::Bot),
    api("textMessage", text::answered),
    event(STATUS, "sent", delivery::of_answer),
    event(STATUS, "delivered", delivery::of_answer),
    event(STATUS, "read", delivery::of_answer),
    phone("textMessage", text::from_phone),
    incoming("textMessage/quoting-textMessage", quote::text_with_text),
    incoming("reactionMessage", change::reacted),
    incoming("reactionMessage/taken-back", change::reaction_taken_back),
    incoming("extendedTextMessage", text::link),
    incoming("imageMessage", media::image),
    incoming("videoMessage", media::video),
    incoming("documentMessage", media::document),
    incoming("audioMessage", media::audio),
    incoming("stickerMessage", media::sticker),
    phone("imageMessage", media::shop_window),
    incoming("locationMessage", card::location),
    incoming("contactMessage", card::one_contact),
    api("pollMessage", poll::asked),
    incoming("pollUpdateMessage", poll::voted),
    incoming("quotedMessage/quoting-textMessage", quote::text),
    incoming("editedMessage", change::customer_edits_text),
    api("editedMessage", change::program_edits_text),
    incoming("deletedMessage", change::customer_deletes),
    phone("deletedMessage", change::bakery_deletes),
    event(STATUS, "failed", delivery::failed),
    event(STATUS, "noAccount", delivery::no_account),
];

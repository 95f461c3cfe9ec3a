//! The samples of WABA: text, files, buttons and templates.

use super::script::{Script, api, event, incoming};
use super::{account, button, delivery, media, text};

const STATE: &str = "stateInstanceChanged";
const STATUS: &str = "outgoingMessageStatus";

pub(super) const STORY: &[Script] = &[
    event(STATE, "notAuthorized", account::state),
    event(STATE, "blocked", account::state),
    event(STATE, "starting", account::state),
    event(STATE, "authorized", account::state),
    incoming("textMessage", text::asked),
    api("textMessage", text::answered),
    event(STATUS, "sent", delivery::of_answer),
    event(STATUS, "delivered", delivery::of_answer),
    event(STATUS, "read", delivery::of_answer),
    api("textMessage/template", text::from_template),
    incoming("imageMessage", media::image),
    incoming("videoMessage", media::video),
    incoming("documentMessage", media::document),
    incoming("audioMessage", media::audio),
    incoming("stickerMessage", media::sticker),
    api("imageMessage", media::shop_window),
    api("documentMessage", media::document),
    api("buttonsMessage", button::buttons),
    incoming("buttonsResponseMessage", button::button_pressed),
    api("listMessage", button::list),
    incoming("listResponseMessage", button::list_chosen),
    api("templateMessage", button::template),
    incoming("templateButtonsReplyMessage", button::template_pressed),
    api("interactiveButtons", button::interactive),
    api("interactiveButtonsReply", button::interactive_replies),
    incoming(
        "interactiveButtonsReply/pressed",
        button::interactive_pressed,
    ),
    event(STATUS, "failed", delivery::failed),
    event(STATUS, "noAccount", delivery::no_account),
];

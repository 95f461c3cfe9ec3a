//! Names of the values that GREEN-API sends. A value that is missing here is shown as it is.

use serde::Serialize;

/// Declares a struct with a name for each value.
macro_rules! names {
    ($(#[$about:meta])* $struct:ident { $($field:ident = $value:literal,)* }) => {
        $(#[$about])*
        #[derive(Debug, Serialize)]
        pub(in crate::page) struct $struct {
            $(#[serde(rename = $value)] pub(in crate::page) $field: &'static str,)*
        }

        #[allow(dead_code, reason = "not every list is searched or shown whole")]
        impl $struct {
            /// The values with their names.
            pub(in crate::page) fn all(&self) -> Vec<(&'static str, &'static str)> {
                vec![$(($value, self.$field)),*]
            }

            /// The name of a value.
            pub(in crate::page) fn name(&self, value: &str) -> Option<&'static str> {
                match value {
                    $($value => Some(self.$field),)*
                    _ => None,
                }
            }
        }
    };
}

names! {
    /// Values of `typeWebhook`.
    Types {
        incoming = "incomingMessageReceived",
        outgoing = "outgoingMessageReceived",
        outgoing_api = "outgoingAPIMessageReceived",
        status = "outgoingMessageStatus",
        state = "stateInstanceChanged",
        socket = "statusInstanceChanged",
        device = "deviceInfo",
        incoming_call = "incomingCall",
        outgoing_call = "outgoingCall",
        block = "incomingBlock",
        quota = "quotaExceeded",
    }
}

names! {
    /// Values of `typeMessage`.
    Kinds {
        text = "textMessage",
        extended_text = "extendedTextMessage",
        quoted = "quotedMessage",
        image = "imageMessage",
        video = "videoMessage",
        document = "documentMessage",
        audio = "audioMessage",
        sticker = "stickerMessage",
        location = "locationMessage",
        contact = "contactMessage",
        contacts = "contactsArrayMessage",
        reaction = "reactionMessage",
        group_invite = "groupInviteMessage",
        poll = "pollMessage",
        poll_update = "pollUpdateMessage",
        buttons = "buttonsMessage",
        list = "listMessage",
        template = "templateMessage",
        buttons_response = "buttonsResponseMessage",
        list_response = "listResponseMessage",
        template_reply = "templateButtonsReplyMessage",
        interactive = "interactiveButtons",
        interactive_reply = "interactiveButtonsReply",
        interactive_response = "interactiveButtonsResponse",
        edited = "editedMessage",
        deleted = "deletedMessage",
        product = "productMessage",
        order = "orderMessage",
    }
}

names! {
    /// Delivery statuses.
    Statuses {
        sent = "sent",
        delivered = "delivered",
        read = "read",
        failed = "failed",
        no_account = "noAccount",
        not_in_group = "notInGroup",
        yellow_card = "yellowCard",
        suspended = "suspended",
        no_active_session = "noActiveSession",
    }
}

names! {
    /// States of an account.
    States {
        authorized = "authorized",
        not_authorized = "notAuthorized",
        blocked = "blocked",
        sleep_mode = "sleepMode",
        starting = "starting",
        yellow_card = "yellowCard",
        suspended = "suspended",
        online = "online",
        offline = "offline",
    }
}

names! {
    /// Statuses of a call.
    Calls {
        offer = "offer",
        pick_up = "pickUp",
        hang_up = "hangUp",
        hung_up = "hungUp",
        missed = "missed",
        declined = "declined",
        invalid = "invalid",
    }
}

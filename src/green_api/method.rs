//! The methods of GREEN-API: name, verb and limit of each.

use crate::outbound;
use crate::outbound::Method as Verb;

/// A method.
#[derive(Debug, PartialEq, Eq)]
pub struct Method {
    /// The name of the method, as the path of its URL has it.
    pub name: &'static str,
    verb: Kind,
    /// Calls in ten seconds, for each instance.
    pub(super) per_ten_seconds: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Reads, and may be repeated.
    Get,
    /// A GET that changes something: it is not repeated.
    Act,
    /// Writes.
    Post,
    /// A POST that only reads, or that leads to the same result when it is repeated.
    Query,
    Delete,
}

impl Method {
    /// The HTTP verb.
    pub(super) fn verb(&self) -> outbound::Method {
        match self.verb {
            Kind::Get | Kind::Act => Verb::GET,
            Kind::Post | Kind::Query => Verb::POST,
            Kind::Delete => Verb::DELETE,
        }
    }

    /// Whether a second call changes nothing more than the first.
    #[must_use]
    pub fn is_idempotent(&self) -> bool {
        matches!(self.verb, Kind::Get | Kind::Query | Kind::Delete)
    }

    /// Whether arguments are a JSON body; otherwise they are the query.
    #[must_use]
    pub fn has_body(&self) -> bool {
        matches!(self.verb, Kind::Post | Kind::Query)
    }
}

const fn method(name: &'static str, verb: Kind, per_ten_seconds: u32) -> Method {
    Method {
        name,
        verb,
        per_ten_seconds,
    }
}

pub(super) const CLEAR_WEBHOOKS_QUEUE: &str = "clearWebhooksQueue";
pub(super) const CREATE_INSTANCE: &str = "createInstance";
pub(super) const DELETE_NOTIFICATION: &str = "deleteNotification";
pub(super) const DOWNLOAD_FILE: &str = "downloadFile";
pub(super) const RECEIVE_NOTIFICATION: &str = "receiveNotification";

/// All methods with a JSON request. Limits are those of `WhatsApp`; other products allow less for some, and answer
/// 429 then. Sources: document 003 (1.2.3, 1.3.1 to 1.3.12) and GREEN-API's pages. Methods whose limit is not
/// documented have one call a second.
#[rustfmt::skip]
const METHODS: &[Method] = &[
    method("addGroupParticipant", Kind::Post, 100),
    method("archiveChat", Kind::Query, 100),
    method("checkAccount", Kind::Query, 10),
    method("checkWhatsapp", Kind::Query, 100),
    method("clearMessagesQueue", Kind::Act, 10),
    method(CLEAR_WEBHOOKS_QUEUE, Kind::Delete, 10),
    method("createGroup", Kind::Post, 10),
    method("createTemplate", Kind::Post, 10),
    method("deleteMessage", Kind::Post, 100),
    method(DELETE_NOTIFICATION, Kind::Delete, 1000),
    method("deleteStatus", Kind::Post, 100),
    method("deleteTemplate", Kind::Post, 10),
    method("deleteTemplateById", Kind::Post, 10),
    method(DOWNLOAD_FILE, Kind::Query, 50),
    method("editMessage", Kind::Post, 10),
    method("editTemplate", Kind::Post, 10),
    method("forwardMessages", Kind::Post, 500),
    method("getAccountSettings", Kind::Get, 10),
    method("getAuthorizationCode", Kind::Post, 10),
    method("getAvatar", Kind::Query, 100),
    method("getChatHistory", Kind::Query, 10),
    method("getChats", Kind::Get, 10),
    method("getContactInfo", Kind::Query, 10),
    method("getContacts", Kind::Get, 10),
    method("getDeviceInfo", Kind::Get, 10),
    method("getGroupData", Kind::Query, 10),
    method("getIncomingStatuses", Kind::Get, 10),
    method("getMessage", Kind::Query, 100),
    method("getMessagesCount", Kind::Get, 10),
    method("getOutgoingStatuses", Kind::Get, 10),
    method("getSettings", Kind::Get, 10),
    method("getStateInstance", Kind::Get, 10),
    method("getStateInstanceHistory", Kind::Get, 10),
    method("getStatusInstance", Kind::Get, 10),
    method("getStatusStatistic", Kind::Get, 10),
    method("getTemplateById", Kind::Query, 10),
    method("getTemplates", Kind::Get, 10),
    method("getWaSettings", Kind::Get, 10),
    method("getWebhooksCount", Kind::Get, 10),
    method("lastIncomingCalls", Kind::Get, 10),
    method("lastIncomingMessages", Kind::Get, 10),
    method("lastOutgoingCalls", Kind::Get, 10),
    method("lastOutgoingMessages", Kind::Get, 10),
    method("leaveGroup", Kind::Post, 100),
    method("logout", Kind::Act, 10),
    method("qr", Kind::Get, 30),
    method("readChat", Kind::Query, 100),
    method("reboot", Kind::Act, 10),
    method(RECEIVE_NOTIFICATION, Kind::Get, 1000),
    method("removeAdmin", Kind::Post, 100),
    method("removeGroupParticipant", Kind::Post, 100),
    method("sendAuthorizationCode", Kind::Post, 10),
    method("sendAuthorizationPassword", Kind::Post, 10),
    method("sendButtons", Kind::Post, 500),
    method("sendContact", Kind::Post, 500),
    method("sendFileByUrl", Kind::Post, 500),
    method("sendInteractiveButtons", Kind::Post, 500),
    method("sendInteractiveButtonsReply", Kind::Post, 500),
    method("sendLink", Kind::Post, 500),
    method("sendListMessage", Kind::Post, 500),
    method("sendLocation", Kind::Post, 500),
    method("sendMediaStatus", Kind::Post, 50),
    method("sendMessage", Kind::Post, 500),
    method("sendPoll", Kind::Post, 500),
    method("sendTemplate", Kind::Post, 500),
    method("sendTemplateButtons", Kind::Post, 500),
    method("sendTextStatus", Kind::Post, 50),
    method("sendTyping", Kind::Post, 10),
    method("sendVoiceStatus", Kind::Post, 50),
    method("setDisappearingChat", Kind::Query, 10),
    method("setGroupAdmin", Kind::Post, 100),
    // It restarts the instance.
    method("setSettings", Kind::Post, 10),
    method("showMessagesQueue", Kind::Get, 10),
    method("startAuthorization", Kind::Post, 10),
    method("unarchiveChat", Kind::Query, 100),
    method("updateGroupName", Kind::Post, 10),
    method("updateGroupSettings", Kind::Query, 10),
];

/// The partner's methods. Their path has a partner token and no instance.
const PARTNER: &[Method] = &[
    method(CREATE_INSTANCE, Kind::Post, 10),
    method("deleteInstanceAccount", Kind::Post, 10),
    method("getInstances", Kind::Get, 10),
];

/// The method with this name, in any case.
#[must_use]
pub fn find(name: &str) -> Option<&'static Method> {
    METHODS
        .iter()
        .find(|method| method.name.eq_ignore_ascii_case(name))
}

/// The partner's method with this name, in any case.
#[must_use]
pub fn find_partner(name: &str) -> Option<&'static Method> {
    PARTNER
        .iter()
        .find(|method| method.name.eq_ignore_ascii_case(name))
}

/// Letters at the beginning from which on a name counts as similar.
const ENOUGH: usize = 3;

/// Similar names that are shown.
const SHOWN: usize = 5;

/// Names that begin like `name`, the nearest first; for errors.
#[must_use]
pub fn similar(name: &str) -> Vec<&'static str> {
    let shared = |other: &str| {
        let pairs = name.chars().zip(other.chars());
        pairs.take_while(|(a, b)| a.eq_ignore_ascii_case(b)).count()
    };
    let mut names: Vec<_> = METHODS.iter().map(|method| method.name).collect();
    names.retain(|other| shared(other) >= ENOUGH);
    names.sort_by_key(|other| std::cmp::Reverse(shared(other)));
    names.truncate(SHOWN);
    names
}

#[cfg(test)]
mod tests {
    use super::{METHODS, find};

    #[test]
    fn methods_are_sorted_and_found_in_any_case() {
        assert!(METHODS.windows(2).all(|two| two[0].name < two[1].name));
        assert_eq!(
            find("UpdateGroupSettings").unwrap().name,
            "updateGroupSettings"
        );
        assert!(find("uploadFile").is_none());
    }

    #[test]
    fn method_that_sends_or_restarts_is_never_repeated() {
        for name in [
            "sendMessage",
            "setSettings",
            "reboot",
            "logout",
            "createGroup",
        ] {
            assert!(!find(name).unwrap().is_idempotent(), "{name}");
        }
    }
}

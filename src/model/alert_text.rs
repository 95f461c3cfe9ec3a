//! What each alert says: one line for the problem, one for the fix.

use super::AlertName;

impl AlertName {
    /// The problem in one line, without a full stop.
    #[must_use]
    pub const fn headline(self) -> &'static str {
        match self {
            Self::TokenRejected => "requests from an allowed source are refused for their token",
            Self::QueueGrowing => "GREEN-API's queue of the instance becomes no shorter",
            Self::BodyTooLarge => "bodies from an allowed source are refused as too large",
            Self::StorageRefuses => "notifications are refused because they cannot be stored",
            Self::DiskLow => "the disk is nearly full",
            Self::DamagedBody => "stored bytes differ from those that were received",
            Self::InstanceNotAuthorized => "the instance is logged out",
            Self::InstanceBlocked => "the instance is banned by the messenger",
            Self::InstanceYellowCard => {
                "the instance has a yellow card: sending is suspended or slowed"
            }
            Self::InstanceSuspended => "the instance is suspended",
            Self::InstanceStarting => "the instance has been starting for more than 10 minutes",
            Self::InstanceSilent => "the instance has stopped sending notifications",
            Self::SettingsChanged => {
                "settings of the instance in GREEN-API differ from what green-inbox needs"
            }
            Self::AccountUnreachable => "GREEN-API's methods cannot be called for the instance",
            Self::DeliveryLag => "notifications of the instance arrive late",
            Self::DeliveryRepeated => "GREEN-API sends the same notification again and again",
            Self::MessageMarker => "GREEN-API sent an error marker in place of a message",
            Self::MessageFailed => "many messages of the instance were not delivered",
            Self::QuotaExceeded => "a limit of the tariff was reached",
            Self::MalformedBody => "a notification is malformed",
            Self::RetentionStuck => {
                "the database is over its budget, and deleting events frees nothing"
            }
            Self::ProjectionBehind => "lists do not show new events",
            Self::BackupOld => "the newest backup is too old",
            Self::TokenFileUnreadable => {
                "the configuration or a token file cannot be reloaded; the old settings stay in use"
            }
            Self::DestinationFailing => "a destination does not accept alerts",
            Self::ForwardFailing => "a forward destination does not take events",
            Self::ForwardDeadLetter => "a forward destination did not take an event in any attempt",
            Self::ForwardExpired => "events were deleted before a forward destination had got them",
            Self::FileLost => "the file of a message could not be kept",
            Self::NoStandby => "PostgreSQL has no standby",
            Self::NodeBehind => "the copy of this node is more than 30 s old",
            Self::Rewound => {
                "this node had events that PostgreSQL does not have; its files are kept"
            }
            Self::UnknownType => "a notification has a type that is not documented",
            Self::FieldDrift => "a field does not have its documented form",
        }
    }

    /// What to do, in one or two sentences.
    #[must_use]
    #[expect(clippy::too_many_lines, reason = "a table")]
    pub const fn help(self) -> &'static str {
        match self {
            Self::TokenRejected => {
                "Set webhookUrlToken of the instance to a token in ingest.tokens, or add its token there. \
                 GREEN-API repeats the notifications for 24 hours, then they are lost."
            }
            Self::QueueGrowing => {
                "GREEN-API cannot reach this server: check webhookUrl with `green-inbox account status`, the proxy, \
                 its certificate and the firewall. Notifications are lost after 24 hours in the queue."
            }
            Self::BodyTooLarge => {
                "Raise ingest.body_limit_bytes, and client_max_body_size of nginx. The notification blocks \
                 those behind it until it is accepted or 24 hours old."
            }
            Self::StorageRefuses => {
                "Make room on the disk, or raise storage.max_bytes, and look for errors in the log. GREEN-API \
                 repeats the notifications for 24 hours, then they are lost."
            }
            Self::DiskLow => "Make room on the disk, or let retention delete old events.",
            Self::DamagedBody => {
                "Check the disk, run `green-inbox verify` and restore the named events from a backup."
            }
            Self::InstanceNotAuthorized => "Log in again: scan the QR code in GREEN-API's console.",
            Self::InstanceBlocked => {
                "Look at the phone: the messenger says why, and how to appeal."
            }
            Self::InstanceYellowCard => {
                "Stop sending to people who did not write first. The card ends by itself."
            }
            Self::InstanceSuspended => "Send less, and wait: the restriction ends by itself.",
            Self::InstanceStarting => {
                "Reboot the instance in GREEN-API's console. If that does not help, write to its support."
            }
            Self::InstanceSilent => {
                "Check in GREEN-API's console that the instance is authorized and that webhookUrl is this \
                 server. If it is not in use any more, add it to alerts.ignored_instances."
            }
            Self::SettingsChanged => {
                "Somebody changed them, or they were never set. `green-inbox account connect` sets them again."
            }
            Self::AccountUnreachable => {
                "Run `green-inbox account status`: it says why, and what to do."
            }
            Self::DeliveryLag => {
                "Look at the instance's queue in GREEN-API's console. A phone that was offline also delivers \
                 late."
            }
            Self::DeliveryRepeated => {
                "The response does not reach GREEN-API as 200: look at the proxy's log and its timeouts."
            }
            Self::MessageMarker => {
                "SWE001, SWE999: ask the sender to repeat the message. SWE002: the file is over 100 MB, look \
                 at the phone. SWE003: unlink all devices and scan the QR code again. SWE004: the group is \
                 too large."
            }
            Self::MessageFailed => {
                "Look at the messages with status=failed and status=noAccount, and check the numbers that \
                 are written to."
            }
            Self::QuotaExceeded => "Change the tariff, or wait until the first of the month.",
            Self::MalformedBody => {
                "Look at the event: /api/v1/events?outcome=malformed. It is stored byte for byte. If \
                 GREEN-API sent it, report it to green-inbox."
            }
            Self::RetentionStuck => {
                "Look for errors of retention in the log; stop other programs that hold the database open."
            }
            Self::ProjectionBehind => {
                "Events are stored and none is lost. If it lasts, restart; if that does not help, delete the \
                 `.projection` file beside the database."
            }
            Self::BackupOld => {
                "Look for errors of the backup in the log, and at the disk it writes to."
            }
            Self::TokenFileUnreadable => "Correct what the log names, then send SIGHUP again.",
            Self::DestinationFailing => {
                "Check the destination with `green-inbox alert-test`. Alerts wait and are sent once it \
                 accepts them."
            }
            Self::ForwardFailing => {
                "Look at the destination and at /api/v1/forward. Events wait and are sent once it takes them."
            }
            Self::ForwardDeadLetter => {
                "See /api/v1/forward/NAME/dead. Correct the destination, then run `green-inbox replay --to NAME \
                 --dead`."
            }
            Self::ForwardExpired => {
                "Correct the destination, or keep events for longer: storage.retention_days, storage.max_bytes. \
                 /api/v1/forward counts the events; they cannot be sent any more."
            }
            Self::FileLost => {
                "Read the reason. Raise media.max_file_bytes or media.max_bytes, or allow the address in \
                 media.allow_private, if it is one of these; ask the sender for the file."
            }
            Self::NoStandby => {
                "Start a standby, or give the new primary one. Until then the loss of one machine can lose events, or \
                 notifications get 503 until a standby is back."
            }
            Self::NodeBehind => {
                "Look at PostgreSQL and at the network between. Readers of this node see what it has; notifications get \
                 503 while PostgreSQL is away."
            }
            Self::Rewound => {
                "After a promotion or a restore this is expected: none of these events was answered 200 if the standby \
                 was synchronous. Compare them with PostgreSQL, then move or remove the files."
            }
            Self::UnknownType => {
                "It is stored whole. After an upgrade that knows it, run `green-inbox reprocess`."
            }
            Self::FieldDrift => {
                "The field reads as null, the body is stored whole: /api/v1/events?drift=true. Report it to \
                 green-inbox."
            }
        }
    }
}

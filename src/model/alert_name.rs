//! The names of the alerts: a closed set. What an operator does about each is in docs/operations.md.

use serde::Serialize;
use utoipa::ToSchema;

/// What is wrong. The names are part of the public interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AlertName {
    /// Requests from an allowed source have a missing or wrong token.
    TokenRejected,
    /// Notifications wait in GREEN-API's queue and become no fewer.
    QueueGrowing,
    /// Bodies from an allowed source are over the limit.
    BodyTooLarge,
    /// Notifications are refused because they cannot be stored.
    StorageRefuses,
    /// The disk is nearly full.
    DiskLow,
    /// Stored bytes differ from those that were received.
    DamagedBody,
    /// An instance is logged out.
    InstanceNotAuthorized,
    /// An instance is banned by the messenger.
    InstanceBlocked,
    /// An instance may send only in part, because of a warning.
    InstanceYellowCard,
    /// An instance is temporarily restricted.
    InstanceSuspended,
    /// An instance has been starting for longer than a start takes.
    InstanceStarting,
    /// An instance that used to send has stopped.
    InstanceSilent,
    /// Settings of an account differ from what `account connect` sets.
    SettingsChanged,
    /// GREEN-API's methods cannot be called for an account.
    AccountUnreachable,
    /// Notifications arrive late.
    DeliveryLag,
    /// The same notification comes again and again.
    DeliveryRepeated,
    /// GREEN-API sent a marker in place of a message.
    MessageMarker,
    /// Many messages of an instance were not delivered.
    MessageFailed,
    /// A limit of the tariff was reached.
    QuotaExceeded,
    /// A body is not a valid notification.
    MalformedBody,
    /// The database is over its budget, and deleting events frees nothing.
    RetentionStuck,
    /// Lists do not show new events.
    ProjectionBehind,
    /// The newest backup is too old.
    BackupOld,
    /// A token file cannot be read.
    TokenFileUnreadable,
    /// A destination of alerts does not accept them.
    DestinationFailing,
    /// A forward destination does not take events.
    ForwardFailing,
    /// A forward destination did not take an event in any attempt.
    ForwardDeadLetter,
    /// Events were deleted before a forward destination had got them.
    ForwardExpired,
    /// The file of a message could not be kept.
    FileLost,
    /// PostgreSQL has no standby any more.
    NoStandby,
    /// The copy of one of several nodes is old.
    NodeBehind,
    /// A copy with events that PostgreSQL does not have was set aside.
    Rewound,
    /// A notification has a type that is not documented.
    UnknownType,
    /// A field does not have its documented form.
    FieldDrift,
}

/// How soon somebody should act. From the most urgent to the least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Notifications are or will be lost.
    Critical,
    /// Something does not work, or not well.
    Warning,
    /// Something new that may be looked at later.
    Info,
}

impl Severity {
    /// Its name in messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Warning => "warning",
            Self::Info => "info",
        }
    }
}

impl AlertName {
    /// All names.
    pub const ALL: [Self; 34] = [
        Self::TokenRejected,
        Self::QueueGrowing,
        Self::BodyTooLarge,
        Self::StorageRefuses,
        Self::DiskLow,
        Self::DamagedBody,
        Self::InstanceNotAuthorized,
        Self::InstanceBlocked,
        Self::InstanceYellowCard,
        Self::InstanceSuspended,
        Self::InstanceStarting,
        Self::InstanceSilent,
        Self::SettingsChanged,
        Self::AccountUnreachable,
        Self::DeliveryLag,
        Self::DeliveryRepeated,
        Self::MessageMarker,
        Self::MessageFailed,
        Self::QuotaExceeded,
        Self::MalformedBody,
        Self::RetentionStuck,
        Self::ProjectionBehind,
        Self::BackupOld,
        Self::TokenFileUnreadable,
        Self::DestinationFailing,
        Self::ForwardFailing,
        Self::ForwardDeadLetter,
        Self::ForwardExpired,
        Self::FileLost,
        Self::NoStandby,
        Self::NodeBehind,
        Self::Rewound,
        Self::UnknownType,
        Self::FieldDrift,
    ];

    /// The name as it is written everywhere.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::TokenRejected => "token-rejected",
            Self::QueueGrowing => "queue-growing",
            Self::BodyTooLarge => "body-too-large",
            Self::StorageRefuses => "storage-refuses",
            Self::DiskLow => "disk-low",
            Self::DamagedBody => "damaged-body",
            Self::InstanceNotAuthorized => "instance-not-authorized",
            Self::InstanceBlocked => "instance-blocked",
            Self::InstanceYellowCard => "instance-yellow-card",
            Self::InstanceSuspended => "instance-suspended",
            Self::InstanceStarting => "instance-starting",
            Self::InstanceSilent => "instance-silent",
            Self::SettingsChanged => "settings-changed",
            Self::AccountUnreachable => "account-unreachable",
            Self::DeliveryLag => "delivery-lag",
            Self::DeliveryRepeated => "delivery-repeated",
            Self::MessageMarker => "message-marker",
            Self::MessageFailed => "message-failed",
            Self::QuotaExceeded => "quota-exceeded",
            Self::MalformedBody => "malformed-body",
            Self::RetentionStuck => "retention-stuck",
            Self::ProjectionBehind => "projection-behind",
            Self::BackupOld => "backup-old",
            Self::TokenFileUnreadable => "token-file-unreadable",
            Self::DestinationFailing => "destination-failing",
            Self::ForwardFailing => "forward-failing",
            Self::ForwardDeadLetter => "forward-dead-letter",
            Self::ForwardExpired => "forward-expired",
            Self::FileLost => "file-lost",
            Self::NoStandby => "no-standby",
            Self::NodeBehind => "node-behind",
            Self::Rewound => "rewound",
            Self::UnknownType => "unknown-type",
            Self::FieldDrift => "field-drift",
        }
    }

    /// The alert with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|alert| alert.name() == name)
    }

    /// How soon somebody should act.
    #[must_use]
    pub const fn severity(self) -> Severity {
        match self {
            Self::TokenRejected
            | Self::QueueGrowing
            | Self::BodyTooLarge
            | Self::StorageRefuses
            | Self::DiskLow
            | Self::DamagedBody
            | Self::InstanceNotAuthorized
            | Self::InstanceBlocked => Severity::Critical,
            Self::UnknownType | Self::FieldDrift => Severity::Info,
            _ => Severity::Warning,
        }
    }

    /// Whether GREEN-API keeps what is refused for 24 hours, so that a clock is running.
    #[must_use]
    pub const fn has_hours_left(self) -> bool {
        matches!(
            self,
            Self::TokenRejected | Self::QueueGrowing | Self::BodyTooLarge | Self::StorageRefuses
        )
    }
}

#[cfg(test)]
mod tests {
    use super::AlertName;

    #[test]
    fn every_alert_is_found_by_its_name_and_serialized_under_it() {
        for alert in AlertName::ALL {
            assert_eq!(AlertName::from_name(alert.name()), Some(alert));
            let json = serde_json::to_string(&alert).unwrap();
            assert_eq!(json, format!("\"{}\"", alert.name()));
        }
    }
}

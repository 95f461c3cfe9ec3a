//! GREEN-API's product lines and the format of their identifiers.

/// A messenger that GREEN-API connects to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Line {
    WhatsApp,
    /// WhatsApp Business API.
    Waba,
    Max,
    Telegram,
}

impl Line {
    /// First part of the product line's sample names.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::WhatsApp => "whatsapp",
            Self::Waba => "waba",
            Self::Max => "max",
            Self::Telegram => "telegram",
        }
    }

    /// `instanceData.typeInstance`.
    pub(super) const fn type_instance(self) -> &'static str {
        match self {
            Self::WhatsApp | Self::Waba => "whatsapp",
            Self::Max => "v3",
            Self::Telegram => "telegram",
        }
    }

    /// Identifier of the person or account with this phone number.
    pub(super) fn person_id(self, phone: u64) -> String {
        match self {
            Self::WhatsApp | Self::Waba => format!("{phone}@c.us"),
            // MAX and Telegram assign their own user numbers.
            Self::Max => format!("1{:07}", phone % 10_000_000),
            Self::Telegram => format!("2{:09}", phone % 1_000_000_000),
        }
    }

    /// Identifier of group `number`, 0 to 99.
    pub(super) fn group_id(self, number: u64) -> String {
        match self {
            Self::WhatsApp | Self::Waba => format!("1203630000000000{number:02}@g.us"),
            Self::Max => format!("-690000000000{number:02}"),
            Self::Telegram => format!("-10020000000{number:02}"),
        }
    }

    /// An `idMessage` made of 64 mixed bits.
    pub(super) fn message_id(self, bits: u64) -> String {
        match self {
            Self::WhatsApp | Self::Waba => format!("3EB0{bits:016X}"),
            // 21 digits are more than 64 bits can hold.
            Self::Max => format!("1{bits:020}"),
            Self::Telegram => format!("2{bits:020}"),
        }
    }
}

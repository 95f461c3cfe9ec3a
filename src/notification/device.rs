//! `deviceInfo`: two layouts under one name.

use serde::Deserialize;
use serde::de::{self, Deserializer};

use super::InstanceData;
use super::scalar::{Id, Integer, Text};

/// The phone of the account, or the avatar of a contact; one of the two is always there.
#[derive(Debug, Deserialize)]
#[serde(
    remote = "Self",
    bound(deserialize = "'de: 'a"),
    rename_all = "camelCase"
)]
pub struct DeviceInfo<'a> {
    /// The account.
    pub instance_data: InstanceData<'a>,
    /// When it happened, in seconds since 1970.
    pub timestamp: Option<Integer>,
    /// The phone.
    pub device_data: Option<DeviceData<'a>>,
    /// The avatar of a contact.
    pub avatar_info: Option<AvatarInfo<'a>>,
}

/// The phone and its battery.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct DeviceData<'a> {
    /// The system of the phone.
    pub platform: Option<Text<'a>>,
    /// Who made it.
    pub device_manufacturer: Option<Text<'a>>,
    /// What model it is.
    pub device_model: Option<Text<'a>>,
    /// Version of its system.
    pub os_version: Option<Text<'a>>,
    /// Version of WhatsApp.
    pub wa_version: Option<Text<'a>>,
    /// Charge of the battery in percent.
    pub battery: Option<Integer>,
}

/// The avatar of a contact or a group.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct AvatarInfo<'a> {
    /// Whose avatar it is.
    pub chat_id: Option<Id<'a>>,
    /// Where it is; empty if there is none.
    pub url_avatar: Option<Text<'a>>,
    /// Why it could not be found out.
    pub reason: Option<Text<'a>>,
}

impl<'de: 'a, 'a> Deserialize<'de> for DeviceInfo<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // The function that `remote` made of the fields.
        let info = Self::deserialize(deserializer)?;
        if info.device_data.is_none() && info.avatar_info.is_none() {
            return Err(de::Error::custom(
                "expected deviceData or avatarInfo, found neither",
            ));
        }
        Ok(info)
    }
}

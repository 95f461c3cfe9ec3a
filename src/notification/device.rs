//! `deviceInfo`: two layouts under one name.

use serde::Deserialize;
use serde::de::{self, Deserializer};

use super::InstanceData;
use super::scalar::{Id, Integer, Text};

/// The phone of the account or the avatar of a contact. At least one of the two is always present.
#[derive(Debug, Deserialize)]
#[serde(
    remote = "Self",
    bound(deserialize = "'de: 'a"),
    rename_all = "camelCase"
)]
pub struct DeviceInfo<'a> {
    /// Instance that sent the notification.
    pub instance_data: InstanceData<'a>,
    /// When it happened, Unix seconds.
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
    /// Operating system of the phone.
    pub platform: Option<Text<'a>>,
    /// Manufacturer of the phone.
    pub device_manufacturer: Option<Text<'a>>,
    /// Model of the phone.
    pub device_model: Option<Text<'a>>,
    /// Version of the operating system.
    pub os_version: Option<Text<'a>>,
    /// Version of WhatsApp.
    pub wa_version: Option<Text<'a>>,
    /// Battery charge in percent.
    pub battery: Option<Integer>,
}

/// The avatar of a contact or a group.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct AvatarInfo<'a> {
    /// Chat of the contact or group that the avatar belongs to.
    pub chat_id: Option<Id<'a>>,
    /// URL of the avatar; empty if there is none.
    pub url_avatar: Option<Text<'a>>,
    /// Why the avatar could not be determined.
    pub reason: Option<Text<'a>>,
}

impl<'de: 'a, 'a> Deserialize<'de> for DeviceInfo<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Calls the inherent function that `#[serde(remote)]` generates, not this trait method.
        let info = Self::deserialize(deserializer)?;
        if info.device_data.is_none() && info.avatar_info.is_none() {
            return Err(de::Error::custom(
                "expected deviceData or avatarInfo, found neither",
            ));
        }
        Ok(info)
    }
}

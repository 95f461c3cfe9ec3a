//! Locations.

use serde::Deserialize;

use crate::notification::scalar::{Float, Integer, Text};

/// `locationMessage`.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct LocationMessage<'a> {
    /// The location.
    pub location_message_data: Location<'a>,
}

/// A geographic location.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct Location<'a> {
    /// Name of the location.
    pub name_location: Option<Text<'a>>,
    /// Its address.
    pub address: Option<Text<'a>>,
    /// Latitude in degrees, positive to the north.
    pub latitude: Option<Float>,
    /// Longitude in degrees, positive to the east.
    pub longitude: Option<Float>,
    /// Base64-encoded preview.
    pub jpeg_thumbnail: Option<Text<'a>>,
    /// Whether the message was forwarded.
    pub is_forwarded: Option<bool>,
    /// How many times the message was forwarded.
    pub forwarding_score: Option<Integer>,
}

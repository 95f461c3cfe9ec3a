//! A place.

use serde::Deserialize;

use crate::notification::scalar::{Float, Integer, Text};

/// `locationMessage`.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct LocationMessage<'a> {
    /// The place.
    pub location_message_data: Location<'a>,
}

/// A place on the earth.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct Location<'a> {
    /// What it is called.
    pub name_location: Option<Text<'a>>,
    /// Its address.
    pub address: Option<Text<'a>>,
    /// Degrees to the north.
    pub latitude: Option<Float>,
    /// Degrees to the east.
    pub longitude: Option<Float>,
    /// Preview in base64.
    pub jpeg_thumbnail: Option<Text<'a>>,
    /// Whether it was forwarded.
    pub is_forwarded: Option<bool>,
    /// How often it was forwarded.
    pub forwarding_score: Option<Integer>,
}

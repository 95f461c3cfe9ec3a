//! Products and orders of a catalogue.

use serde::Deserialize;

use super::file::FileData;
use crate::notification::scalar::{Amount, Id, Integer, Text};

/// `productMessage`.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct ProductMessage<'a> {
    /// The product.
    pub product_message: Product<'a>,
}

/// A product of a catalogue.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct Product<'a> {
    /// Its identifier.
    pub product_id: Option<Id<'a>>,
    /// What it is called.
    pub title: Option<Text<'a>>,
    /// What it is.
    pub description: Option<Text<'a>>,
    /// Its price, as the shop writes it.
    pub price: Option<Amount<'a>>,
    /// Currency of the price (ISO 4217).
    pub currency_code: Option<Text<'a>>,
    /// Its page.
    pub url: Option<Text<'a>>,
    /// How many pictures there are.
    pub product_image_count: Option<Integer>,
    /// Its picture.
    pub file_message_data: Option<FileData<'a>>,
}

/// `orderMessage`.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct OrderMessage<'a> {
    /// The order.
    pub order_message: Order<'a>,
}

/// An order from a catalogue.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct Order<'a> {
    /// Its identifier.
    pub order_id: Option<Id<'a>>,
    /// What it is called.
    #[serde(alias = "title")]
    pub order_title: Option<Text<'a>>,
    /// What it costs in all, as the messenger writes it.
    pub total_price: Option<Amount<'a>>,
    /// Currency of the price (ISO 4217).
    #[serde(alias = "currencyCode")]
    pub total_currency_code: Option<Text<'a>>,
    /// How many things are ordered.
    pub item_count: Option<Integer>,
    /// What the customer has written to it.
    pub message: Option<Text<'a>>,
    /// The seller.
    pub seller_jid: Option<Id<'a>>,
    /// What the shop asks for the details of the order with.
    pub token: Option<Text<'a>>,
    /// The picture of a thing that is ordered.
    pub file_message_data: Option<FileData<'a>>,
}

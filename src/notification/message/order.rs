//! Products and orders from a catalogue.

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

/// A product from a catalogue.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
pub struct Product<'a> {
    /// Its identifier.
    pub product_id: Option<Id<'a>>,
    /// Title of the product.
    pub title: Option<Text<'a>>,
    /// Description of the product.
    pub description: Option<Text<'a>>,
    /// Price, as the shop writes it.
    pub price: Option<Amount<'a>>,
    /// Currency of the price (ISO 4217).
    pub currency_code: Option<Text<'a>>,
    /// URL of the product page.
    pub url: Option<Text<'a>>,
    /// Number of pictures.
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
    /// Title of the order.
    #[serde(alias = "title")]
    pub order_title: Option<Text<'a>>,
    /// Total price, as the messenger writes it.
    pub total_price: Option<Amount<'a>>,
    /// Currency of the total price (ISO 4217).
    #[serde(alias = "currencyCode")]
    pub total_currency_code: Option<Text<'a>>,
    /// Number of items ordered.
    pub item_count: Option<Integer>,
    /// The customer's message.
    pub message: Option<Text<'a>>,
    /// The seller.
    pub seller_jid: Option<Id<'a>>,
    /// Token with which the shop requests the details of the order.
    pub token: Option<Text<'a>>,
    /// Picture of an ordered item.
    pub file_message_data: Option<FileData<'a>>,
}

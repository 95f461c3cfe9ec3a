//! Renders catalogue products and orders as the text of their message.

use crate::notification::message::{Order, Product};
use crate::notification::scalar::Amount;

/// A product or an order.
#[derive(Debug, Clone, Copy)]
pub enum CatalogueItem<'n> {
    /// A product.
    Product(&'n Product<'n>),
    /// An order.
    Order(&'n Order<'n>),
}

impl CatalogueItem<'_> {
    /// One line of text. A product gives its title, price and description; an order gives its title,
    /// identifier, total and the customer's message. `None` if all of these are missing.
    #[must_use]
    pub fn line(self) -> Option<String> {
        let parts = match self {
            Self::Product(product) => [
                product.title.as_deref().map(str::to_owned),
                price(product.price.as_ref(), product.currency_code.as_deref()),
                product.description.as_deref().map(str::to_owned),
                None,
            ],
            Self::Order(order) => [
                order.order_title.as_deref().map(str::to_owned),
                order.order_id.as_deref().map(str::to_owned),
                price(
                    order.total_price.as_ref(),
                    order.total_currency_code.as_deref(),
                ),
                order.message.as_deref().map(str::to_owned),
            ],
        };
        let parts: Vec<_> = parts
            .into_iter()
            .flatten()
            .filter(|part| !part.trim().is_empty())
            .collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }
}

fn price(amount: Option<&Amount<'_>>, currency: Option<&str>) -> Option<String> {
    let amount = amount.filter(|amount| !amount.is_empty())?;
    Some(match currency.filter(|currency| !currency.is_empty()) {
        Some(currency) => format!("{} {currency}", &**amount),
        None => amount.to_string(),
    })
}

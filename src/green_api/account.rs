//! An account of GREEN-API: where its methods are, and the token that opens them.

use std::fmt;
use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};

use super::method::Method;

/// The messenger of an account. It decides the path and the limits of its methods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Product {
    /// `WhatsApp`.
    WhatsApp,
    /// `WhatsApp` Business API.
    Waba,
    /// MAX.
    Max,
    /// Telegram.
    Telegram,
}

/// An account. Cheap to clone.
#[derive(Clone)]
pub struct Account(Arc<Inner>);

struct Inner {
    id_instance: i64,
    product: Product,
    /// Without a slash at the end.
    api_url: String,
    token: SecretString,
}

/// Only the number is shown.
impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Account({})", self.0.id_instance)
    }
}

impl Account {
    /// An account at `api_url`.
    #[must_use]
    pub fn new(api_url: &str, id_instance: i64, product: Product, token: SecretString) -> Self {
        Self(Arc::new(Inner {
            id_instance,
            product,
            api_url: api_url.trim().trim_end_matches('/').to_owned(),
            token,
        }))
    }

    /// `idInstance`.
    #[must_use]
    pub fn id_instance(&self) -> i64 {
        self.0.id_instance
    }

    /// The messenger.
    #[must_use]
    pub fn product(&self) -> Product {
        self.0.product
    }

    /// The address of a method. It holds the token. `rest` follows the token: a receipt, a query, or nothing.
    pub(super) fn url(&self, method: &Method, rest: &str) -> String {
        let Inner {
            id_instance,
            product,
            api_url,
            token,
        } = &*self.0;
        let line = match product {
            Product::Max => "/v3",
            Product::WhatsApp | Product::Waba | Product::Telegram => "",
        };
        let (name, token) = (method.name, token.expose_secret());
        format!("{api_url}{line}/waInstance{id_instance}/{name}/{token}{rest}")
    }
}

/// A partner of GREEN-API, who may create instances.
#[derive(Clone)]
pub struct Partner {
    api_url: String,
    token: SecretString,
}

impl fmt::Debug for Partner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Partner")
    }
}

impl Partner {
    /// A partner at `api_url`.
    #[must_use]
    pub fn new(api_url: &str, token: SecretString) -> Self {
        Self {
            api_url: api_url.trim().trim_end_matches('/').to_owned(),
            token,
        }
    }

    pub(super) fn url(&self, method: &Method) -> String {
        let token = self.token.expose_secret();
        format!("{}/partner/{}/{token}", self.api_url, method.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::green_api::method::find;

    #[test]
    fn address_depends_on_the_product_and_debug_hides_the_token() {
        for (product, expected) in [
            (
                Product::WhatsApp,
                "https://h/waInstance7/getSettings/swordfish",
            ),
            (
                Product::Max,
                "https://h/v3/waInstance7/getSettings/swordfish",
            ),
        ] {
            let account = Account::new("https://h/", 7, product, "swordfish".into());
            let method = find("getSettings").unwrap();
            assert_eq!(account.url(method, ""), expected);
            assert_eq!(format!("{account:?}"), "Account(7)");
        }
    }
}

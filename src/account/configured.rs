//! The accounts that are configured, with their tokens.

use crate::config::{self, Config, ConfigError};
use crate::green_api::{Account, Partner, Product};

/// An account and how it is used.
#[derive(Debug, Clone)]
pub struct Configured {
    /// Calls its methods.
    pub account: Account,
    /// Its section of the configuration.
    pub settings: config::Account,
}

/// All accounts of a configuration.
///
/// # Errors
///
/// A token cannot be read.
pub fn configured(config: &Config) -> Result<Vec<Configured>, ConfigError> {
    let accounts = config.accounts.iter().map(|settings| {
        let api_url = settings
            .api_url
            .as_ref()
            .unwrap_or(&config.green_api.api_url);
        let product = match settings.product {
            config::Product::WhatsApp => Product::WhatsApp,
            config::Product::Waba => Product::Waba,
            config::Product::Max => Product::Max,
            config::Product::Telegram => Product::Telegram,
        };
        Ok(Configured {
            account: Account::new(
                api_url.expose(),
                settings.id_instance,
                product,
                settings.token()?,
            ),
            settings: settings.clone(),
        })
    });
    accounts.collect()
}

/// The partner, if a partner's token is configured.
///
/// # Errors
///
/// The token cannot be read.
pub fn partner(config: &Config) -> Result<Option<Partner>, ConfigError> {
    let token = config.green_api.partner_token()?;
    Ok(token.map(|token| Partner::new(config.green_api.api_url.expose(), token)))
}

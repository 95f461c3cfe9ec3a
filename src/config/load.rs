//! Reads the configuration: environment before file before defaults.

use std::path::Path;

use config::{Environment, File, FileFormat};

use super::{Config, ConfigError};

/// Where the file is looked for when none is named.
pub const DEFAULT_PATH: &str = "config/green-inbox.toml";

/// The default file, with a comment for each key.
pub const DEFAULT_FILE: &str = include_str!("../../config/green-inbox.toml");

const PREFIX: &str = "GREEN_INBOX";

/// Keys whose value in the environment is a list separated by commas.
const LISTS: [&str; 5] = [
    "ingest.allowed_sources",
    "ingest.trusted_proxies",
    "ingest.tokens",
    "ingest.ignored_types",
    "private.tokens",
];

/// Reads the configuration from `file` and from `environment`, the pairs of name and value.
///
/// Without `file` it is read from [`DEFAULT_PATH`] where that exists. The result is not yet
/// checked, see [`Config::check`].
///
/// # Errors
///
/// The file cannot be read or is not TOML, a key is not known, or a value does not fit its key.
pub fn load(
    file: Option<&Path>,
    environment: impl IntoIterator<Item = (String, String)>,
) -> Result<Config, ConfigError> {
    let mut builder = config::Config::builder();
    let path = file.unwrap_or(Path::new(DEFAULT_PATH));
    if file.is_some() || path.exists() {
        let text = std::fs::read_to_string(path).map_err(|error| {
            ConfigError::Unreadable(format!(
                "the configuration file `{}` cannot be read: {error}\n  mend: name another with \
                 --config, or write one with `green-inbox default-config > {}`",
                path.display(),
                path.display(),
            ))
        })?;
        builder = builder.add_source(File::from_str(&text, FileFormat::Toml));
    }
    let mut source = Environment::with_prefix(PREFIX)
        .prefix_separator("__")
        .separator("__")
        .try_parsing(true)
        .list_separator(",")
        .ignore_empty(false)
        .source(Some(ours(environment)?));
    for key in LISTS {
        source = source.with_list_parse_key(key);
    }
    builder
        .add_source(source)
        .build()
        .and_then(config::Config::try_deserialize)
        .map_err(|error| unreadable(&error.to_string(), path))
}

/// The variables of the environment that are ours, as the library takes them.
fn ours(
    environment: impl IntoIterator<Item = (String, String)>,
) -> Result<config::Map<String, String>, ConfigError> {
    let prefix = format!("{PREFIX}__");
    let mut variables = config::Map::new();
    for (name, value) in environment {
        let Some(key) = name.strip_prefix(&prefix) else {
            continue;
        };
        if key.split("__").count() != 2 {
            return Err(ConfigError::Unreadable(format!(
                "the environment variable `{name}` names no setting\n  mend: write it as \
                 GREEN_INBOX__SECTION__KEY, for example GREEN_INBOX__INGEST__LISTEN"
            )));
        }
        variables.insert(name, value);
    }
    Ok(variables)
}

fn unreadable(problem: &str, path: &Path) -> ConfigError {
    ConfigError::Unreadable(format!(
        "{problem}\n  mend: `green-inbox default-config` prints every key with its default; values \
         come from `{}` and from the environment (GREEN_INBOX__SECTION__KEY)",
        path.display()
    ))
}

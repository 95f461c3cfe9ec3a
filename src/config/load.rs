//! Reads the configuration: environment before file before defaults.

use std::path::Path;

use toml::{Table, Value};

use super::{Config, ConfigError};

/// Where the file is looked for when none is named.
pub const DEFAULT_PATH: &str = "config/green-inbox.toml";

/// The default file, with a comment for each key.
pub const DEFAULT_FILE: &str = include_str!("../../config/green-inbox.toml");

/// How the names of our environment variables begin.
pub const PREFIX: &str = "GREEN_INBOX__";

/// Keys whose values must not stand in a message.
const SECRETS: [&str; 2] = ["ingest.tokens", "private.tokens"];

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
    let path = file.unwrap_or(Path::new(DEFAULT_PATH));
    let mut settings = if file.is_some() || path.exists() {
        read_file(path)?
    } else {
        Table::new()
    };
    let defaults = Table::try_from(Config::default())
        .map_err(|error| ConfigError::Unreadable(error.to_string()))?;
    for (name, text) in environment {
        let Some(setting) = name.strip_prefix(PREFIX) else {
            continue;
        };
        let place = format!("environment variable {name}");
        let setting = setting.to_lowercase();
        let (section, key) = setting
            .split_once("__")
            .filter(|(_, key)| !key.contains("__"))
            .ok_or_else(|| unreadable("", "not of the form GREEN_INBOX__SECTION__KEY", &place))?;
        let default = defaults.get(section).and_then(|section| section.get(key));
        let value = read_variable(&text, default)
            .map_err(|problem| unreadable(&format!("{section}.{key}"), problem, &place))?;
        // Alone first, so that what is wrong with it is said of it.
        deserialize(within(section, within(key, value.clone())))
            .map_err(|(key, problem)| unreadable(&key, &problem, &place))?;
        if let Value::Table(section) = settings
            .entry(section)
            .or_insert_with(|| Table::new().into())
        {
            section.insert(key.to_owned(), value);
        }
    }
    deserialize(settings)
        .map_err(|(key, problem)| unreadable(&key, &problem, "file and environment"))
}

fn within(key: &str, value: impl Into<Value>) -> Table {
    Table::from_iter([(key.to_owned(), value.into())])
}

/// Reads a file whose every key and value fits.
fn read_file(path: &Path) -> Result<Table, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        ConfigError::Unreadable(format!(
            "the configuration file `{}` cannot be read: {error}\n  help: name another with \
             --config, or write one with `green-inbox default-config > {}`",
            path.display(),
            path.display(),
        ))
    })?;
    let wrong = |key: &str, error: &toml::de::Error| {
        // The line itself is not shown: a token may stand in it.
        let start = error.span().map_or(0, |span| span.start);
        let before = text.get(..start).unwrap_or(&text);
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
        let place = format!("{}, line {line}, column {column}", path.display());
        unreadable(key, &problem(key, error.message()), &place)
    };
    let toml = toml::Deserializer::parse(&text).map_err(|error| wrong("", &error))?;
    serde_path_to_error::deserialize::<_, Config>(toml)
        .map_err(|error| wrong(&error.path().to_string(), error.inner()))?;
    text.parse().map_err(|error| wrong("", &error))
}

/// The value of a variable, of the same kind as the default of its key.
fn read_variable(text: &str, kind: Option<&Value>) -> Result<Value, &'static str> {
    match kind {
        Some(Value::Integer(_)) => text
            .trim()
            .parse()
            .map(Value::Integer)
            .map_err(|_| "expected a whole number"),
        Some(Value::Boolean(_)) => text
            .trim()
            .to_lowercase()
            .parse()
            .map(Value::Boolean)
            .map_err(|_| "expected true or false"),
        Some(Value::Array(_)) => Ok(Value::Array(
            text.split(',').map(|item| item.trim().into()).collect(),
        )),
        _ => Ok(text.into()),
    }
}

fn deserialize(settings: Table) -> Result<Config, (String, String)> {
    serde_path_to_error::deserialize(Value::Table(settings)).map_err(|error| {
        let key = error.path().to_string();
        let problem = problem(&key, error.inner().message());
        (key, problem)
    })
}

/// What serde says of a value, in words for who writes the file.
fn problem(key: &str, message: &str) -> String {
    if SECRETS
        .iter()
        .any(|secret| key.split('[').next() == Some(*secret))
    {
        return "expected a list of strings, as [\"Bearer x\"]".to_owned();
    }
    let (found, expected) = match message.rsplit_once(", expected ") {
        Some((found, "u32")) => (found, "a whole number from 0 to 4294967295"),
        Some((found, expected)) if expected.starts_with("struct ") => (found, "a section"),
        Some((_, "socket address")) | None if message.contains("socket address") => {
            return "expected an address and a port, as 127.0.0.1:8080".to_owned();
        }
        Some(both) => both,
        None => return message.to_owned(),
    };
    format!("{found}, expected {expected}")
}

fn unreadable(key: &str, problem: &str, place: &str) -> ConfigError {
    // "." stands for the whole.
    let key = if matches!(key, "" | ".") {
        String::new()
    } else {
        format!("{key}: ")
    };
    ConfigError::Unreadable(format!(
        "{place}: {key}{problem}\n  help: see `green-inbox default-config`, which prints every key \
         with its default"
    ))
}

//! Loads the configuration. The environment overrides the file, which overrides the defaults.

use std::path::Path;

use toml::{Table, Value};

use super::{Config, ConfigError};

/// The configuration file to read when the command line names none.
pub const DEFAULT_PATH: &str = "config/green-inbox.toml";

/// The default configuration file, with a comment for each key.
pub const DEFAULT_FILE: &str = include_str!("../../config/green-inbox.toml");

/// Prefix of green-inbox's environment variables.
pub const PREFIX: &str = "GREEN_INBOX__";

/// Keys whose values must never appear in an error message.
const SECRETS: [&str; 2] = ["ingest.tokens", "private.tokens"];

/// The section that is one variable as a whole, because it is a list.
const ACCOUNTS: &str = "accounts";

/// Loads the configuration from `file` and from `environment`, pairs of name and value.
///
/// Without `file`, reads [`DEFAULT_PATH`] if it exists. Call [`Config::check`] to validate the result.
///
/// # Errors
///
/// The file cannot be read or is not TOML, a key is unknown, or a value has the wrong type.
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
        if setting == ACCOUNTS {
            let value: Value = text.into();
            deserialize(within(ACCOUNTS, value.clone()))
                .map_err(|(key, problem)| unreadable(&key, &problem, &place))?;
            settings.insert(setting, value);
            continue;
        }
        let (section, key) = setting
            .split_once("__")
            .filter(|(_, key)| !key.contains("__"))
            .ok_or_else(|| unreadable("", "not of the form GREEN_INBOX__SECTION__KEY", &place))?;
        let default = defaults.get(section).and_then(|section| section.get(key));
        let value = read_variable(&text, default)
            .map_err(|problem| unreadable(&format!("{section}.{key}"), problem, &place))?;
        // Parsed on its own first, so that the error names this variable.
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

/// Reads the file, and checks every key and the type of every value.
fn read_file(path: &Path) -> Result<Table, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        ConfigError::Unreadable(format!(
            "the configuration file `{}` cannot be read: {error}\n  help: name another file with \
             --config, or create one with `green-inbox default-config > {}`",
            path.display(),
            path.display(),
        ))
    })?;
    let wrong = |key: &str, error: &toml::de::Error| {
        // The line itself is not shown because it may contain a token.
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

/// Parses a variable into the same TOML type as the default value of its key.
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

/// Rewords a serde message for the author of the configuration file.
fn problem(key: &str, message: &str) -> String {
    if SECRETS
        .iter()
        .any(|secret| key.split('[').next() == Some(*secret))
    {
        return "expected a list of strings, such as [\"Bearer x\"]".to_owned();
    }
    if key.ends_with(".api_token") || key == "storage.url" {
        return "expected a text".to_owned();
    }
    let (found, expected) = match message.rsplit_once(", expected ") {
        Some((found, "u32")) => (found, "a whole number from 0 to 4294967295"),
        Some((found, expected)) if expected.starts_with("struct ") => (found, "a section"),
        Some((_, "socket address")) | None if message.contains("socket address") => {
            return "expected an address and a port, such as 127.0.0.1:8080".to_owned();
        }
        Some(both) => both,
        None => return message.to_owned(),
    };
    format!("{found}, expected {expected}")
}

fn unreadable(key: &str, problem: &str, place: &str) -> ConfigError {
    // serde_path_to_error writes "." for the document root.
    let key = if matches!(key, "" | ".") {
        String::new()
    } else {
        format!("{key}: ")
    };
    ConfigError::Unreadable(format!(
        "{place}: {key}{problem}\n  help: run `green-inbox default-config` to print every key with \
         its default"
    ))
}

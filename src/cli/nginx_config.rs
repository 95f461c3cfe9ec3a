//! `green-inbox nginx-config`: prints the shipped nginx configuration with the user's settings.

use std::fmt::Write;
use std::process::ExitCode;

use super::http_client::reachable;
use super::{ConfigArgs, USAGE, fail};
use crate::config::{Config, ConfigError, Network};

/// The shipped file, which is the output for the default configuration.
const SHIPPED: &str = include_str!("../../deploy/nginx.conf");

/// The lines between these two markers are a list of addresses.
const LIST: &str = "# ingest.allowed_sources\n";
const END_OF_LIST: &str = "# end of ingest.allowed_sources\n";

/// Characters that have a meaning in nginx's syntax.
const UNSAFE_IN_A_PATH: [char; 8] = [';', '{', '}', '"', '\'', '\\', '$', ' '];

pub(super) fn run(args: &ConfigArgs) -> ExitCode {
    match args.load().and_then(|config| render(&config)) {
        Ok(text) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => fail(USAGE, &error),
    }
}

/// Renders the nginx configuration.
///
/// # Errors
///
/// A setting cannot be expressed in nginx's syntax.
fn render(config: &Config) -> Result<String, ConfigError> {
    let ingest = &config.ingest;
    if ingest.allowed_sources.is_empty() {
        return Err(ConfigError::setting(
            "ingest.allowed_sources",
            "the list is empty, so nginx would refuse every request",
            "drop the key to use GREEN-API's addresses, or list addresses and networks",
        ));
    }
    let path = ingest.path.trim_end_matches('/');
    if !ingest.path.starts_with('/') || path.contains(UNSAFE_IN_A_PATH) {
        return Err(ConfigError::setting(
            "ingest.path",
            format!("`{}` is not a valid nginx location", path.escape_default()),
            "begin with a slash; use letters, digits, `-`, `_`, `.`, `~` and slashes",
        ));
    }
    let mut text = with_lists(&ingest.allowed_sources);
    for (shipped, configured) in [
        (
            "server 127.0.0.1:8080;",
            format!("server {};", reachable(ingest.listen)),
        ),
        (
            "client_max_body_size 16m;",
            format!("client_max_body_size {};", bytes(ingest.body_limit_bytes)),
        ),
        ("location = /webhook {", format!("location = {path} {{")),
        ("location = /webhook/ {", format!("location = {path}/ {{")),
    ] {
        text = text.replace(shipped, &configured);
    }
    Ok(text)
}

/// The shipped file with `sources` in place of each address list: `geo` lines in one, `allow` lines in the
/// other.
fn with_lists(sources: &[Network]) -> String {
    let mut text = String::new();
    let mut rest = SHIPPED;
    while let Some((before, list)) = rest.split_once(LIST) {
        let (shipped, after) = list.split_once(END_OF_LIST).unwrap_or((list, ""));
        text.push_str(before);
        text.push_str(LIST);
        let is_allow = shipped.trim_start().starts_with("allow");
        for source in sources {
            // Writing to a string cannot fail.
            let _ = if is_allow {
                writeln!(text, "        allow {source};")
            } else {
                writeln!(text, "        {source} 0;")
            };
        }
        text.push_str("        ");
        text.push_str(END_OF_LIST);
        rest = after;
    }
    text.push_str(rest);
    text
}

/// A size in nginx's notation.
fn bytes(bytes: u32) -> String {
    const MIB: u32 = 1024 * 1024;
    if bytes.is_multiple_of(MIB) {
        format!("{}m", bytes / MIB)
    } else {
        bytes.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_configuration_gives_the_shipped_file() {
        let text = render(&Config::default()).unwrap();
        assert!(text == SHIPPED, "{text}");
    }

    #[test]
    fn settings_replace_the_shipped_values() {
        let mut config = Config::default();
        config.ingest.allowed_sources = ["192.0.2.0/24", "2001:db8::1"]
            .map(|text| text.parse().unwrap())
            .to_vec();
        config.ingest.listen = "0.0.0.0:9000".parse().unwrap();
        config.ingest.path = "/hooks/green/".to_owned();
        config.ingest.body_limit_bytes = 5_000_000;
        let text = render(&config).unwrap();
        for (line, count) in [
            ("allow 192.0.2.0/24;", 1),
            ("allow 2001:db8::1;", 1),
            ("192.0.2.0/24 0;", 1),
            ("allow ", 2),
            (" 0;", 2),
            ("server 127.0.0.1:9000;", 1),
            ("client_max_body_size 5000000;", 1),
            ("location = /hooks/green {", 1),
            ("location = /hooks/green/ {", 1),
            ("/webhook", 0),
        ] {
            let lines = text.lines().filter(|text| !text.trim().starts_with('#'));
            assert_eq!(
                lines.filter(|text| text.contains(line)).count(),
                count,
                "{line}"
            );
        }
        config.ingest.path = "/a;b".to_owned();
        assert!(render(&config).is_err());
    }
}

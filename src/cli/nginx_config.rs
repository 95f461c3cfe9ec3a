//! `green-inbox nginx-config`: the shipped configuration of nginx with the values of this one.

use std::fmt::Write;
use std::process::ExitCode;

use super::http_client::reachable;
use super::{ConfigArgs, USAGE, fail};
use crate::config::{Config, ConfigError, Network};

/// What it prints with the default configuration.
const SHIPPED: &str = include_str!("../../deploy/nginx.conf");

/// The lines between these are the list.
const LIST: &str = "# ingest.allowed_sources\n";
const END_OF_LIST: &str = "# end of ingest.allowed_sources\n";

/// What nginx would take for more than a path.
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

/// The configuration for nginx.
///
/// # Errors
///
/// A setting cannot be written there.
fn render(config: &Config) -> Result<String, ConfigError> {
    let ingest = &config.ingest;
    if ingest.allowed_sources.is_empty() {
        return Err(ConfigError::setting(
            "ingest.allowed_sources",
            "the list is empty, so nginx would refuse every request",
            "drop the key for GREEN-API's addresses, or list addresses and networks",
        ));
    }
    let path = ingest.path.trim_end_matches('/');
    if !ingest.path.starts_with('/') || path.contains(UNSAFE_IN_A_PATH) {
        return Err(ConfigError::setting(
            "ingest.path",
            format!("`{}` cannot be a location of nginx", path.escape_default()),
            "begin with a slash, then letters, digits, `-`, `_`, `.`, `~` and slashes",
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

/// The shipped text with another list wherever it has one: as lines of `geo`, and of `allow`.
fn with_lists(sources: &[Network]) -> String {
    let mut text = String::new();
    let mut rest = SHIPPED;
    while let Some((before, list)) = rest.split_once(LIST) {
        let (shipped, behind) = list.split_once(END_OF_LIST).unwrap_or((list, ""));
        text.push_str(before);
        text.push_str(LIST);
        let is_allow = shipped.trim_start().starts_with("allow");
        for source in sources {
            // Writing into a string does not fail.
            let _ = if is_allow {
                writeln!(text, "        allow {source};")
            } else {
                writeln!(text, "        {source} 0;")
            };
        }
        text.push_str("        ");
        text.push_str(END_OF_LIST);
        rest = behind;
    }
    text.push_str(rest);
    text
}

/// Bytes as nginx writes them.
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
    fn settings_stand_where_nginx_reads_them() {
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

//! The account side, against a stand-in for GREEN-API.

mod commands;
mod connect;
mod contacts;
mod pull;
mod rebuilt;
mod reconcile;
mod reconcile_command;
mod secrets;
mod watch;

use std::process::Output;

use green_inbox::config::{self, ApiToken, SecretUrl};
use tokio::task::block_in_place;

use crate::support::green_api::{API_TOKEN, INSTANCE, PARTNER_TOKEN};
use crate::support::process::{finish, program};
use crate::support::{GreenApi, TOKEN};

/// The account of the stand-in, in a configuration.
pub fn account(green_api: &GreenApi) -> config::Account {
    config::Account {
        id_instance: INSTANCE,
        api_token: Some(ApiToken::new(API_TOKEN)),
        api_url: Some(SecretUrl::new(&green_api.url())),
        watch_seconds: 10,
        reconcile_minutes: 0,
        ..config::Account::default()
    }
}

/// Runs `account` with these arguments against the stand-in. Returns the exit code and what was printed, which never
/// has a token.
fn run(green_api: &GreenApi, arguments: &[&str]) -> (i32, String) {
    run_with(green_api, arguments, &[])
}

/// Like [`run`], with more of the environment.
fn run_with(
    green_api: &GreenApi,
    arguments: &[&str],
    environment: &[(&str, &str)],
) -> (i32, String) {
    let folder = tempfile::tempdir().unwrap();
    let mut command = program();
    command
        .arg("account")
        .args(arguments)
        .current_dir(folder.path())
        .env("GREEN_INBOX__INGEST__TOKENS", TOKEN)
        .env("GREEN_INBOX__GREEN_API__API_URL", green_api.url())
        .env("GREEN_INBOX__ACCOUNTS", format!("{INSTANCE}:{API_TOKEN}"))
        .envs(environment.iter().copied());
    let output = block_in_place(|| finish(&mut command));
    printed(&output)
}

fn printed(output: &Output) -> (i32, String) {
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    let text = String::from_utf8(text).unwrap();
    for token in [API_TOKEN, PARTNER_TOKEN, "open-sesame"] {
        assert!(!text.contains(token), "{text}");
    }
    (output.status.code().unwrap(), text)
}

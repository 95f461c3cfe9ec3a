//! `green-inbox account status`: a table of the accounts.

use std::process::ExitCode;

use super::super::terminal::plain;
use super::{Context, Done};
use crate::account::{Configured, difference, hook_token, wanted};
use crate::config::Receive;
use crate::green_api::{Api, CallError, InstanceState, Settings};

/// What was found out about an account.
struct Seen {
    state: Result<InstanceState, CallError>,
    queue: Result<i64, CallError>,
    settings: Result<Settings, CallError>,
}

pub(super) async fn run(context: &Context) -> Done {
    let accounts = context.all()?;
    let token = hook_token(&context.config.ingest)?;
    println!(
        "{:<12}  {:<14}  {:>6}  {:<8}  WEBHOOK URL",
        "INSTANCE", "STATE", "QUEUE", "RECEIVE"
    );
    let mut code = ExitCode::SUCCESS;
    for configured in accounts {
        let seen = look(&context.api, configured).await;
        print_row(configured, &seen);
        let settings = configured.settings.receive;
        for line in remarks(settings, &seen, &token) {
            println!("  {}", plain(&line));
        }
        if seen.state.is_err() || seen.queue.is_err() || seen.settings.is_err() {
            code = ExitCode::FAILURE;
        }
    }
    Ok(code)
}

async fn look(api: &Api, configured: &Configured) -> Seen {
    let account = &configured.account;
    let (state, queue, settings) = tokio::join!(
        api.state(account),
        api.queue_length(account),
        api.settings(account)
    );
    Seen {
        state,
        queue,
        settings,
    }
}

fn print_row(configured: &Configured, seen: &Seen) {
    let state = seen.state.as_ref().map_or("?", |state| &state.name);
    let queue = seen.queue.as_ref();
    let queue = queue.map_or_else(|_| "?".to_owned(), i64::to_string);
    let receive = match configured.settings.receive {
        Receive::Webhook => "webhook",
        Receive::Pull => "pull",
    };
    let url = seen.settings.as_ref();
    let url = url.map_or_else(|_| "?".to_owned(), |settings| settings.text("webhookUrl"));
    let url = if url.is_empty() { "(empty)" } else { &url };
    println!(
        "{:<12}  {:<14}  {:>6}  {:<8}  {}",
        configured.account.id_instance(),
        plain(state),
        queue,
        receive,
        plain(url)
    );
}

fn remarks(receive: Receive, seen: &Seen, token: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let errors = [
        seen.state.as_ref().err(),
        seen.queue.as_ref().err(),
        seen.settings.as_ref().err(),
    ];
    let mut errors: Vec<_> = errors
        .into_iter()
        .flatten()
        .map(ToString::to_string)
        .collect();
    errors.dedup();
    lines.extend(
        errors
            .iter()
            .flat_map(|error| error.lines().map(str::to_owned)),
    );
    if let Ok(InstanceState {
        suspended_until: Some(until),
        ..
    }) = &seen.state
    {
        lines.push(format!("suspended until {until} (seconds since 1970)"));
    }
    let Ok(settings) = &seen.settings else {
        return lines;
    };
    // The address is known to GREEN-API alone; the token must be ours.
    let url = settings.text("webhookUrl");
    let wanted = wanted(settings, receive, (!url.is_empty()).then_some(&*url), token);
    let changes = difference(settings, &wanted);
    if receive == Receive::Webhook && url.is_empty() {
        lines.push("webhookUrl is empty, so no notification arrives".to_owned());
        lines.push(
            "help: run `green-inbox account connect --url https://your.host/webhook`".to_owned(),
        );
    }
    if !changes.is_empty() {
        let names: Vec<_> = changes.iter().map(|change| &*change.name).collect();
        lines.push(format!("settings that differ: {}", names.join(", ")));
        if receive == Receive::Pull || !url.is_empty() {
            lines.push("help: run `green-inbox account connect` to set them".to_owned());
        }
    }
    lines
}

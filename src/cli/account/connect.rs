//! `green-inbox account connect`: makes the notifications of the accounts arrive here.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use indicatif::ProgressBar;
use reqwest::Url;
use tokio::time::{Instant, sleep};

use super::super::USAGE;
use super::super::terminal::plain;
use super::{Context, Done, Failed};
use crate::account::{Configured, difference, hook_token, wanted};
use crate::config::{Config, Receive};
use crate::green_api::{CallError, Settings};
use crate::outbound::{Client, Method, Request, StatusCode};

/// Time in which GREEN-API applies settings.
const APPLIED_WITHIN: Duration = Duration::from_mins(5);

/// Pause between two looks at the settings.
const POLL: Duration = Duration::from_secs(2);

/// Time for the attempt to reach our own URL.
const PROBE: Duration = Duration::from_secs(10);

#[derive(Debug, Args)]
pub(super) struct ConnectArgs {
    /// The address of the public listener, as GREEN-API reaches it, such as <https://your.host/webhook>. Needed for
    /// accounts with receive = "webhook".
    #[arg(long)]
    url: Option<String>,
    /// Show what would change, and change nothing.
    #[arg(long)]
    dry_run: bool,
}

pub(super) async fn run(context: &Context, args: &ConnectArgs, client: &Client) -> Done {
    let accounts = context.all()?;
    let token = hook_token(&context.config.ingest)?;
    let needs_url = accounts
        .iter()
        .any(|one| one.settings.receive == Receive::Webhook);
    let url = match (&args.url, needs_url) {
        (Some(url), true) => {
            let url = checked(url)?;
            probe(client, &url, &context.config).await;
            Some(url.to_string())
        }
        (None, true) => {
            return Err(Failed(
                USAGE,
                "there is no --url\n  help: give the address at which GREEN-API reaches the public listener, \
                 such as --url https://your.host/webhook"
                    .to_owned(),
            ));
        }
        (_, false) => None,
    };
    let mut plans = Vec::new();
    // Everything that can be refused is found before the first change.
    for configured in accounts {
        let current = context.api.settings(&configured.account).await;
        let current = current.map_err(|error| named(configured, error))?;
        let receive = configured.settings.receive;
        plans.push((
            configured,
            wanted(&current, receive, url.as_deref(), &token),
            current,
        ));
    }
    for (configured, wanted, current) in plans {
        let id = configured.account.id_instance();
        let changes = difference(&current, &wanted);
        if changes.is_empty() {
            println!("{id}: nothing to change");
            continue;
        }
        println!("{id}:");
        for change in &changes {
            let (name, from, to) = (&change.name, plain(&change.from), plain(&change.to));
            println!("  {name}: {from} -> {to}");
        }
        if args.dry_run {
            continue;
        }
        let set = context.api.set_settings(&configured.account, &wanted).await;
        set.map_err(|error| named(configured, error))?;
        wait(context, configured, &wanted).await?;
        report(context, configured).await?;
    }
    if args.dry_run {
        println!("nothing was changed (--dry-run)");
    }
    Ok(ExitCode::SUCCESS)
}

fn named(configured: &Configured, error: CallError) -> Failed {
    let Failed(code, text) = error.into();
    Failed(
        code,
        format!("{}: {text}", configured.account.id_instance()),
    )
}

/// Refuses an address that GREEN-API would not post to safely.
pub(super) fn checked(text: &str) -> Result<Url, Failed> {
    let refused =
        |problem: &str, help: &str| Err(Failed(USAGE, format!("--url: {problem}\n  help: {help}")));
    let Ok(url) = text.trim().parse::<Url>() else {
        return refused("it is not a URL", "write it as https://your.host/webhook");
    };
    let host = url.host_str().unwrap_or_default();
    let is_local = host == "localhost" || host.starts_with("127.") || host == "[::1]";
    if url.scheme() != "https" && !(url.scheme() == "http" && is_local) {
        return refused(
            "GREEN-API would send the token and the messages without encryption",
            "use https; docs/operations.md describes nginx in front of the public listener",
        );
    }
    if !url.username().is_empty() || url.password().is_some() {
        return refused(
            "it has a user name or a password",
            "drop them; the token of the receiver is sent in a header",
        );
    }
    if url.fragment().is_some() {
        return refused("it has a fragment", "drop the part from `#` on");
    }
    Ok(url)
}

/// Warns if the address does not lead to a green-inbox. Many networks cannot reach their own public address, so this
/// refuses nothing.
async fn probe(client: &Client, url: &Url, config: &Config) {
    let path = config.ingest.path.trim_end_matches('/');
    if url.path().trim_end_matches('/') != path {
        eprintln!(
            "warning: the path of --url is not ingest.path, `{path}`\n  help: go on if the proxy rewrites it"
        );
    }
    let request = Request {
        method: Method::GET,
        url: url.to_string(),
        json: None,
        timeout: PROBE,
        body_bytes: 64 * 1024,
    };
    let problem = match client.fetch(request).await {
        // The webhook takes POST only.
        Ok(answer) if answer.status == StatusCode::METHOD_NOT_ALLOWED => return,
        Ok(answer) => format!(
            "it answered {} to a GET instead of 405",
            answer.status.as_u16()
        ),
        Err(error) => error.to_string(),
    };
    eprintln!(
        "warning: the receiver was not found at --url: {}\n  help: if this machine cannot reach its own public \
         address, go on; otherwise check the proxy and the server",
        plain(&problem)
    );
}

/// Waits until GREEN-API shows the settings. The instance restarts meanwhile and refuses calls.
async fn wait(context: &Context, configured: &Configured, wanted: &Settings) -> Result<(), Failed> {
    let bar = ProgressBar::new_spinner();
    bar.enable_steady_tick(Duration::from_millis(200));
    let start = Instant::now();
    loop {
        bar.set_message(format!(
            "waiting for GREEN-API to apply the settings, up to 5 minutes: {} s",
            start.elapsed().as_secs()
        ));
        sleep(POLL).await;
        let left = match context.api.settings(&configured.account).await {
            Ok(current) => difference(&current, wanted),
            Err(CallError::Refused { refusal, .. }) if !refusal.passes_by_itself() => {
                let method = "getSettings";
                return Err(named(configured, CallError::Refused { method, refusal }));
            }
            Err(_) if start.elapsed() < APPLIED_WITHIN => continue,
            Err(error) => return Err(named(configured, error)),
        };
        if left.is_empty() {
            bar.finish_and_clear();
            return Ok(());
        }
        if start.elapsed() >= APPLIED_WITHIN {
            bar.finish_and_clear();
            let names: Vec<_> = left.iter().map(|change| &*change.name).collect();
            let text = format!(
                "{}: GREEN-API has not applied within 5 minutes: {}\n  help: run `green-inbox account reboot`, \
                 then `green-inbox account status`",
                configured.account.id_instance(),
                names.join(", ")
            );
            return Err(Failed(1, text));
        }
    }
}

async fn report(context: &Context, configured: &Configured) -> Result<(), Failed> {
    let id = configured.account.id_instance();
    let state = context.api.state(&configured.account).await;
    let queue = context.api.queue_length(&configured.account).await;
    let state = state.map_err(|error| named(configured, error))?;
    // The length is a courtesy: not every product has it.
    let queue = queue.map_or_else(|_| "unknown".to_owned(), |length| length.to_string());
    println!(
        "{id}: connected; state {}, queue {queue}",
        plain(&state.name)
    );
    if state.name != "authorized" {
        println!("  help: link the phone: scan the QR code in GREEN-API's console");
    }
    Ok(())
}

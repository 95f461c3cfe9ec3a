//! `green-inbox demo`: a one-minute tour. Starts a server on loopback with a fresh database and random
//! tokens, sends it every sample over HTTP, and prints the address of the page and commands that read them back.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::pin::pin;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use data_encoding::HEXLOWER;
use indicatif::ProgressBar;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::fail;
use super::http_client::{HttpClient, authorization, http_url};
use super::plan::Plan;
use super::sender::{Report, play};
use crate::app::{App, Listeners, telemetry};
use crate::clock::Clock;
use crate::config::{Config, Level, Log, Network, Token};
use crate::sample;

#[derive(Debug, Args)]
pub(super) struct DemoArgs {
    /// Exit after sending the samples instead of waiting for Ctrl-C.
    #[arg(long)]
    exit: bool,
}

type DemoError = Box<dyn std::error::Error + Send + Sync>;

pub(super) fn run(args: &DemoArgs) -> ExitCode {
    let result = Runtime::new()
        .map_err(DemoError::from)
        .and_then(|runtime| runtime.block_on(demo(args)));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(1, &error),
    }
}

async fn demo(args: &DemoArgs) -> Result<(), DemoError> {
    let mut ended = pin!(signals()?);
    let folder = tempfile::tempdir()?;
    let webhook_token = random_token()?;
    let read_token = random_token()?;
    let config = settings(folder.path(), &webhook_token, &read_token);
    // The samples trigger warnings on purpose (an account that lost its authorization), so only errors
    // are logged.
    let _telemetry = telemetry::init(Log {
        level: Level::Error,
        ..Log::default()
    })?;
    let path = config.ingest.path.clone();
    let listeners = Listeners::bind(&config).await?;
    let app = App::build(config, listeners, Clock::system()).await?;
    let webhook = format!("http://{}{path}", app.public_address());
    let private = format!("http://{}", app.private_address());
    println!(
        "green-inbox demo: started a server with its database in {}",
        folder.path().display()
    );

    let (stop, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn(app.run(async {
        // Dropping the sender stops the server too.
        let _ = stopped.await;
    }));
    let report = tokio::select! {
        report = send_everything(&webhook, &webhook_token) => report?,
        () = &mut ended => return Ok(()),
    };
    println!(
        "sent {} notifications of every kind over HTTP, {} are on disk\n",
        report.total, report.accepted
    );
    if report.accepted < report.total {
        return Err("the server did not accept every sample; please report this".into());
    }
    print!(
        "{}",
        how_to_read(&webhook, &private, &webhook_token, &read_token)
    );
    if !args.exit {
        println!("\nThe server runs until Ctrl-C; then its database is deleted.");
        ended.await;
    }
    drop(stop);
    server.await??;
    Ok(())
}

/// Waits for SIGTERM, SIGINT or SIGHUP. The handlers are installed at once, so that every signal removes the
/// folder.
fn signals() -> io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangup = signal(SignalKind::hangup())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            _ = hangup.recv() => {}
        }
    })
}

/// Settings for the demo: loopback only, free ports, nothing from the user's configuration.
fn settings(folder: &Path, webhook_token: &str, read_token: &str) -> Config {
    let loopback = Ipv4Addr::LOCALHOST;
    let mut config = Config::default();
    config.ingest.listen = SocketAddr::from((loopback, 0));
    config.ingest.allowed_sources = vec![Network::from(IpAddr::from(loopback))];
    config.ingest.tokens = vec![Token::new(webhook_token)];
    config.private.listen = SocketAddr::from((loopback, 0));
    config.private.tokens = vec![Token::new(read_token)];
    config.storage.path = folder.join("green-inbox.db");
    config
}

fn random_token() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)?;
    Ok(HEXLOWER.encode(&bytes))
}

async fn send_everything(webhook: &str, token: &str) -> Result<Report, DemoError> {
    let samples = sample::all();
    let plan = Plan {
        target: http_url(webhook)?,
        authorization: authorization(&Token::new(token))?,
        total: samples.len() as u64,
        samples,
        rate: None,
        instances: 1,
        concurrency: 1,
        pause: Duration::from_secs(1),
        attempts: 3,
        first_serial: 1,
        started_at: Clock::system().now().0.div_euclid(1000),
    };
    let stop = CancellationToken::new();
    Ok(play(plan, HttpClient::new()?, ProgressBar::hidden(), stop).await)
}

fn how_to_read(webhook: &str, private: &str, webhook_token: &str, read_token: &str) -> String {
    let curl = format!("curl -s -H 'Authorization: Bearer {read_token}'");
    let post = format!("curl -s -H 'Authorization: Bearer {webhook_token}'");
    let body = r#"{"typeWebhook":"stateInstanceChanged","instanceData":{"idInstance":1101000001},"timestamp":1767225600,"stateInstance":"authorized"}"#;
    format!(
        "Open in a browser (signs in by itself):\n  {private}/sign-in#{read_token}\n\n\
         Newest three events:\n  {curl} '{private}/api/v1/events?limit=3'\n\
         Text messages with their bodies:\n  \
         {curl} '{private}/api/v1/events?typeMessage=textMessage&body=true'\n\
         One event, and its body exactly as received:\n  {curl} '{private}/api/v1/events/1'\n  \
         {curl} '{private}/api/v1/events/1/body'\n\
         Wait for new events (up to a minute):\n  \
         {curl} '{private}/api/v1/events?after={after}&wait=60'\n\
         Send a notification; send it again to see it counted as a duplicate:\n  \
         {post} '{webhook}' -d '{body}'\n",
        after = sample::all().len(),
    )
}

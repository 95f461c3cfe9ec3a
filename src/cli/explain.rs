//! `green-inbox explain`: shows which rule would accept or refuse a request.

use std::net::IpAddr;
use std::process::ExitCode;

use clap::Args;
use hyper::HeaderMap;
use hyper::header::{AUTHORIZATION, HeaderValue};

use super::{ConfigArgs, USAGE, fail};
use crate::config::ConfigError;
use crate::http::ClientAddress;
use crate::ingest::{Admission, SourceGate, TokenGate};

#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Address of the peer that sends the request, as the server sees it.
    #[arg(long, value_name = "IP")]
    peer: IpAddr,
    /// Value of an X-Forwarded-For header; repeat the option for several headers.
    #[arg(long, value_name = "V")]
    forwarded_for: Vec<String>,
    /// Value of the Authorization header.
    #[arg(long, value_name = "V")]
    authorization: Option<String>,
}

pub(super) fn run(args: &ExplainArgs) -> ExitCode {
    match explain(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(USAGE, &error),
    }
}

/// Prints each check and the resulting status.
fn explain(args: &ExplainArgs) -> Result<(), ConfigError> {
    let config = args.config.load_checked()?;
    let headers = headers(args)?;
    let sources = SourceGate::new(&config.ingest);
    let tokens = TokenGate::new(&config.ingest)?;

    let trusted = sources.trusts(args.peer);
    println!(
        "peer    {} is{} in ingest.trusted_proxies: its X-Forwarded-For is {}",
        args.peer.to_canonical(),
        if trusted { "" } else { " not" },
        if trusted { "trusted" } else { "ignored" },
    );
    let source = match sources.admit(args.peer, &headers) {
        Ok(source) => source,
        Err(refused) => {
            println!("source  refused: {refused}\nanswer  403 source-not-allowed");
            return Ok(());
        }
    };
    let known = match source.client {
        ClientAddress::Peer(_) => "the peer itself",
        ClientAddress::Forwarded(_) => "from X-Forwarded-For, the rightmost untrusted address",
    };
    println!("client  {} ({known})", source.client.address());
    println!(
        "source  admitted by `{}` in ingest.allowed_sources",
        source.rule
    );
    match tokens.authorize(&headers, source) {
        Ok(authorized) => {
            match authorized.by {
                Admission::Anonymous => println!("token   admitted by ingest.allow_anonymous"),
                Admission::Token(index) if index < config.ingest.tokens.len() => {
                    println!("token   admitted by ingest.tokens, number {}", index + 1);
                }
                Admission::Token(index) => println!(
                    "token   admitted by ingest.tokens_file, number {}",
                    index - config.ingest.tokens.len() + 1
                ),
            }
            println!("answer  200, once the notification is on disk");
        }
        Err(refused) => {
            println!("token   refused: {refused}\nanswer  401 unauthorized");
        }
    }
    Ok(())
}

fn headers(args: &ExplainArgs) -> Result<HeaderMap, ConfigError> {
    let value = |flag: &str, text: &str| {
        HeaderValue::from_str(text).map_err(|_| {
            ConfigError::Unreadable(format!(
                "{flag} has characters that an HTTP header cannot carry\n  help: use printable ASCII"
            ))
        })
    };
    let mut headers = HeaderMap::new();
    for line in &args.forwarded_for {
        headers.append("x-forwarded-for", value("--forwarded-for", line)?);
    }
    if let Some(line) = &args.authorization {
        headers.append(AUTHORIZATION, value("--authorization", line)?);
    }
    Ok(headers)
}

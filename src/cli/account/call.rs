//! `green-inbox account call`: any method, JSON in and out.

use std::process::ExitCode;

use clap::Args;
use serde_json::{Map, Value};

use super::super::USAGE;
use super::super::terminal::escaped;
use super::{Context, Done, Failed};
use crate::account;
use crate::green_api::{find_method, find_partner_method, similar_methods};

#[derive(Debug, Args)]
pub(super) struct CallArgs {
    /// The method, such as getStateInstance or updateGroupSettings.
    method: String,
    /// Its arguments, a JSON object: the body of a POST, or the query of a GET.
    #[arg(long, value_name = "JSON", default_value = "{}")]
    data: String,
}

pub(super) async fn run(context: &Context, args: &CallArgs) -> Done {
    let data = arguments(&args.data)?;
    let answer = if let Some(method) = find_method(&args.method) {
        let account = &context.one()?.account;
        context.api.call(account, method, &data).await?
    } else if let Some(method) = find_partner_method(&args.method) {
        let partner = account::partner(&context.config)?.ok_or_else(no_partner)?;
        context.api.call_partner(&partner, method, &data).await?
    } else {
        return Err(unknown(&args.method));
    };
    // Serializing JSON cannot fail.
    let text = serde_json::to_string_pretty(&answer).unwrap_or_default();
    println!("{}", escaped(&text));
    Ok(ExitCode::SUCCESS)
}

pub(super) fn no_partner() -> Failed {
    Failed(
        USAGE,
        "green_api.partner_token_file is not set\n  help: set it to a file with the partner's token, which \
         GREEN-API's support gives to partners"
            .to_owned(),
    )
}

fn arguments(text: &str) -> Result<Map<String, Value>, Failed> {
    match serde_json::from_str(text) {
        Ok(Value::Object(data)) => Ok(data),
        _ => Err(Failed(
            USAGE,
            "--data is not a JSON object\n  help: write it like '{\"chatId\":\"79000000002@c.us\"}'".to_owned(),
        )),
    }
}

fn unknown(name: &str) -> Failed {
    let similar = similar_methods(name);
    let help = if similar.is_empty() {
        "GREEN-API's documentation lists the methods; those that upload a file are not supported"
            .to_owned()
    } else {
        format!("did you mean {}?", similar.join(", "))
    };
    let name = name.escape_default();
    Failed(
        USAGE,
        format!("there is no method `{name}`\n  help: {help}"),
    )
}

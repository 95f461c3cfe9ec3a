//! `green-inbox account create`: an instance whose notifications arrive here from the beginning.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use secrecy::ExposeSecret;

use super::call::no_partner;
use super::connect::checked;
use super::{Context, Done, Failed};
use crate::account::{hook_token, partner, wanted};
use crate::config::Receive;
use crate::green_api::Settings;

#[derive(Debug, Args)]
pub(super) struct CreateArgs {
    /// A name for GREEN-API's console.
    #[arg(long)]
    name: String,
    /// The address of the public listener. Without it the instance is created to be pulled from.
    #[arg(long)]
    url: Option<String>,
    /// The folder for the file with the new instance's token.
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    folder: PathBuf,
}

pub(super) async fn run(context: &Context, args: &CreateArgs) -> Done {
    let partner = partner(&context.config)?.ok_or_else(no_partner)?;
    let token = hook_token(&context.config.ingest)?;
    let url = args.url.as_deref().map(checked).transpose()?;
    let url = url.map(|url| url.to_string());
    let receive = if url.is_some() {
        Receive::Webhook
    } else {
        Receive::Pull
    };
    let mut settings = wanted(&Settings::default(), receive, url.as_deref(), &token);
    settings.set("name", &args.name);
    // Found out before the instance exists, which costs money.
    if !args.folder.is_dir() {
        let text = format!(
            "--folder: `{}` is not a folder\n  help: create it, or name another one",
            args.folder.display()
        );
        return Err(Failed(super::USAGE, text));
    }
    let created = context.api.create_instance(&partner, &settings).await?;
    let id = created.id_instance;
    let path = args.folder.join(format!("api_token_{id}"));
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path);
    file.and_then(|mut file| file.write_all(created.token.expose_secret().as_bytes()))
        .map_err(|error| {
            let text = format!(
                "instance {id} was created, but `{}` cannot be written: {error}\n  help: copy \
                 apiTokenInstance from GREEN-API's console",
                path.display()
            );
            Failed(1, text)
        })?;
    let path = std::path::absolute(&path)?;
    println!("# instance {id} was created; add this to the configuration:");
    println!(
        "[[accounts]]\nid_instance = {id}\napi_token_file = {:?}",
        path.display().to_string()
    );
    if created.type_instance == "v3" {
        println!("product = \"max\"");
    } else if created.type_instance == "telegram" {
        println!("product = \"telegram\"");
    }
    if receive == Receive::Pull {
        println!("receive = \"pull\"");
    }
    println!("# then link the phone: scan the QR code in GREEN-API's console");
    Ok(ExitCode::SUCCESS)
}

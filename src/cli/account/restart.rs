//! `green-inbox account logout` and `green-inbox account reboot`.

use std::process::ExitCode;

use super::{Context, Done};

pub(super) async fn logout(context: &Context) -> Done {
    let account = &context.one()?.account;
    context.api.logout(account).await?;
    println!("{}: the phone is unlinked", account.id_instance());
    println!("  help: to link one, scan the QR code in GREEN-API's console");
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn reboot(context: &Context) -> Done {
    let account = &context.one()?.account;
    context.api.reboot(account).await?;
    println!(
        "{}: restarting, which takes up to 5 minutes",
        account.id_instance()
    );
    Ok(ExitCode::SUCCESS)
}

//! Verifies a request with the crate of Standard Webhooks. Arguments: secret, `webhook-id`, `webhook-timestamp` and
//! `webhook-signature`. The body is standard input. Exits 0 if the signature is right, 1 if it is wrong.

use std::io::{Read, stdin};
use std::process::ExitCode;

use http::HeaderMap;
use standardwebhooks::{Webhook, WebhookError};

fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().ok_or("an argument is missing");
    let webhook = Webhook::new(&next()?)?;
    let mut headers = HeaderMap::new();
    for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
        headers.insert(name, next()?.parse()?);
    }
    let mut body = Vec::new();
    stdin().read_to_end(&mut body)?;
    match webhook.verify(&body, &headers) {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(WebhookError::InvalidSignature) => Ok(ExitCode::FAILURE),
        Err(other) => Err(other.into()),
    }
}

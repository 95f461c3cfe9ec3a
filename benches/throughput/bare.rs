//! *bare*: axum that reads the body and answers 200. It keeps nothing, so nothing can be faster
//! that is built on the same.

use std::net::Ipv4Addr;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::post;
use bytes::Bytes;
use tokio::net::TcpListener;

use super::Failure;

pub(crate) const NAME: &str = "bare";

/// The word on the command line of this executable that makes it this server.
pub(crate) const ROLE: &str = "serve-bare";

pub(crate) async fn serve(port: u16) -> Result<(), Failure> {
    let router = Router::new().route("/webhook", post(receive));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    Ok(axum::serve(listener, router).await?)
}

async fn receive(body: Bytes) -> StatusCode {
    // Read whole by the extractor; an empty one is not what is sent here.
    if body.is_empty() {
        StatusCode::BAD_REQUEST
    } else {
        StatusCode::OK
    }
}

//! *bare*: axum that reads the body and responds 200. It stores nothing, so no server built on axum
//! can be faster.

use std::net::Ipv4Addr;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::post;
use bytes::Bytes;
use tokio::net::TcpListener;

use super::Failure;

pub(crate) const NAME: &str = "bare";

/// The subcommand of this executable that runs this server.
pub(crate) const ROLE: &str = "serve-bare";

pub(crate) async fn serve(port: u16) -> Result<(), Failure> {
    let router = Router::new().route("/webhook", post(receive));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    Ok(axum::serve(listener, router).await?)
}

async fn receive(body: Bytes) -> StatusCode {
    // The extractor has read the whole body. The load sends no empty one.
    if body.is_empty() {
        StatusCode::BAD_REQUEST
    } else {
        StatusCode::OK
    }
}

//! Requests to other machines: one TLS client for the whole program, signatures, delays between retries, their
//! pace in a burst, mail.
//!
//! Every request is bounded in time and in the bytes of its response. Nothing in an error or a log line shows a
//! URL, because a path may hold a token.

mod backoff;
mod client;
#[cfg(feature = "email")]
mod mail;
mod pace;
mod signature;

pub use backoff::{Backoff, jittered};
pub use client::{Answer, Client, Request, SendError, Streamed, innermost};
#[cfg(feature = "email")]
pub use mail::{Encryption, Mail, MailError, Mailer};
pub use pace::Pace;
pub use reqwest::{Method, StatusCode};
pub use signature::sign;

//! Any `Authorization` header lines: only the configured tokens are admitted.
#![no_main]

use std::net::IpAddr;

use green_inbox::config::{Ingest, Token};
use green_inbox::ingest::{SourceGate, TokenGate};
use hyper::HeaderMap;
use hyper::header::HeaderValue;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|lines: Vec<Vec<u8>>| {
    let settings = Ingest {
        tokens: vec![
            Token::new("Bearer open-sesame"),
            Token::new("Basic b3Blbg=="),
        ],
        ..Ingest::default()
    };
    let mut headers = HeaderMap::new();
    for line in &lines {
        match HeaderValue::from_bytes(line) {
            Ok(value) => headers.append("authorization", value),
            Err(_) => return,
        };
    }
    let sender = IpAddr::from([46, 101, 109, 139]);
    let source = SourceGate::new(&settings)
        .admit(sender, &HeaderMap::new())
        .expect("an address of GREEN-API");
    let gate = TokenGate::new(&settings).expect("tokens");
    if gate.authorize(&headers, source).is_ok() {
        let has = |token: &str| {
            lines
                .iter()
                .any(|line| String::from_utf8_lossy(line).contains(token))
        };
        assert!(
            has("open-sesame") || has("b3Blbg=="),
            "{lines:?} is admitted"
        );
        assert_eq!(lines.len(), 1, "several Authorization lines are ambiguous");
    }
});

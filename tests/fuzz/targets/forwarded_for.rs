//! Any `X-Forwarded-For` header lines: only the rightmost address that is not a proxy decides
//! whether a request is admitted.
#![no_main]

use std::net::IpAddr;

use green_inbox::config::Ingest;
use green_inbox::ingest::SourceGate;
use hyper::HeaderMap;
use hyper::header::HeaderValue;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|lines: Vec<Vec<u8>>| {
    let settings = Ingest::default();
    let mut headers = HeaderMap::new();
    for line in &lines {
        match HeaderValue::from_bytes(line) {
            Ok(value) => headers.append("x-forwarded-for", value),
            Err(_) => return,
        };
    }
    let gate = SourceGate::new(&settings);
    let proxy = IpAddr::from([127, 0, 0, 1]);
    if let Ok(source) = gate.admit(proxy, &headers) {
        let client = source.client.address();
        assert!(
            settings
                .allowed_sources
                .iter()
                .any(|network| network.contains(client)),
            "{client} is admitted"
        );
        let text = lines
            .iter()
            .map(|line| String::from_utf8_lossy(line).into_owned())
            .collect::<Vec<_>>()
            .join(",");
        assert!(!text.is_empty(), "a proxy alone is admitted");
    }
    // The header does not help a peer that is not a trusted proxy.
    let unlisted = IpAddr::from([198, 51, 100, 7]);
    assert!(gate.admit(unlisted, &headers).is_err());
});

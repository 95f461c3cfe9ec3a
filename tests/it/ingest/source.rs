//! The client's address: the peer, or the address that trusted proxies report.

use std::net::IpAddr;

use green_inbox::config::{Ingest, Network};
use green_inbox::ingest::{SourceGate, SourceRefused};
use hyper::HeaderMap;
use hyper::header::HeaderValue;

use super::{notice, post_with};
use crate::support::{TOKEN, TestServer, post};

/// Proxies trusted in these tests: single addresses and networks, IPv4 and IPv6.
const TRUSTED: [&str; 4] = ["127.0.0.1", "::1", "10.0.0.0/8", "2001:db8:aaaa::/48"];

/// Sources allowed in these tests.
const ALLOWED: [&str; 4] = [
    "192.0.2.1",
    "198.51.100.0/24",
    "2001:db8::7",
    "2001:db8:7::/48",
];

fn networks(list: &[&str]) -> Vec<Network> {
    list.iter().map(|text| text.parse().unwrap()).collect()
}

fn gate(allowed: &[&str]) -> SourceGate {
    SourceGate::new(&Ingest {
        allowed_sources: networks(allowed),
        trusted_proxies: networks(&TRUSTED),
        ..Ingest::default()
    })
}

fn forwarded(lines: &[&[u8]]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in lines {
        headers.append("x-forwarded-for", HeaderValue::from_bytes(line).unwrap());
    }
    headers
}

/// The client address that the gate finds, or `None` if `X-Forwarded-For` is invalid.
fn client(peer: &str, lines: &[&[u8]]) -> Option<String> {
    // Every source is allowed, so only finding the client can fail.
    let gate = gate(&["0.0.0.0/0", "::/0"]);
    match gate.admit(peer.parse().unwrap(), &forwarded(lines)) {
        Ok(source) => Some(source.client.address().to_string()),
        Err(SourceRefused::BadForwardedFor(_)) => None,
        Err(SourceRefused::NotAllowed(address)) => panic!("{address} is allowed"),
    }
}

/// The client of a request forwarded by a trusted proxy.
fn behind_proxy(lines: &[&str]) -> Option<String> {
    let lines: Vec<_> = lines.iter().map(|line| line.as_bytes()).collect();
    client("127.0.0.1", &lines)
}

#[test]
fn client_without_the_header_is_the_peer() {
    for (peer, address) in [
        ("192.0.2.1", "192.0.2.1"),
        ("127.0.0.1", "127.0.0.1"),
        ("10.1.2.3", "10.1.2.3"),
        ("2001:db8::7", "2001:db8::7"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
    ] {
        assert_eq!(client(peer, &[]).as_deref(), Some(address), "{peer}");
    }
}

#[test]
fn header_from_an_untrusted_peer_is_ignored() {
    for peer in [
        "192.0.2.66",
        "2001:db8::66",
        "::ffff:192.0.2.66",
        "127.0.0.2",
        "11.0.0.1",
    ] {
        let seen = peer.strip_prefix("::ffff:").unwrap_or(peer);
        for line in [
            "192.0.2.1",
            "10.0.0.1",
            "127.0.0.1, 192.0.2.1",
            "garbage",
            "",
        ] {
            let found = client(peer, &[line.as_bytes()]);
            assert_eq!(found.as_deref(), Some(seen), "{peer}: {line:?}");
        }
    }
}

#[test]
fn client_is_the_rightmost_untrusted_address() {
    for (lines, address) in [
        (&["192.0.2.1"][..], "192.0.2.1"),
        // A spoofed entry at the left, in the middle and at the right.
        (&["192.0.2.1, 203.0.113.9"], "203.0.113.9"),
        (&["127.0.0.1, 203.0.113.9"], "203.0.113.9"),
        (&["192.0.2.1, 203.0.113.9, 10.0.0.1"], "203.0.113.9"),
        (&["203.0.113.9, 192.0.2.1, 10.0.0.1"], "192.0.2.1"),
        (&["203.0.113.9, 10.9.9.9, 192.0.2.1"], "192.0.2.1"),
        // Chained proxies.
        (&["192.0.2.1, 10.0.0.1, 10.0.0.2, 127.0.0.1"], "192.0.2.1"),
        (&["192.0.2.1, 2001:db8:aaaa::1, ::1"], "192.0.2.1"),
        (&["192.0.2.1, ::ffff:10.0.0.1"], "192.0.2.1"),
        // Several header lines form one list, in order.
        (&["192.0.2.1", "203.0.113.9"], "203.0.113.9"),
        (&["203.0.113.9", "192.0.2.1"], "192.0.2.1"),
        (
            &["203.0.113.9, 192.0.2.1", "10.0.0.1", "10.0.0.2"],
            "192.0.2.1",
        ),
        (&["192.0.2.1", "203.0.113.9, 10.0.0.1"], "203.0.113.9"),
        // Spaces and tabs around entries, or none.
        (&["203.0.113.9,192.0.2.1"], "192.0.2.1"),
        (&["  203.0.113.9 \t,\t  192.0.2.1\t "], "192.0.2.1"),
        // IPv6, and IPv4-mapped IPv6.
        (&["203.0.113.9, 2001:db8::7"], "2001:db8::7"),
        (&["2001:DB8:0:0:0:0:0:7"], "2001:db8::7"),
        (&["203.0.113.9, ::ffff:192.0.2.1"], "192.0.2.1"),
        (&["::ffff:c000:201"], "192.0.2.1"),
    ] {
        assert_eq!(behind_proxy(lines).as_deref(), Some(address), "{lines:?}");
    }
}

#[test]
fn client_is_the_leftmost_address_when_all_are_trusted() {
    for (lines, address) in [
        (&["10.0.0.1"][..], "10.0.0.1"),
        (&["10.0.0.1, 10.0.0.2, 127.0.0.1"], "10.0.0.1"),
        (&["::1, 10.0.0.2", "127.0.0.1"], "::1"),
    ] {
        assert_eq!(behind_proxy(lines).as_deref(), Some(address), "{lines:?}");
    }
}

/// Entries that are not addresses.
const GARBAGE: [&str; 19] = [
    "",
    " ",
    "unknown",
    "_hidden",
    "\"192.0.2.1\"",
    "192.0.2.1:",
    "192.0.2.1:443:",
    "192.0.2.1:https",
    "192.0.2.1:65536",
    "[2001:db8::7",
    "[192.0.2.1]",
    "[192.0.2.1]:443",
    "[2001:db8::7]x",
    "fe80::1%eth0",
    "192.0.2.0/24",
    "192.0.2",
    "192.0.2.256",
    "0300.0.2.1",
    "inbox.example",
];

#[test]
fn garbage_in_the_trusted_part_is_refused() {
    for garbage in GARBAGE {
        for lines in [
            vec![garbage.to_owned()],
            vec![format!("192.0.2.1, {garbage}")],
            vec![format!("192.0.2.1, {garbage}, 10.0.0.1")],
            vec![format!("{garbage}, 10.0.0.1")],
            vec!["192.0.2.1".to_owned(), garbage.to_owned()],
            vec![
                "192.0.2.1".to_owned(),
                garbage.to_owned(),
                "10.0.0.1".to_owned(),
            ],
        ] {
            let lines: Vec<_> = lines.iter().map(String::as_str).collect();
            assert_eq!(behind_proxy(&lines), None, "{lines:?}");
        }
    }
}

#[test]
fn garbage_left_of_the_client_is_ignored() {
    for garbage in GARBAGE {
        for lines in [
            vec![format!("{garbage}, 192.0.2.1")],
            vec![format!("{garbage}, 192.0.2.1, 10.0.0.1")],
            vec![format!("{garbage}, 10.0.0.1, 192.0.2.1")],
            vec![garbage.to_owned(), "192.0.2.1".to_owned()],
            vec![garbage.to_owned(), "192.0.2.1, 10.0.0.1".to_owned()],
        ] {
            let lines: Vec<_> = lines.iter().map(String::as_str).collect();
            assert_eq!(
                behind_proxy(&lines).as_deref(),
                Some("192.0.2.1"),
                "{lines:?}"
            );
        }
    }
}

#[test]
fn non_text_bytes_are_garbage_too() {
    let found = |lines: &[&[u8]]| client("127.0.0.1", lines);
    assert_eq!(found(&[b"\xff\xfe"]), None);
    assert_eq!(found(&[b"192.0.2.1, \xd1\x8f"]), None);
    // HTTP does not count a no-break space as whitespace.
    assert_eq!(found(&["\u{a0}192.0.2.1".as_bytes()]), None);
    for lines in [
        &[&b"\xff\xfe, 192.0.2.1"[..]][..],
        &[b"\xff\xfe", b"192.0.2.1"],
    ] {
        assert_eq!(found(lines).as_deref(), Some("192.0.2.1"));
    }
}

#[test]
fn listed_address_is_admitted_by_its_entry() {
    let gate = gate(&ALLOWED);
    for (peer, rule) in [
        ("192.0.2.1", Some("192.0.2.1")),
        ("::ffff:192.0.2.1", Some("192.0.2.1")),
        ("192.0.2.2", None),
        ("198.51.100.0", Some("198.51.100.0/24")),
        ("198.51.100.255", Some("198.51.100.0/24")),
        ("198.51.101.0", None),
        ("2001:db8::7", Some("2001:db8::7")),
        ("2001:db8::8", None),
        ("2001:db8:7:1::1", Some("2001:db8:7::/48")),
        // A trusted proxy is not thereby an allowed source.
        ("127.0.0.1", None),
        ("10.0.0.1", None),
        // The obsolete IPv4-compatible form is an ordinary IPv6 address.
        ("::192.0.2.1", None),
    ] {
        let address: IpAddr = peer.parse().unwrap();
        let admitted = gate.admit(address, &HeaderMap::new()).ok();
        let rule_found = admitted.map(|source| source.rule.to_string());
        assert_eq!(rule_found.as_deref(), rule, "{peer}");
        let forwarded_source =
            gate.admit("127.0.0.1".parse().unwrap(), &forwarded(&[peer.as_bytes()]));
        assert_eq!(
            forwarded_source.is_ok(),
            rule.is_some(),
            "{peer} behind a proxy"
        );
    }
}

#[test]
fn ipv4_mapped_address_in_the_settings_counts_as_ipv4() {
    let gate = SourceGate::new(&Ingest {
        allowed_sources: networks(&["::ffff:192.0.2.1", "::ffff:198.51.100.0/120"]),
        trusted_proxies: networks(&["::ffff:127.0.0.1"]),
        ..Ingest::default()
    });
    for line in ["192.0.2.1", "::ffff:192.0.2.1", "198.51.100.9"] {
        let headers = forwarded(&[line.as_bytes()]);
        assert!(
            gate.admit("127.0.0.1".parse().unwrap(), &headers).is_ok(),
            "{line}"
        );
    }
}

/// A server that allows 192.0.2.1 and trusts the proxy `trusted`.
async fn server(trusted: &str) -> TestServer {
    TestServer::with(|config| {
        config.ingest.allowed_sources = networks(&["192.0.2.1"]);
        config.ingest.trusted_proxies = networks(&[trusted]);
    })
    .await
}

#[tokio::test]
async fn forwarded_client_decides_behind_a_trusted_proxy() {
    let server = server("127.0.0.1").await;
    for (lines, status) in [
        (&["192.0.2.1"][..], 200),
        (&["203.0.113.9, 192.0.2.1"], 200),
        (&["203.0.113.9", "192.0.2.1, 127.0.0.1"], 200),
        (&["\u{44f}, 192.0.2.1"], 200),
        (&["192.0.2.1, 203.0.113.9"], 403),
        (&["192.0.2.1", "203.0.113.9"], 403),
        (&["192.0.2.1, \u{44f}"], 403),
        (&["192.0.2.1,"], 403),
        (&[""], 403),
        (&[], 403),
    ] {
        let mut headers = vec![("authorization", TOKEN)];
        headers.extend(lines.iter().map(|line| ("x-forwarded-for", *line)));
        let answer = post_with(server.public, &headers, notice(1)).await;
        assert_eq!(answer.status, status, "{lines:?}");
        if status == 403 {
            assert_eq!(answer.code(), "source-not-allowed");
        }
    }
}

#[tokio::test]
async fn forwarding_headers_from_an_untrusted_peer_are_ignored() {
    let server = server("10.0.0.1").await;
    for name in ["x-forwarded-for", "forwarded", "x-real-ip"] {
        let headers = [("authorization", TOKEN), (name, "192.0.2.1")];
        let answer = post_with(server.public, &headers, notice(1)).await;
        assert_eq!(answer.code(), "source-not-allowed", "{name}");
    }
}

#[tokio::test]
async fn ipv6_loopback_peer_is_admitted_and_its_header_is_believed() {
    let server = TestServer::with(|config| {
        config.ingest.listen = "[::1]:0".parse().unwrap();
        config.ingest.allowed_sources = networks(&["::1"]);
    })
    .await;
    assert_eq!(post(server.public, notice(1)).await.status, 200);
    let headers = [("authorization", TOKEN), ("x-forwarded-for", "2001:db8::7")];
    let answer = post_with(server.public, &headers, notice(1)).await;
    assert_eq!(answer.code(), "source-not-allowed");
}

#[tokio::test]
async fn ipv4_peer_of_a_dual_stack_listener_counts_as_ipv4() {
    let server = TestServer::with(|config| config.ingest.listen = "[::]:0".parse().unwrap()).await;
    let mut address = server.public;
    address.set_ip("127.0.0.1".parse().unwrap());
    assert_eq!(post(address, notice(1)).await.status, 200);
    address.set_ip("::1".parse().unwrap());
    assert_eq!(post(address, notice(1)).await.code(), "source-not-allowed");
}

#[test]
fn port_after_an_address_is_dropped() {
    for (entry, address) in [
        ("192.0.2.1:443", "192.0.2.1"),
        (" 192.0.2.1:1 ", "192.0.2.1"),
        ("[2001:db8::7]", "2001:db8::7"),
        ("[2001:db8::7]:443", "2001:db8::7"),
        ("[::ffff:192.0.2.1]:443", "192.0.2.1"),
    ] {
        for line in [
            entry.to_owned(),
            format!("198.51.100.1, {entry}"),
            format!("{entry}, 10.0.0.1:80"),
        ] {
            assert_eq!(behind_proxy(&[&line]).as_deref(), Some(address), "{line}");
        }
    }
}

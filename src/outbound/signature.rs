//! The signature of Standard Webhooks (standardwebhooks.com, version 1).

use data_encoding::BASE64;
use hmac::{Hmac, Mac};
use sha2::Sha256;

/// The value of `webhook-signature`: one `v1,…` for each key, separated by spaces. More than one key is in use
/// while a key is changed; the receiver accepts any of them. `timestamp` is in seconds since 1970.
#[must_use]
pub fn sign(keys: &[Vec<u8>], id: &str, timestamp: i64, body: &[u8]) -> String {
    let signatures = keys.iter().filter_map(|key| {
        // HMAC takes keys of any length, so this never fails.
        let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
        mac.update(format!("{id}.{timestamp}.").as_bytes());
        mac.update(body);
        let signature = mac.finalize().into_bytes();
        Some(format!("v1,{}", BASE64.encode(&signature)))
    });
    signatures.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use data_encoding::BASE64;

    use super::sign;

    /// The example of the specification's libraries.
    #[test]
    fn signature_equals_that_of_the_specification() {
        let key = BASE64.decode(b"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let (id, timestamp) = ("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330);
        let body = br#"{"test": 2432232314}"#;
        let expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(
            sign(std::slice::from_ref(&key), id, timestamp, body),
            expected
        );
        let both = sign(&[key, vec![7; 24]], id, timestamp, body);
        assert!(
            both.starts_with(expected) && both.split(' ').count() == 2,
            "{both}"
        );
    }
}

//! `[media]`: how files of messages are kept.

use serde::{Deserialize, Serialize};

use super::{ConfigError, Network};

/// Bytes of one file. GREEN-API passes on up to 100 MB.
const FILE_BYTES: std::ops::RangeInclusive<u64> = 1..=(4 << 30);

/// Downloads at the same time.
const CONCURRENCY: std::ops::RangeInclusive<u32> = 1..=32;

/// Seconds for one download.
const TIMEOUT_SECONDS: std::ops::RangeInclusive<u32> = 1..=3600;

/// Delays between attempts.
const RETRIES: std::ops::RangeInclusive<usize> = 1..=20;

/// Seconds between two attempts.
const RETRY_SECONDS: std::ops::RangeInclusive<u32> = 1..=604_800;

/// Networks that are allowed although they are private.
const MOST_NETWORKS: usize = 100;

/// How files are kept, for the accounts with `media = true`.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Media {
    /// Bytes of the largest file that is kept. A larger one counts as lost.
    pub max_file_bytes: u64,
    /// Bytes of all kept files together; 0 means no limit but the disk. Beyond it no further file is kept.
    pub max_bytes: u64,
    /// Downloads at the same time.
    pub concurrency: u32,
    /// Seconds for one download.
    pub timeout_seconds: u32,
    /// Seconds to wait after the first failed attempt, the second and so on. After one attempt more than there
    /// are delays the file is lost.
    pub retry_seconds: Vec<u32>,
    /// Private addresses that files may be downloaded from, also with plain http.
    pub allow_private: Vec<Network>,
}

impl Default for Media {
    fn default() -> Self {
        Self {
            max_file_bytes: 100 * 1024 * 1024,
            max_bytes: 0,
            concurrency: 4,
            timeout_seconds: 300,
            // GREEN-API keeps files for 15 days: the last attempt is made after 13.
            retry_seconds: vec![
                10, 60, 600, 3600, 10_800, 43_200, 86_400, 86_400, 172_800, 345_600, 345_600,
            ],
            allow_private: Vec::new(),
        }
    }
}

impl Media {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let within = |key: &'static str, is_within: bool, range: &str| {
            let wrong = || ConfigError::setting(key, "it is out of range", format!("use {range}"));
            is_within.then_some(()).ok_or_else(wrong)
        };
        within(
            "media.max_file_bytes",
            FILE_BYTES.contains(&self.max_file_bytes),
            "1 to 4294967296",
        )?;
        within(
            "media.concurrency",
            CONCURRENCY.contains(&self.concurrency),
            "1 to 32",
        )?;
        within(
            "media.timeout_seconds",
            TIMEOUT_SECONDS.contains(&self.timeout_seconds),
            "1 to 3600",
        )?;
        let retries = &self.retry_seconds;
        within(
            "media.retry_seconds",
            RETRIES.contains(&retries.len()) && retries.iter().all(|s| RETRY_SECONDS.contains(s)),
            "1 to 20 delays of 1 to 604800 seconds",
        )?;
        within(
            "media.allow_private",
            self.allow_private.len() <= MOST_NETWORKS,
            "at most 100 networks",
        )
    }
}

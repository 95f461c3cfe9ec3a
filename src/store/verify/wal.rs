//! Verifies the checksums of the WAL (sqlite.org/fileformat2.html, "The Write-Ahead Log").
//!
//! SQLite checks them only when it recovers a WAL. It then takes the first wrong one for the end of the WAL, and
//! leaves out all commits from there on without a word.

use crate::store::beside::with_ending;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

const HEADER: usize = 32;
const FRAME_HEADER: usize = 24;

/// Attempts to read the WAL. Its writer may be in the middle of a frame.
const ATTEMPTS: usize = 3;

/// What is wrong with the WAL of the database at `path`, if anything.
pub(super) fn problem(path: &Path) -> Option<String> {
    let mut last = None;
    for _ in 0..ATTEMPTS {
        match check(path) {
            Ok(None) => return None,
            Ok(Some(problem)) if last.as_ref() == Some(&problem) => return Some(problem),
            Ok(problem) => last = problem,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => return Some(format!("the WAL cannot be read: {error}")),
        }
    }
    None
}

fn check(path: &Path) -> io::Result<Option<String>> {
    let mut wal = BufReader::with_capacity(1 << 20, File::open(with_ending(path, "-wal"))?);
    let mut header = [0; HEADER];
    if wal.read_exact(&mut header).is_err() {
        // Nothing was written since the last restart.
        return Ok(None);
    }
    let committed = committed_frames(path, &header);
    // The lowest bit of the magic number tells the byte order of the checksums.
    let order = match header[..4] {
        [0x37, 0x7f, 0x06, 0x82] => u32::from_le_bytes,
        [0x37, 0x7f, 0x06, 0x83] => u32::from_be_bytes,
        _ => return Ok(Some("the header of the WAL is damaged".to_owned())),
    };
    let mut sum = add((0, 0), &header[..24], order);
    if sum != pair(&header[24..]) {
        return Ok(Some("the header of the WAL is damaged".to_owned()));
    }
    let page = number(&header[8..]) as usize;
    let mut frame = vec![0; FRAME_HEADER + page];
    let (mut frames, mut broken, mut lost) = (0_u32, None, 0_u32);
    while wal.read_exact(&mut frame).is_ok() {
        frames += 1;
        // Frames of the time before the last restart have other salts.
        let is_current = frame[8..16] == header[16..24];
        if broken.is_none() {
            sum = add(sum, &frame[..8], order);
            sum = add(sum, &frame[FRAME_HEADER..], order);
            if is_current && sum == pair(&frame[16..24]) {
                continue;
            }
            broken = Some(frames);
        } else if is_current && number(&frame[4..]) != 0 {
            lost = frames;
        }
    }
    let Some(broken) = broken else {
        return Ok(None);
    };
    let is_in_committed = committed.is_some_and(|committed| broken <= committed);
    if !is_in_committed && lost == 0 {
        // The writer was stopped in the middle of a transaction, which was not answered.
        return Ok(None);
    }
    let end = committed.unwrap_or(lost).max(lost);
    Ok(Some(format!(
        "frame {broken} of the WAL is damaged: commits in the frames {broken} to {end} are lost when the WAL is \
         recovered after a crash"
    )))
}

/// The number of committed frames, as the WAL index beside the WAL has it. `None` if there is no index, or it
/// belongs to another WAL.
fn committed_frames(path: &Path, wal_header: &[u8; HEADER]) -> Option<u32> {
    let mut index = [0; 96];
    File::open(with_ending(path, "-shm"))
        .ok()?
        .read_exact(&mut index)
        .ok()?;
    let (first, second) = index.split_at(48);
    let native = |at: usize| first[at..at + 4].try_into().map(u32::from_ne_bytes).ok();
    // The salts are copied from the WAL byte by byte.
    (first == second && first[32..40] == wal_header[16..24])
        .then(|| native(16))
        .flatten()
}

/// SQLite's checksum, continued over more bytes.
fn add((mut a, mut b): (u32, u32), bytes: &[u8], order: fn([u8; 4]) -> u32) -> (u32, u32) {
    let (pairs, _) = bytes.as_chunks::<8>();
    for &[c, d, e, f, g, h, i, j] in pairs {
        a = a.wrapping_add(order([c, d, e, f])).wrapping_add(b);
        b = b.wrapping_add(order([g, h, i, j])).wrapping_add(a);
    }
    (a, b)
}

/// A number, which the WAL stores in big-endian order.
fn number(bytes: &[u8]) -> u32 {
    bytes
        .first_chunk()
        .map_or(0, |bytes| u32::from_be_bytes(*bytes))
}

fn pair(bytes: &[u8]) -> (u32, u32) {
    (number(bytes), number(&bytes[4..]))
}

//! Compares both sides, event by event. PostgreSQL computes the digests of its bodies itself.

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use super::error::MigrateError;
use super::local::{self, Line};
use super::remote::{COUNTS, Remote};
use super::report::{MigrateStage, Migrated, Observe};
use crate::store::event_connection::EventConnection;

/// Compares the events up to `newest`. With `are_keys_stored`, the timestamps that duplicates are found by must be the
/// same too; a database that is copied from PostgreSQL takes them from the bodies.
///
/// # Errors
///
/// An event or a count differs, or one side cannot be read.
pub(super) async fn compare(
    local: &EventConnection,
    remote: &Remote,
    (newest, are_keys_stored): (i64, bool),
    observe: Observe<'_>,
) -> Result<Migrated, MigrateError> {
    let mut done = Migrated {
        newest,
        ..Migrated::default()
    };
    let (mut seq, mut digests) = (0, Sha256::new());
    loop {
        let ours = local::lines(local, seq)?;
        let end = ours.last().map_or(newest, |line| line.seq);
        let theirs = remote.lines((seq, end)).await?;
        if let Some(different) = first_difference(&ours, &theirs, are_keys_stored) {
            return Err(MigrateError::Differs(different));
        }
        for line in &theirs {
            digests.update(line.digest);
        }
        done.events += ours.len() as u64;
        seq = end;
        observe(MigrateStage::Compare, seq, newest);
        if seq >= newest {
            break;
        }
    }
    done.counts = compare_counts(local, remote, newest).await?;
    done.digest = HEXLOWER.encode(&digests.finalize());
    Ok(done)
}

/// The first seq whose events differ.
fn first_difference(ours: &[Line], theirs: &[Line], are_keys_stored: bool) -> Option<i64> {
    let is_same = |(one, other): &(&Line, &Line)| {
        (one.seq, one.received_at, &one.origin) == (other.seq, other.received_at, &other.origin)
            && one.digest == other.digest
            && (!are_keys_stored || one.timestamp == other.timestamp)
    };
    let same = ours.iter().zip(theirs).take_while(is_same).count();
    let seqs = [ours.get(same), theirs.get(same)];
    seqs.into_iter().flatten().map(|line| line.seq).min()
}

async fn compare_counts(
    local: &EventConnection,
    remote: &Remote,
    newest: i64,
) -> Result<u64, MigrateError> {
    let (mut seq, mut counts) = (0, 0);
    loop {
        let ours = local::counts(local, seq, COUNTS)?;
        let theirs = remote.counts((seq, newest)).await?;
        if ours != theirs {
            let same = ours
                .iter()
                .zip(&theirs)
                .take_while(|(one, other)| one == other);
            let same = same.count();
            let seqs = [ours.get(same), theirs.get(same)];
            let different = seqs.into_iter().flatten().map(|count| count.seq).min();
            return Err(MigrateError::CountDiffers(different.unwrap_or(seq)));
        }
        counts += ours.len() as u64;
        let Some(last) = ours.last() else {
            return Ok(counts);
        };
        seq = last.seq;
    }
}

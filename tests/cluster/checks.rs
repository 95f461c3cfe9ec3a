//! Checks of what PostgreSQL has after a fault.

use std::collections::HashSet;

use tokio_postgres::Client;

use crate::rig::Bodies;
use crate::rig::load::Answered;

/// The events of a PostgreSQL.
pub struct Events {
    rows: Vec<(i64, Vec<u8>)>,
    head: i64,
}

impl Events {
    pub async fn read(client: &Client) -> Self {
        let rows = client
            .query("SELECT seq, body FROM event ORDER BY seq", &[])
            .await
            .unwrap();
        let head = client.query_one("SELECT last FROM feed_head", &[]).await;
        Self {
            rows: rows.iter().map(|row| (row.get(0), row.get(1))).collect(),
            head: head.unwrap().get(0),
        }
    }

    /// The body of an event.
    pub fn body(&self, seq: i64) -> Option<&[u8]> {
        let index = usize::try_from(seq - 1).ok()?;
        self.rows.get(index).map(|(_, body)| &body[..])
    }

    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// What is wrong: a gap, a seq or a body that is there twice, or an answered event that is not there.
    pub fn problems(&self, answered: &[Answered], bodies: &Bodies) -> Vec<String> {
        let mut problems = Vec::new();
        for ((seq, _), expected) in self.rows.iter().zip(1_i64..) {
            if *seq != expected {
                problems.push(format!("seq {seq} where {expected} should be"));
                break;
            }
        }
        if self.head != i64::try_from(self.rows.len()).unwrap() {
            problems.push(format!("the head is {} of {}", self.head, self.rows.len()));
        }
        let distinct: HashSet<&[u8]> = self.rows.iter().map(|(_, body)| &body[..]).collect();
        if distinct.len() != self.rows.len() {
            problems.push("a body is stored twice".to_owned());
        }
        for answer in answered {
            let index = usize::try_from(answer.seq - 1).unwrap();
            let body = self.rows.get(index).map(|(_, body)| &body[..]);
            if body != Some(&bodies.body(answer.number)) {
                problems.push(format!("the answered event {} is lost", answer.seq));
            }
        }
        problems
    }

    /// Asserts that nothing is wrong, and that each kind of problem would be found.
    pub fn assert_whole(mut self, answered: &[Answered], bodies: &Bodies) {
        assert_eq!(self.problems(answered, bodies), Vec::<String>::new());
        let last = answered.last().expect("something was answered");
        let index = usize::try_from(last.seq - 1).unwrap();
        let kept = self.rows[index].1.clone();
        self.rows[index].1 = b"changed".to_vec();
        assert!(
            !self.problems(answered, bodies).is_empty(),
            "a changed body is not found"
        );
        self.rows[index].1 = kept;
        let (seq, body) = self.rows.remove(index);
        assert!(
            !self.problems(answered, bodies).is_empty(),
            "a lost event is not found"
        );
        self.rows.push((seq + 1, body));
        assert!(
            !self.problems(answered, bodies).is_empty(),
            "a gap is not found"
        );
    }
}

//! The events of one destination that are neither delivered nor left to the table.
//!
//! A lane is in memory (a few events, the first perhaps in flight), in the table (one row each), or both: then its
//! rows come after its events in memory. Everything here is bounded. What is done with an event becomes a step to
//! save; the position that is saved with the steps is that of the oldest event without a step.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use crate::clock::UnixMillis;
use crate::store::{ForwardStep, WaitingEvent};

/// Events in memory that have no row.
const MAX_OPEN: usize = 256;

/// Events of one lane in memory. Beyond it the next ones of the lane get rows.
const LANE_EVENTS: usize = 32;

/// Steps that wait to be saved. Beyond it nothing more is read.
pub(super) const MAX_STEPS: usize = 1024;

/// Lanes that have rows. Beyond it nothing more is read until one is done.
pub(super) const MAX_LANES: u32 = 100_000;

/// An event in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) event: WaitingEvent,
    /// Whether it has a row.
    pub(super) has_row: bool,
}

/// The steps of one save, with the position that goes with them.
#[derive(Debug, Default)]
pub(super) struct Unsaved {
    pub(super) steps: Vec<ForwardStep>,
    pub(super) position: i64,
}

/// The events.
#[derive(Debug, Default)]
pub(super) struct Queue {
    /// Every event up to this seq was read.
    read: i64,
    /// The events without a row, and since when they wait.
    open: BTreeMap<i64, UnixMillis>,
    lanes: HashMap<i64, VecDeque<Item>>,
    in_flight: HashSet<i64>,
    /// Lanes whose first event can be sent: new ones, and those from the table.
    ready: [VecDeque<i64>; 2],
    /// How many rows each lane has.
    rows: HashMap<i64, u32>,
    /// Until the first read: the last event that was tried before the program ended, of each lane.
    tried: HashMap<i64, i64>,
    steps: Vec<ForwardStep>,
    /// Lanes with a step that is not saved, so that their rows are not current.
    changed: [HashSet<i64>; 2],
}

/// Which events are sent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub(super) enum Kind {
    /// From the feed.
    New = 0,
    /// From the table.
    Saved = 1,
}

impl Queue {
    pub(super) fn new(read: i64, rows: HashMap<i64, u32>, tried: HashMap<i64, i64>) -> Self {
        Self {
            read,
            rows,
            tried,
            ..Self::default()
        }
    }

    /// Whether more events can be read.
    pub(super) fn has_room(&self) -> bool {
        self.open.len() < MAX_OPEN
            && self.steps.len() < MAX_STEPS
            && self.rows.len() < MAX_LANES as usize
    }

    /// Adds an event that was read.
    pub(super) fn add(&mut self, event: WaitingEvent) {
        let WaitingEvent {
            seq, lane, since, ..
        } = event;
        if self.tried.get(&lane).is_some_and(|tried| seq <= *tried) {
            return;
        }
        let waiting = self.lanes.get(&lane).map_or(0, VecDeque::len);
        if self.rows.contains_key(&lane) || waiting >= LANE_EVENTS {
            self.queue(seq, lane, since);
            return;
        }
        self.open.insert(seq, since);
        let item = Item {
            event,
            has_row: false,
        };
        self.lanes.entry(lane).or_default().push_back(item);
        if waiting == 0 {
            self.ready[Kind::New as usize].push_back(lane);
        }
    }

    /// Notes that events were deleted before they were delivered.
    pub(super) fn expired(&mut self, events: i64, at: UnixMillis) {
        self.steps.push(ForwardStep::Expired { events, at });
    }

    /// The last seq that was read.
    pub(super) fn read(&self) -> i64 {
        self.read
    }

    /// Notes that every event up to this seq was read.
    pub(super) fn read_through(&mut self, seq: i64) {
        self.read = self.read.max(seq);
    }

    /// Leaves an event to the table.
    fn queue(&mut self, seq: i64, lane: i64, since: UnixMillis) {
        self.open.remove(&seq);
        *self.rows.entry(lane).or_default() += 1;
        self.step(lane, ForwardStep::Queued { seq, lane, since });
    }

    fn step(&mut self, lane: i64, step: ForwardStep) {
        self.changed[0].insert(lane);
        self.steps.push(step);
    }

    /// Queues an event again. Whether it is queued: it is not if it has not been read, or waits in memory.
    pub(super) fn replay(&mut self, seq: i64, lane: i64, now: UnixMillis) -> bool {
        let waits = self
            .lanes
            .get(&lane)
            .is_some_and(|items| items.iter().any(|item| item.event.seq == seq));
        if seq > self.read || waits {
            return false;
        }
        self.queue(seq, lane, now);
        self.step(lane, ForwardStep::Promoted { lane, at: now });
        true
    }

    /// Corrects the number of rows after a replay, which cannot know which events had one already.
    pub(super) fn recount(&mut self, rows: HashMap<i64, u32>) {
        self.rows = rows;
    }

    /// Whether the rows of a lane can be loaded: they are current and none of its events is in memory.
    pub(super) fn can_load(&self, lane: i64) -> bool {
        !self.lanes.contains_key(&lane) && self.changed.iter().all(|set| !set.contains(&lane))
    }

    /// Lanes that a read of the table may return although they cannot be loaded.
    pub(super) fn occupied(&self) -> usize {
        self.lanes.len() + self.changed.iter().map(HashSet::len).sum::<usize>()
    }

    /// Loads the first rows of a lane.
    pub(super) fn load(&mut self, rows: impl Iterator<Item = WaitingEvent>) {
        let items: VecDeque<_> = rows
            .map(|event| Item {
                event,
                has_row: true,
            })
            .collect();
        if let Some(first) = items.front() {
            let lane = first.event.lane;
            self.lanes.insert(lane, items);
            self.ready[Kind::Saved as usize].push_back(lane);
        }
    }

    /// Takes the next event to send, of the preferred kind if there is one.
    pub(super) fn take(&mut self, preferred: Kind) -> Option<(Item, Kind)> {
        let other = match preferred {
            Kind::New => Kind::Saved,
            Kind::Saved => Kind::New,
        };
        for kind in [preferred, other] {
            while let Some(lane) = self.ready[kind as usize].pop_front() {
                let first = self.lanes.get(&lane).and_then(|items| items.front());
                if let Some(item) = first {
                    self.in_flight.insert(lane);
                    return Some((*item, kind));
                }
            }
        }
        None
    }

    /// Whether a lane can be sent.
    pub(super) fn has_ready(&self) -> bool {
        self.ready.iter().any(|lanes| !lanes.is_empty())
    }

    /// Lanes from the table that can be sent.
    pub(super) fn ready_saved(&self) -> usize {
        self.ready[Kind::Saved as usize].len()
    }

    /// Gives an event back that was taken and not sent.
    pub(super) fn give_back(&mut self, item: &Item, kind: Kind) {
        let lane = item.event.lane;
        self.in_flight.remove(&lane);
        self.ready[kind as usize].push_front(lane);
    }

    /// Notes that the first event of a lane is delivered, or gone.
    pub(super) fn delivered(&mut self, item: &Item, kind: Kind, now: UnixMillis) {
        let WaitingEvent { seq, lane, .. } = item.event;
        self.remove_first(item);
        if item.has_row {
            self.remove_row(lane);
            self.step(lane, ForwardStep::Delivered { seq });
        }
        self.next_of(lane, kind, now);
    }

    /// Notes that an attempt failed, for the last time if `due_at` is `None`.
    pub(super) fn failed(
        &mut self,
        item: &Item,
        kind: Kind,
        due_at: Option<UnixMillis>,
        now: UnixMillis,
        problem: String,
    ) {
        let WaitingEvent {
            seq,
            lane,
            since,
            attempts,
        } = item.event;
        self.remove_first(item);
        match (due_at, item.has_row) {
            (Some(_), false) => *self.rows.entry(lane).or_default() += 1,
            (None, true) => self.remove_row(lane),
            (Some(_), true) | (None, false) => {}
        }
        let failed = ForwardStep::Failed {
            seq,
            lane,
            since,
            attempts: attempts.saturating_add(1),
            due_at,
            at: now,
            problem,
        };
        self.step(lane, failed);
        if due_at.is_none() {
            self.next_of(lane, kind, now);
            return;
        }
        // The lane is blocked, so the rest of it is left to the table.
        for item in self.lanes.remove(&lane).unwrap_or_default() {
            if !item.has_row {
                self.queue(item.event.seq, lane, item.event.since);
            }
        }
    }

    fn remove_first(&mut self, item: &Item) {
        let lane = item.event.lane;
        self.in_flight.remove(&lane);
        self.open.remove(&item.event.seq);
        if let Some(items) = self.lanes.get_mut(&lane) {
            items.pop_front();
        }
    }

    fn remove_row(&mut self, lane: i64) {
        if let Some(count) = self.rows.get_mut(&lane) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.rows.remove(&lane);
            }
        }
    }

    /// Makes the next event of a lane ready, or lets the table say that it is due.
    fn next_of(&mut self, lane: i64, kind: Kind, now: UnixMillis) {
        if self.lanes.get(&lane).is_some_and(|items| !items.is_empty()) {
            self.ready[kind as usize].push_back(lane);
            return;
        }
        self.lanes.remove(&lane);
        if self.rows.contains_key(&lane) {
            self.step(lane, ForwardStep::Promoted { lane, at: now });
        }
    }

    /// Takes what is to be saved.
    pub(super) fn take_unsaved(&mut self) -> Unsaved {
        let changed = std::mem::take(&mut self.changed[0]);
        self.changed[1].extend(changed);
        Unsaved {
            steps: std::mem::take(&mut self.steps),
            position: self.position(),
        }
    }

    /// Notes the end of a save. What was not saved is saved with the next one.
    pub(super) fn saved(&mut self, unsaved: Option<Unsaved>) {
        let changed = std::mem::take(&mut self.changed[1]);
        if let Some(Unsaved { mut steps, .. }) = unsaved {
            self.changed[0].extend(changed);
            steps.append(&mut self.steps);
            self.steps = steps;
        }
    }

    /// Every event up to this seq is delivered, left out, or has a row or a step.
    pub(super) fn position(&self) -> i64 {
        let oldest = self.open.keys().next();
        oldest.map_or(self.read, |seq| seq - 1)
    }

    /// Steps to save.
    pub(super) fn steps(&self) -> usize {
        self.steps.len()
    }

    /// Whether a lane has rows.
    pub(super) fn has_rows(&self) -> bool {
        !self.rows.is_empty()
    }

    /// Events that have a row.
    pub(super) fn waiting(&self) -> u64 {
        self.rows.values().map(|count| u64::from(*count)).sum()
    }

    /// Since when the oldest event without a row waits.
    pub(super) fn oldest(&self) -> Option<UnixMillis> {
        self.open.values().next().copied()
    }
}

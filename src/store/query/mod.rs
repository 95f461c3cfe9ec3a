//! Read queries: one file per list, and the parts that the lists share.
//!
//! A page is read in two steps. First, a query selects its entries by keys and sizes alone
//! ([`page::Choice`]), following the query plan ([`plan`]). Then its bytes are reserved in the
//! memory for responses ([`memory`]), and only then are its bodies read.

pub(in crate::store) mod activity;
pub(in crate::store) mod alerts;
mod alias;
pub(in crate::store) mod attention;
pub(in crate::store) mod bodies;
pub(in crate::store) mod calls;
pub(in crate::store) mod chats;
pub(in crate::store) mod contacts;
mod duplicates;
mod event_row;
pub(in crate::store) mod events;
#[cfg(test)]
mod explain;
pub(in crate::store) mod forward;
pub(in crate::store) mod history;
pub(in crate::store) mod instances;
mod intact;
pub(in crate::store) mod known;
pub(in crate::store) mod lease;
pub(in crate::store) mod media;
pub(in crate::store) mod memory;
pub(in crate::store) mod messages;
mod offset;
pub(in crate::store) mod page;
mod plan;
mod prefixes;
pub(in crate::store) mod reader;
mod reprocess;
mod salvage;
mod stats;

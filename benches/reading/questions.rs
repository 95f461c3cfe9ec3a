//! The requests to measure: each list with the filters that users need.

use crate::story::{Story, mix};

/// A kind of request.
#[derive(Debug, Clone, Copy)]
pub struct Question {
    /// Its name in the table.
    pub name: &'static str,
    /// The path and query of the request for a turn.
    pub address: fn(&Asked, u64) -> String,
    /// Entries to skip before the page; 0 for the first page.
    pub depth: u64,
    /// Milliseconds: the goal for its p99.
    pub goal_millis: u64,
}

/// The database that receives the requests.
#[derive(Debug, Clone, Copy)]
pub struct Asked {
    /// The notifications in it.
    pub story: Story,
    /// The number of its events.
    pub events: u64,
}

impl Asked {
    /// The number of an outgoing message in the database.
    fn message(&self, turn: u64) -> u64 {
        let messages = self.events / 5 - 1;
        let message = mix(turn) % messages;
        // Skip edits.
        if message % 40 == 3 {
            message + 1
        } else {
            message
        }
    }
}

const LIST: u64 = 25;
const SEARCH: u64 = 100;
const DEEP: u64 = 10_000;

/// Every kind of request.
pub const ALL: &[Question] = &[
    list("events", 0, |_, _| "/api/v1/events".to_owned()),
    list("events, deep", DEEP, |_, _| "/api/v1/events".to_owned()),
    list("events of an instance", 0, |_, turn| {
        format!("/api/v1/events?instance={}", instance(turn))
    }),
    list("events of an instance, deep", DEEP, |_, _| {
        format!("/api/v1/events?instance={}", instance(5))
    }),
    list("events of a chat", 0, |asked, turn| {
        format!(
            "/api/v1/events?chat={}",
            asked.story.chat(asked.message(turn)).1
        )
    }),
    list("events of a type", 0, |_, _| {
        "/api/v1/events?type=stateInstanceChanged".to_owned()
    }),
    list("events of an instance and a type", 0, |_, turn| {
        format!(
            "/api/v1/events?instance={}&type=incomingCall",
            instance(turn)
        )
    }),
    list("events of an hour", 0, |asked, turn| {
        // The database has an event every 20 ms.
        let begin = 1_767_225_600 + mix(turn) % (asked.events / 50);
        format!(
            "/api/v1/events?order=asc&since={}&until={}",
            moment(begin),
            moment(begin + 3600)
        )
    }),
    list("messages", 0, |_, _| "/api/v1/messages".to_owned()),
    list("messages, deep", DEEP, |_, _| "/api/v1/messages".to_owned()),
    list("messages of an instance", 0, |_, turn| {
        format!("/api/v1/messages?instance={}", instance(turn))
    }),
    list("messages of a chat", 0, |asked, turn| {
        let (instance, chat) = asked.story.chat(asked.message(turn));
        format!("/api/v1/messages?instance={instance}&chat={chat}")
    }),
    list("messages of a status, deep", DEEP, |_, _| {
        "/api/v1/messages?status=read".to_owned()
    }),
    list("one message and its history", 0, |asked, turn| {
        let message = asked.message(turn);
        let (instance, chat) = asked.story.chat(message);
        format!("/api/v1/messages/{instance}/{chat}/{}", Story::id(message))
    }),
    list("chats", 0, |_, _| "/api/v1/chats".to_owned()),
    list("chats, deep", DEEP, |_, _| "/api/v1/chats".to_owned()),
    list("chats of an instance", 0, |_, turn| {
        format!("/api/v1/chats?instance={}", instance(turn))
    }),
    list("instances", 0, |_, _| "/api/v1/instances".to_owned()),
    list("calls", 0, |_, _| "/api/v1/calls".to_owned()),
    list("calls, deep", DEEP, |_, _| "/api/v1/calls".to_owned()),
    list("calls of an instance", 0, |_, turn| {
        format!("/api/v1/calls?instance={}", instance(turn))
    }),
    list("stats", 0, |_, _| "/api/v1/stats".to_owned()),
    search("search: a rare word", |_, turn| {
        format!("/api/v1/messages?q={}", Story::rare_word(mix(turn)))
    }),
    search("search: a frequent word", |_, _| {
        "/api/v1/messages?q=delivery".to_owned()
    }),
    search("search: three words", |_, _| {
        "/api/v1/messages?q=delivery+tomorrow+cake".to_owned()
    }),
    search("search: two prefixes", |_, _| {
        "/api/v1/messages?q=deliv*+cho*".to_owned()
    }),
    search("search: a frequent word of a chat", |asked, turn| {
        let (instance, chat) = asked.story.chat(asked.message(turn));
        format!("/api/v1/messages?q=delivery&instance={instance}&chat={chat}")
    }),
    search("search: a rare word of an instance", |_, turn| {
        format!(
            "/api/v1/messages?q={}&instance={}",
            Story::rare_word(mix(turn)),
            instance(turn)
        )
    }),
];

const fn list(name: &'static str, depth: u64, address: fn(&Asked, u64) -> String) -> Question {
    Question {
        name,
        address,
        depth,
        goal_millis: LIST,
    }
}

const fn search(name: &'static str, address: fn(&Asked, u64) -> String) -> Question {
    Question {
        name,
        address,
        depth: 0,
        goal_millis: SEARCH,
    }
}

fn instance(turn: u64) -> u64 {
    Story::instance(mix(turn) % 200)
}

fn moment(seconds: u64) -> String {
    let moment = jiff::Timestamp::from_second(i64::try_from(seconds).unwrap_or(0));
    moment.expect("a moment of this century").to_string()
}

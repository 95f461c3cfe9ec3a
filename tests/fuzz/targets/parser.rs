//! Any bytes as a body: parsing neither panics nor takes long, and the model can be built from
//! whatever was parsed.
#![no_main]

use green_inbox::model::{Call, Content, History, Message, MessageEvents, MessagePlace, mentions};
use green_inbox::notification::{Outcome, parse, read};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    let parsed = parse(body);
    match &parsed.outcome {
        Outcome::Malformed(reason) => {
            let reason = reason.to_string();
            // `parse` reports its own panic as a bug in green-inbox.
            assert!(!reason.contains("bug in green-inbox"), "{reason}");
        }
        Outcome::Known(notification) | Outcome::Unknown(notification) => {
            // The API returns known and unknown bodies as JSON, so they must be UTF-8.
            std::str::from_utf8(body).expect("UTF-8");
            let type_webhook = parsed.columns.type_webhook.as_deref();
            assert!(read(type_webhook.expect("a type"), body).is_some());
            let _ = Content::of(notification);
            for mention in mentions(notification) {
                let events = || [(1, 0, body)];
                let id_message = mention.id_message;
                let _ = History::of(id_message.unwrap_or_default(), events(), true);
                let _ = Call::of(1, (1, id_message), events());
                let place = MessagePlace {
                    seq: 1,
                    id_instance: 1,
                    chat_id: None,
                    id_message: id_message.map(str::to_owned),
                    direction: None,
                };
                let _ = Message::choose(place, events());
            }
        }
    }
    let place = MessagePlace {
        seq: 1,
        id_instance: 1,
        chat_id: None,
        id_message: None,
        direction: None,
    };
    let events = MessageEvents {
        versions: vec![(1, 0, body), (2, 0, body)],
        status: Some(body),
        deleted: false,
    };
    let _ = Message::new(place, events);
});

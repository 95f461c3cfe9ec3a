//! Samples of everything that GREEN-API sends, for the commands that play GREEN-API.
//!
//! A sample is composed when it is rendered: the product line gives the head (account, chat and
//! form of the identifiers), the script gives what is said. One file per product line lists its
//! scripts in the order of a story; the other files hold what is said, one family each.
//!
//! All samples rendered with one serial make up one story: a status, an edit, a quote or a vote
//! then names the message of another sample of the same product line. So give one serial, one
//! timestamp and one instance to a whole pass over [`all`], and the next serial to the next pass.
//!
//! People, numbers and texts are invented. Source of the shapes: document 003, section 1.3.4
//! "Формат входящих уведомлений", and GREEN-API's public pages for what is newer.

mod account;
mod button;
mod call;
mod card;
mod change;
mod delivery;
mod line;
mod max;
mod media;
mod poll;
mod quote;
mod scene;
mod script;
mod telegram;
mod text;
mod waba;
mod whatsapp;

use line::Line;
use scene::Scene;
use script::Script;

/// What makes one rendering of a sample differ from the next.
#[derive(Debug, Clone, Copy)]
pub struct Values {
    /// The instance that the body is said to come from.
    pub id_instance: i64,
    /// Number of the rendering; another one gives another body and another `idMessage`. Bodies
    /// without an `idMessage` differ by the last seven digits.
    pub serial: u64,
    /// GREEN-API's `timestamp`, in seconds since 1970.
    pub timestamp: i64,
}

/// A notification that can be rendered as often as needed.
#[derive(Debug, Clone)]
pub struct Sample {
    name: String,
    line: Line,
    script: Script,
}

impl Sample {
    fn new(line: Line, script: Script) -> Self {
        let name = format!("{}/{}/{}", line.name(), script.type_webhook, script.rest);
        Self { name, line, script }
    }

    /// Product line, `typeWebhook`, then `typeMessage` or the state or status, and where there are
    /// several of these what tells them apart: `whatsapp/incomingMessageReceived/textMessage`,
    /// `max/stateInstanceChanged/authorized`, `whatsapp/outgoingMessageStatus/failed/SWE004`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether `kind` is the whole name or one of its parts between slashes.
    #[must_use]
    pub fn is_kind(&self, kind: &str) -> bool {
        self.name == kind || self.name.split('/').any(|part| part == kind)
    }

    /// The body as GREEN-API would send it; the same values give the same bytes.
    #[must_use]
    pub fn body(&self, values: &Values) -> Vec<u8> {
        let scene = Scene::new(self.line, *values, self.script.rest);
        self.script.play(&scene).to_string().into_bytes()
    }
}

/// Every sample, in a stable order that reads as a story for each product line.
#[must_use]
pub fn all() -> Vec<Sample> {
    [
        (Line::WhatsApp, whatsapp::STORY),
        (Line::Waba, waba::STORY),
        (Line::Max, max::STORY),
        (Line::Telegram, telegram::STORY),
    ]
    .into_iter()
    .flat_map(|(line, story)| story.iter().map(move |script| Sample::new(line, *script)))
    .collect()
}

#[cfg(test)]
mod tests;

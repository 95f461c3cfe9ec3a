//! Samples of every notification that GREEN-API sends, for the commands that simulate GREEN-API.
//!
//! A sample is composed when it is rendered. The product line supplies the common fields (account, chat and
//! the format of identifiers), and the script supplies the content. One file per product line lists its
//! scripts in the order of a story; the other files contain the content, one family each.
//!
//! All samples rendered with one serial form one story: a status, an edit, a quote or a vote refers to
//! the message of another sample of the same product line. Use one serial, one timestamp and one instance
//! for a whole pass over [`all`], and the next serial for the next pass.
//!
//! People, numbers and texts are invented. The shapes follow GREEN-API docs, Webhook endpoint >
//! Notification format, and GREEN-API's public pages for newer types.

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

/// Values that vary between renderings of a sample.
#[derive(Debug, Clone, Copy)]
pub struct Values {
    /// `idInstance` of the body.
    pub id_instance: i64,
    /// Number of the rendering. A different serial gives a different body and `idMessage`. Bodies without an
    /// `idMessage` differ by the last seven digits.
    pub serial: u64,
    /// GREEN-API's `timestamp`, in seconds since 1970.
    pub timestamp: i64,
}

/// A notification template.
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

    /// Product line, `typeWebhook`, then `typeMessage` or the state or status, then a suffix if several samples
    /// share these: `whatsapp/incomingMessageReceived/textMessage`,
    /// `max/stateInstanceChanged/authorized`, `whatsapp/outgoingMessageStatus/failed/SWE004`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether `kind` is the whole name or one of its slash-separated parts.
    #[must_use]
    pub fn is_kind(&self, kind: &str) -> bool {
        self.name == kind || self.name.split('/').any(|part| part == kind)
    }

    /// The body as GREEN-API would send it. The same values give the same bytes.
    #[must_use]
    pub fn body(&self, values: &Values) -> Vec<u8> {
        let scene = Scene::new(self.line, *values, self.script.rest);
        self.script.play(&scene).to_string().into_bytes()
    }
}

/// All samples in a stable order, which forms a story for each product line.
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

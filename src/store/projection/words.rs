//! Words: how a text is taken apart to be found, and a question likewise.
//!
//! This is done here and not by the tokenizer of SQLite for all of Unicode, which takes twice as
//! long as all else that it does to index a text, and finds neither Chinese words nor phone numbers.

use std::fmt::Write;

use super::{dense, fold, phone};

/// Bytes of a text that are searched. More has no person written.
const MAX_BYTES: usize = 128 * 1024;

/// Bytes that the words that say where a message is have at most, or so.
const SCOPES: usize = 48;

/// Begins the words that say where a message is. It is in no text, because a text is cut at it.
const SCOPE: char = '\u{E000}';

/// The words of texts, and those that say their instance and their chat (as a term).
pub(super) fn of<'t>(
    id_instance: i64,
    chat: i64,
    texts: impl IntoIterator<Item = &'t str>,
) -> Option<String> {
    let (mut words, mut phones) = (String::new(), String::new());
    for text in texts {
        let text = &text[..text.floor_char_boundary(MAX_BYTES)];
        words.reserve(text.len() + SCOPES);
        fold::extend(&mut words, text);
        words.push(' ');
        phone::extend(&mut phones, text);
    }
    if words.trim_ascii().is_empty() {
        return None;
    }
    if dense::may_have(&words) {
        words = dense::indexed(&words);
    }
    words.push_str(&phones);
    // Writing into a string does not fail.
    let _ = write!(words, "{SCOPE}i{id_instance} {SCOPE}c{chat}");
    Some(words)
}

/// Distinct words that may be searched for at once. Each costs a walk through all texts that have it.
pub const MAX_WORDS: usize = 32;

/// Characters that a word which is searched for may have.
const MAX_WORD_CHARACTERS: usize = 200;

/// Words of the index that one question may be made of: a word of a script without spaces is as many as
/// it has pairs of characters.
const MAX_TERMS: usize = 256;

/// Words to search for, each whole or, with a `*` behind it, as a beginning; and phone numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words(Vec<Part>);

/// A part of a question; a text has to have all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Word(Word),
    /// A phone number: the word that stands for its last digits, or all that was written.
    Phone(String, Vec<Word>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Word {
    letters: String,
    is_beginning: bool,
}

/// There is more to search for than one request may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WordsError {
    /// There are more than [`MAX_WORDS`] words, or they need too many words of the index.
    #[error(
        "at most {MAX_WORDS} different words, and {MAX_TERMS} characters of scripts without spaces"
    )]
    TooMany,
    /// One is longer than any that is found.
    #[error("words of at most {MAX_WORD_CHARACTERS} characters")]
    TooLong,
}

impl Words {
    /// Takes apart what is searched for as texts are. A word that stands twice counts once.
    ///
    /// # Errors
    ///
    /// There are too many words, or one is too long.
    pub fn parse(asked: &str) -> Result<Self, WordsError> {
        let mut question = Question::default();
        let mut seen = 0;
        for number in phone::numbers(asked) {
            // Behind a number a star or a letter belongs to its last group of digits.
            let is_whole = !asked[number.end..].starts_with(|next: char| !next.is_whitespace());
            if !is_whole {
                continue;
            }
            for part in asked[seen..number.start].split_whitespace() {
                question.add_words(part)?;
            }
            seen = number.end;
            question.add_phone(&asked[number])?;
        }
        for part in asked[seen..].split_whitespace() {
            question.add_words(part)?;
        }
        Ok(Self(question.parts))
    }

    /// The query for all of them in this instance and this chat; `None` if there is no word.
    pub(crate) fn question(&self, id_instance: Option<i64>, chat: Option<i64>) -> Option<String> {
        if self.0.is_empty() {
            return None;
        }
        let mut parts: Vec<_> = self.0.iter().map(Part::query).collect();
        parts.extend(id_instance.map(|id| format!("\"{SCOPE}i{id}\"")));
        parts.extend(chat.map(|chat| format!("\"{SCOPE}c{chat}\"")));
        Some(parts.join(" AND "))
    }
}

/// A question while it is taken apart.
#[derive(Default)]
struct Question {
    parts: Vec<Part>,
    /// Words that were written, and words of the index that they make.
    words: usize,
    terms: usize,
}

impl Question {
    fn add_words(&mut self, part: &str) -> Result<(), WordsError> {
        for word in self.words(part)? {
            let part = Part::Word(word);
            if !self.parts.contains(&part) {
                self.parts.push(part);
            }
        }
        Ok(())
    }

    fn add_phone(&mut self, number: &str) -> Result<(), WordsError> {
        let mut written = Vec::new();
        for part in number.split_whitespace() {
            written.extend(self.words(part)?);
        }
        let part = Part::Phone(phone::asked(number), written);
        if !self.parts.contains(&part) {
            self.parts.push(part);
        }
        Ok(())
    }

    /// The words of a part between spaces.
    fn words(&mut self, part: &str) -> Result<Vec<Word>, WordsError> {
        let begins = part.ends_with('*');
        let mut plain = String::new();
        fold::extend(&mut plain, part);
        let mut words = Vec::new();
        let mut letters = plain.split_ascii_whitespace().peekable();
        while let Some(word) = letters.next() {
            if word.chars().count() > MAX_WORD_CHARACTERS {
                return Err(WordsError::TooLong);
            }
            let is_beginning = begins && letters.peek().is_none();
            let found: Vec<_> = dense::asked(word, is_beginning)
                .into_iter()
                .map(|(letters, is_beginning)| Word {
                    letters: letters.to_owned(),
                    is_beginning,
                })
                .collect();
            let is_new = |word: &Word| !self.parts.contains(&Part::Word(word.clone()));
            let new = found.iter().filter(|word| is_new(word)).count();
            self.words += usize::from(new > 0);
            self.terms += new;
            if self.words > MAX_WORDS || self.terms > MAX_TERMS {
                return Err(WordsError::TooMany);
            }
            words.extend(found);
        }
        Ok(words)
    }
}

impl Part {
    fn query(&self) -> String {
        match self {
            Self::Word(word) => word.query(),
            Self::Phone(last, written) => {
                let written: Vec<_> = written.iter().map(Word::query).collect();
                format!("(\"{last}\" OR ({}))", written.join(" AND "))
            }
        }
    }
}

impl Word {
    fn query(&self) -> String {
        let star = if self.is_beginning { "*" } else { "" };
        // No letter is a quote.
        format!("\"{}\"{star}", self.letters)
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_WORDS, Words, WordsError, of};

    #[test]
    fn what_is_between_words_is_left_out() {
        let words = of(7, 9, ["Ещё «хлеб», rye-bread!", "list.pdf"]).unwrap();
        assert_eq!(
            words,
            "еще  хлеб   rye bread  list pdf \u{E000}i7 \u{E000}c9"
        );
        assert_eq!(of(7, 9, ["", " … —"]), None);
        assert_eq!(
            of(7, 9, ["раи\u{306}он, ме\u{308}д"]).unwrap(),
            "район  мед \u{E000}i7 \u{E000}c9"
        );
        // Nobody can write what stands for another chat, or for a phone number.
        assert_eq!(
            of(7, 9, ["\u{E000}c8\u{E001}1"]).unwrap(),
            " c8 1 \u{E000}i7 \u{E000}c9"
        );
    }

    #[test]
    fn a_question_has_nothing_but_words() {
        let ask = |asked| Words::parse(asked).unwrap().question(None, None);
        assert_eq!(ask("хлеб").unwrap(), "\"хлеб\"");
        assert_eq!(
            ask("Ещё rye-bre*").unwrap(),
            "\"еще\" AND \"rye\" AND \"bre\"*"
        );
        assert_eq!(
            ask("a\" OR NOT (b").unwrap(),
            "\"a\" AND \"or\" AND \"not\" AND \"b\""
        );
        assert_eq!(ask(" \"* …"), None);
        assert_eq!(ask("订单号").unwrap(), "\"订单\" AND \"单号\"");
        assert_eq!(
            ask("Anna 8 999 000-11-22 bread").unwrap(),
            "\"anna\" AND (\"\u{E001}9990001122\" OR (\"8\" AND \"999\" AND \"000\" AND \"11\" AND \
             \"22\")) AND \"bread\""
        );
        assert_eq!(ask("9990001*").unwrap(), "\"9990001\"*");
        assert_eq!(
            Words::parse("x")
                .unwrap()
                .question(Some(7), Some(9))
                .unwrap(),
            "\"x\" AND \"\u{E000}i7\" AND \"\u{E000}c9\""
        );
    }

    #[test]
    fn words_beyond_the_bounds_are_refused() {
        let many = |count: usize| {
            let words: Vec<_> = (0..count).map(|n| format!("w{n}*")).collect();
            words.join(" ")
        };
        assert!(Words::parse(&many(MAX_WORDS)).is_ok());
        assert_eq!(Words::parse(&many(MAX_WORDS + 1)), Err(WordsError::TooMany));
        assert_eq!(Words::parse(&"same ".repeat(1000)), Words::parse("same"));
        assert!(Words::parse(&"я".repeat(200)).is_ok());
        assert_eq!(Words::parse(&"я".repeat(201)), Err(WordsError::TooLong));
        let han = |count: u32| -> String {
            let letters = (0..count).map(|n| char::from_u32(0x4E00 + n).unwrap());
            letters.collect()
        };
        assert!(Words::parse(&han(200)).is_ok());
        let two = format!(
            "{} {}",
            han(200),
            han(400).chars().skip(200).collect::<String>()
        );
        assert_eq!(Words::parse(&two), Err(WordsError::TooMany));
    }
}

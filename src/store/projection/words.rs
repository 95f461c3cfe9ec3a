//! Words: how a text is taken apart to be found, and a question likewise.
//!
//! This is done here and not by the tokenizer of SQLite for all of Unicode, which takes twice as
//! long as all else that it does to index a text.

use std::fmt::Write;

use unicode_normalization::char::{decompose_canonical, is_combining_mark};

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
    let mut words = String::new();
    for text in texts {
        words.reserve(text.len() + SCOPES);
        extend(&mut words, &text[..text.floor_char_boundary(MAX_BYTES)]);
        words.push(' ');
    }
    if words.trim_ascii().is_empty() {
        return None;
    }
    // Writing into a string does not fail.
    let _ = write!(words, "{SCOPE}i{id_instance} {SCOPE}c{chat}");
    Some(words)
}

/// Distinct words that may be searched for at once. Each costs a walk through all texts that have it.
pub const MAX_WORDS: usize = 32;

/// Characters that a word which is searched for may have.
const MAX_WORD_CHARACTERS: usize = 200;

/// Words to search for, each whole or, with a `*` behind it, as a beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words(Vec<Word>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Word {
    letters: String,
    is_beginning: bool,
}

/// There is more to search for than one request may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WordsError {
    /// There are more than [`MAX_WORDS`].
    #[error("at most {MAX_WORDS} different words")]
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
        let mut words = Vec::new();
        for part in asked.split_whitespace() {
            let begins = part.ends_with('*');
            let mut plain = String::new();
            extend(&mut plain, part);
            let mut letters = plain.split_ascii_whitespace().peekable();
            while let Some(word) = letters.next() {
                if word.chars().count() > MAX_WORD_CHARACTERS {
                    return Err(WordsError::TooLong);
                }
                let word = Word {
                    letters: word.to_owned(),
                    is_beginning: begins && letters.peek().is_none(),
                };
                if words.contains(&word) {
                    continue;
                }
                if words.len() == MAX_WORDS {
                    return Err(WordsError::TooMany);
                }
                words.push(word);
            }
        }
        Ok(Self(words))
    }

    /// The query for all of them in this instance and this chat; `None` if there is no word.
    pub(crate) fn question(&self, id_instance: Option<i64>, chat: Option<i64>) -> Option<String> {
        if self.0.is_empty() {
            return None;
        }
        let mut question = String::new();
        for word in &self.0 {
            let star = if word.is_beginning { "*" } else { "" };
            // No letter is a quote.
            let _ = write!(question, "\"{}\"{star} ", word.letters);
        }
        if let Some(id) = id_instance {
            let _ = write!(question, "\"{SCOPE}i{id}\" ");
        }
        if let Some(chat) = chat {
            let _ = write!(question, "\"{SCOPE}c{chat}\" ");
        }
        Some(question)
    }
}

/// Writes letters and digits in lower case and without their marks, and what is between words as a
/// space.
fn extend(words: &mut String, text: &str) {
    let mut rest = text;
    loop {
        let (plain, behind) = rest.split_at(plain_bytes(rest));
        words.push_str(plain);
        let mut characters = behind.chars();
        let Some(character) = characters.next() else {
            return;
        };
        fold(words, character);
        rest = characters.as_str();
    }
}

/// How much of the text stays as it is, which most of what people write does: to copy it whole is
/// faster than to look at each character.
fn plain_bytes(text: &str) -> usize {
    let mut bytes = text.as_bytes();
    loop {
        bytes = match bytes {
            // The last two are `а` to `п` and `р` to `я`.
            [b'a'..=b'z' | b'0'..=b'9' | b' ', rest @ ..]
            | [0xD0, 0xB0..=0xBF, rest @ ..]
            | [0xD1, 0x80..=0x8F, rest @ ..] => rest,
            rest => return text.len() - rest.len(),
        };
    }
}

/// Writes one character.
fn fold(words: &mut String, character: char) {
    match character {
        'а'..='я' | 'a'..='z' | '0'..='9' => words.push(character),
        'A'..='Z' => words.push(character.to_ascii_lowercase()),
        // In Russian `ё` is mostly written as `е`.
        'ё' | 'Ё' => words.push('е'),
        // Some systems write `й` as two in the names of files.
        '\u{306}' if words.ends_with('и') => {
            words.pop();
            words.push('й');
        }
        // The marks of other letters.
        '\u{300}'..='\u{36F}' => {}
        'А'..='Я' => words.extend(character.to_lowercase()),
        other if other.is_alphanumeric() => decompose_canonical(other, |part| {
            if !is_combining_mark(part) {
                words.extend(part.to_lowercase());
            }
        }),
        _ => words.push(' '),
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_WORDS, Words, WordsError, extend, fold, of};

    #[test]
    fn what_is_copied_whole_is_what_each_character_gives() {
        for character in '\0'..='\u{FFFF}' {
            let text = format!("{character} и{character}я");
            let (mut whole, mut each) = (String::new(), String::new());
            extend(&mut whole, &text);
            for character in text.chars() {
                fold(&mut each, character);
            }
            assert_eq!(whole, each, "{text:?}");
        }
    }

    #[test]
    fn what_is_between_words_is_left_out() {
        let words = of(7, 9, ["Ещё «хлеб», rye-bread!", "list.pdf"]).unwrap();
        assert_eq!(
            words,
            "еще  хлеб   rye bread  list pdf \u{E000}i7 \u{E000}c9"
        );
        assert_eq!(of(7, 9, ["", " 🙂 …"]), None);
        assert_eq!(
            of(7, 9, ["раи\u{306}он, ме\u{308}д"]).unwrap(),
            "район  мед \u{E000}i7 \u{E000}c9"
        );
        // Nobody can write what stands for another chat.
        assert_eq!(
            of(7, 9, ["\u{E000}c8"]).unwrap(),
            " c8 \u{E000}i7 \u{E000}c9"
        );
    }

    #[test]
    fn a_question_has_nothing_but_words() {
        let ask = |asked| Words::parse(asked).unwrap().question(None, None);
        assert_eq!(ask("хлеб").unwrap(), "\"хлеб\" ");
        assert_eq!(ask("Ещё rye-bre*").unwrap(), "\"еще\" \"rye\" \"bre\"* ");
        assert_eq!(ask("a\" OR NOT (b").unwrap(), "\"a\" \"or\" \"not\" \"b\" ");
        assert_eq!(ask(" \"* 🙂"), None);
        assert_eq!(
            Words::parse("x")
                .unwrap()
                .question(Some(7), Some(9))
                .unwrap(),
            "\"x\" \"\u{E000}i7\" \"\u{E000}c9\" "
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
    }
}

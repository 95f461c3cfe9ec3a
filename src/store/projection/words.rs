//! Splits texts into words for the search index, and splits searches the same way.
//!
//! This module replaces SQLite's unicode61 tokenizer, which takes twice as long as everything else
//! that SQLite does to index a text, and finds neither Chinese words nor phone numbers.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::{dense, fold, phone};

/// Bytes of a text that are indexed; the rest is not searchable. No person writes a longer text.
const MAX_BYTES: usize = 128 * 1024;

/// Approximate maximum number of bytes that the scope words (instance and chat) take.
const SCOPES: usize = 48;

/// First character of a scope word, which stands for an instance or a chat. No text contains it in
/// the index, because folding treats it as a separator.
const SCOPE: char = '\u{E000}';

/// The index words of a message: the words of its texts, and the scope words for its instance and
/// its chat (the identifier of a term). `None` if the texts have no words.
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
    // Writing to a string cannot fail.
    let _ = write!(words, "{SCOPE}i{id_instance} {SCOPE}c{chat}");
    Some(words)
}

/// Distinct words in one search; a search with more is refused. Each word costs a scan of all texts
/// that contain it.
pub const MAX_WORDS: usize = 32;

/// Characters in one word of a search; a search with a longer word is refused.
const MAX_WORD_CHARACTERS: usize = 200;

/// Index words that one search may expand to; beyond this it is refused. A word of a script without
/// spaces expands to one index word for each pair of its characters.
const MAX_TERMS: usize = 256;

/// A parsed search: whole words, prefixes (written with a trailing `*`) and phone numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words(Vec<Part>);

/// A part of a search. A message must match all parts.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Word(Word),
    /// A phone number: matches the index word of its last digits, or all the words as written.
    Phone(String, Vec<Word>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Word {
    letters: String,
    is_prefix: bool,
}

/// The search exceeds the limits for one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WordsError {
    /// The search has more than [`MAX_WORDS`] words, or they expand to too many index words.
    #[error(
        "at most {MAX_WORDS} different words, and {MAX_TERMS} characters of scripts without spaces"
    )]
    TooMany,
    /// A word is longer than the limit.
    #[error("words of at most {MAX_WORD_CHARACTERS} characters")]
    TooLong,
}

impl Words {
    /// Parses a search, splitting it the way texts are split. A repeated word counts once.
    ///
    /// # Errors
    ///
    /// The search has too many words, or a word is too long.
    pub fn parse(search: &str) -> Result<Self, WordsError> {
        let mut parser = Parser::default();
        let mut parsed = 0;
        for number in phone::numbers(search) {
            // A star or letter right after a number makes its last group of digits a plain word.
            let is_whole = !search[number.end..].starts_with(|next: char| !next.is_whitespace());
            if !is_whole {
                continue;
            }
            for part in search[parsed..number.start].split_whitespace() {
                parser.add_words(part)?;
            }
            parsed = number.end;
            parser.add_phone(&search[number])?;
        }
        for part in search[parsed..].split_whitespace() {
            parser.add_words(part)?;
        }
        Ok(Self(parser.parts))
    }

    /// Whether the search has no words, and matches nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The prefixes that it asks for.
    pub(crate) fn prefixes(&self) -> impl Iterator<Item = &str> {
        let words = self.0.iter().flat_map(|part| match part {
            Part::Word(word) => std::slice::from_ref(word),
            Part::Phone(_, written) => written,
        });
        words
            .filter(|word| word.is_prefix)
            .map(|word| word.letters.as_str())
    }

    /// The FTS5 query that matches all parts in this instance and this chat; `None` if the search
    /// has no words. A prefix is replaced by the words of the index that have it, if `known` has them.
    pub(crate) fn fts_query(
        &self,
        id_instance: Option<i64>,
        chat: Option<i64>,
        known: &BTreeMap<String, Vec<String>>,
    ) -> Option<String> {
        if self.0.is_empty() {
            return None;
        }
        let mut parts: Vec<_> = self.0.iter().map(|part| part.query(known)).collect();
        parts.extend(id_instance.map(|id| format!("\"{SCOPE}i{id}\"")));
        parts.extend(chat.map(|chat| format!("\"{SCOPE}c{chat}\"")));
        Some(parts.join(" AND "))
    }
}

/// A search while it is being parsed.
#[derive(Default)]
struct Parser {
    parts: Vec<Part>,
    /// Number of words as written.
    words: usize,
    /// Number of index words that they expand to.
    terms: usize,
}

impl Parser {
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
        let part = Part::Phone(phone::query_word(number), written);
        if !self.parts.contains(&part) {
            self.parts.push(part);
        }
        Ok(())
    }

    /// The words of a part of the search that has no spaces.
    fn words(&mut self, part: &str) -> Result<Vec<Word>, WordsError> {
        let has_star = part.ends_with('*');
        let mut plain = String::new();
        fold::extend(&mut plain, part);
        let mut words = Vec::new();
        let mut letters = plain.split_ascii_whitespace().peekable();
        while let Some(word) = letters.next() {
            if word.chars().count() > MAX_WORD_CHARACTERS {
                return Err(WordsError::TooLong);
            }
            let is_prefix = has_star && letters.peek().is_none();
            let found: Vec<_> = dense::query_words(word, is_prefix)
                .into_iter()
                .map(|(letters, is_prefix)| Word {
                    letters: letters.to_owned(),
                    is_prefix,
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
    fn query(&self, known: &BTreeMap<String, Vec<String>>) -> String {
        match self {
            Self::Word(word) => word.query(known),
            Self::Phone(last, written) => {
                let written: Vec<_> = written.iter().map(|word| word.query(known)).collect();
                format!("(\"{last}\" OR ({}))", written.join(" AND "))
            }
        }
    }
}

impl Word {
    fn query(&self, known: &BTreeMap<String, Vec<String>>) -> String {
        // Folded letters never include a quote.
        let letters = &self.letters;
        if !self.is_prefix {
            return format!("\"{letters}\"");
        }
        match known.get(letters).map(Vec::as_slice) {
            None => format!("\"{letters}\"*"),
            // Matches nothing.
            Some([]) => format!("\"{letters}\""),
            Some(words) => format!("(\"{}\")", words.join("\" OR \"")),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{MAX_WORDS, Words, WordsError, of};

    #[test]
    fn punctuation_and_reserved_characters_are_not_indexed() {
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
        // A text cannot forge the scope word of another chat, nor the index word of a phone number.
        assert_eq!(
            of(7, 9, ["\u{E000}c8\u{E001}1"]).unwrap(),
            " c8 1 \u{E000}i7 \u{E000}c9"
        );
    }

    #[test]
    fn search_syntax_of_fts5_is_treated_as_text() {
        let query = |search| {
            Words::parse(search)
                .unwrap()
                .fts_query(None, None, &BTreeMap::new())
        };
        assert_eq!(query("хлеб").unwrap(), "\"хлеб\"");
        assert_eq!(
            query("Ещё rye-bre*").unwrap(),
            "\"еще\" AND \"rye\" AND \"bre\"*"
        );
        assert_eq!(
            query("a\" OR NOT (b").unwrap(),
            "\"a\" AND \"or\" AND \"not\" AND \"b\""
        );
        assert_eq!(query(" \"* …"), None);
        assert_eq!(query("订单号").unwrap(), "\"订单\" AND \"单号\"");
        assert_eq!(
            query("Anna 8 999 000-11-22 bread").unwrap(),
            "\"anna\" AND (\"\u{E001}9990001122\" OR (\"8\" AND \"999\" AND \"000\" AND \"11\" AND \
             \"22\")) AND \"bread\""
        );
        assert_eq!(query("9990001*").unwrap(), "\"9990001\"*");
        assert_eq!(
            Words::parse("x")
                .unwrap()
                .fts_query(Some(7), Some(9), &BTreeMap::new())
                .unwrap(),
            "\"x\" AND \"\u{E000}i7\" AND \"\u{E000}c9\""
        );
    }

    #[test]
    fn prefix_is_replaced_by_the_words_that_have_it() {
        let search = Words::parse("rye* qui* b* tea").unwrap();
        let prefixes: Vec<_> = search.prefixes().collect();
        assert_eq!(prefixes, ["rye", "qui", "b"]);
        let known = [
            ("rye", vec!["rye".to_owned(), "ryebread".to_owned()]),
            ("qui", vec![]),
        ];
        let known = known.map(|(prefix, words)| (prefix.to_owned(), words));
        assert_eq!(
            search.fts_query(None, None, &known.into()).unwrap(),
            "(\"rye\" OR \"ryebread\") AND \"qui\" AND \"b\"* AND \"tea\""
        );
    }

    #[test]
    fn search_beyond_the_limits_is_refused() {
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

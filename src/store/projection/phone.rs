//! Phone numbers in texts. A search finds a number by its last digits, however it is formatted.

use std::fmt::Write;
use std::ops::Range;

/// First character of an index word that stands for the last digits of a number. No text contains
/// it in the index, because folding treats it as a separator.
const PHONE: char = '\u{E001}';

/// Number of digits in a phone number.
const DIGITS: Range<usize> = 7..16;

/// Numbers of last digits that a phone number is indexed by.
const LAST: Range<usize> = 7..12;

/// The byte ranges of phone numbers in a text: digits and the separators that people write between
/// them.
pub(super) fn numbers(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut from = 0;
    std::iter::from_fn(move || {
        loop {
            let found =
                text[from..].find(|letter: char| letter == '+' || letter.is_ascii_digit())?;
            let start = from + found;
            let rest = &text[start..];
            // A plus starts another number.
            let end = rest
                .char_indices()
                .skip(1)
                .find(|(_, letter)| !is_between(*letter) && !letter.is_ascii_digit())
                .map_or(rest.len(), |(end, _)| end);
            let run = rest[..end].trim_end_matches(is_between);
            from = start + end;
            if DIGITS.contains(&count(run)) {
                return Some(start..start + run.len());
            }
        }
    })
}

fn is_between(letter: char) -> bool {
    matches!(
        letter,
        ' ' | '(' | ')' | '-' | '.' | '/' | '\u{A0}' | '\u{2010}' | '\u{2011}' | '\u{202F}'
    )
}

fn count(run: &str) -> usize {
    run.bytes().filter(u8::is_ascii_digit).count()
}

fn digits(run: &str) -> String {
    run.chars().filter(char::is_ascii_digit).collect()
}

/// Appends the index words of all phone numbers in a text.
pub(super) fn extend(words: &mut String, text: &str) {
    // Most texts end here: counting bytes is far faster than looking at characters.
    if count(text) < DIGITS.start {
        return;
    }
    for number in numbers(text) {
        add(words, &digits(&text[number]));
    }
    // Several numbers in a row look like a single number that is too long, so each group of digits
    // is also indexed by itself.
    for group in text.split(|letter: char| !letter.is_ascii_digit()) {
        if DIGITS.contains(&group.len()) {
            add(words, group);
        }
    }
}

fn add(words: &mut String, digits: &str) {
    for last in LAST.filter(|last| *last <= digits.len()) {
        // Writing to a string cannot fail.
        let _ = write!(words, "{PHONE}{} ", &digits[digits.len() - last..]);
    }
}

/// The index word that a searched number matches. A Russian number may start with 7 or 8, so only
/// the digits after that are used.
pub(super) fn query_word(number: &str) -> String {
    let digits = digits(number);
    let last = match digits.len() {
        11 if digits.starts_with(['7', '8']) => 10,
        length => length.min(LAST.end - 1),
    };
    format!("{PHONE}{}", &digits[digits.len() - last..])
}

#[cfg(test)]
mod tests {
    use super::{extend, numbers, query_word};

    #[test]
    fn number_is_found_in_every_format() {
        for form in [
            "+7 (999) 000-11-22",
            "8 999 000 11 22",
            "79990001122",
            "8-999-000.11.22",
            "+7\u{A0}999\u{A0}000\u{2011}11\u{2011}22",
        ] {
            let text = format!("call {form}, please");
            let found: Vec<_> = numbers(&text).map(|at| &text[at]).collect();
            assert_eq!(found, [form]);
            assert_eq!(query_word(form), "\u{E001}9990001122");
            let mut words = String::new();
            extend(&mut words, &text);
            assert!(words.contains("\u{E001}9990001122 "), "{words}");
            assert!(words.contains("\u{E001}0001122 "), "{words}");
        }
        assert_eq!(query_word("000-11-22"), "\u{E001}0001122");
        assert_eq!(query_word("380501234567"), "\u{E001}80501234567");
    }

    #[test]
    fn digits_of_other_kinds_are_not_a_number() {
        for text in [
            "12 34",
            "2024-05",
            "1234567890123456",
            "bread",
            "1, 2, 3, 4, 5, 6, 7",
        ] {
            assert_eq!(numbers(text).count(), 0, "{text}");
        }
        let two = "79990001122 79990003344";
        let mut words = String::new();
        extend(&mut words, two);
        assert!(words.contains("\u{E001}9990001122 "), "{words}");
        assert!(words.contains("\u{E001}9990003344 "), "{words}");
    }
}

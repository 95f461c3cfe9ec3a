//! Phone numbers: found by their last digits, however they are written.

use std::fmt::Write;
use std::ops::Range;

/// Begins the words that stand for the last digits of a number. It is in no text, because a text is cut
/// at it.
const PHONE: char = '\u{E001}';

/// Digits that a phone number has.
const DIGITS: Range<usize> = 7..16;

/// The last digits that a number is found by.
const LAST: Range<usize> = 7..12;

/// Where phone numbers stand in a text: digits with signs between them that people write there.
pub(super) fn numbers(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut from = 0;
    std::iter::from_fn(move || {
        loop {
            let found =
                text[from..].find(|letter: char| letter == '+' || letter.is_ascii_digit())?;
            let start = from + found;
            let rest = &text[start..];
            // A plus begins another number.
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

/// Writes the words that the numbers of a text are found by.
pub(super) fn extend(words: &mut String, text: &str) {
    if !text.bytes().any(|byte| byte.is_ascii_digit()) {
        return;
    }
    for number in numbers(text) {
        add(words, &digits(&text[number]));
    }
    // Several numbers in a row are one that is too long.
    for group in text.split(|letter: char| !letter.is_ascii_digit()) {
        if DIGITS.contains(&group.len()) {
            add(words, group);
        }
    }
}

fn add(words: &mut String, digits: &str) {
    for last in LAST.filter(|last| *last <= digits.len()) {
        // Writing into a string does not fail.
        let _ = write!(words, "{PHONE}{} ", &digits[digits.len() - last..]);
    }
}

/// The word that a number which somebody searches for is found by. The first digit of a Russian number
/// is 7 or 8.
pub(super) fn asked(number: &str) -> String {
    let digits = digits(number);
    let last = match digits.len() {
        11 if digits.starts_with(['7', '8']) => 10,
        length => length.min(LAST.end - 1),
    };
    format!("{PHONE}{}", &digits[digits.len() - last..])
}

#[cfg(test)]
mod tests {
    use super::{asked, extend, numbers};

    #[test]
    fn number_is_found_in_every_written_form() {
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
            assert_eq!(asked(form), "\u{E001}9990001122");
            let mut words = String::new();
            extend(&mut words, &text);
            assert!(words.contains("\u{E001}9990001122 "), "{words}");
            assert!(words.contains("\u{E001}0001122 "), "{words}");
        }
        assert_eq!(asked("000-11-22"), "\u{E001}0001122");
        assert_eq!(asked("380501234567"), "\u{E001}80501234567");
    }

    #[test]
    fn other_digits_are_no_number() {
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

//! Folds a text for search: lower case, no combining marks, and a single form for characters that
//! can be written in several ways.

use unicode_normalization::char::{decompose_compatible, is_combining_mark};

/// Appends the folded text to `words`: letters and digits in lower case without marks, everything
/// else as a space.
pub(super) fn extend(words: &mut String, text: &str) {
    let mut rest = text;
    loop {
        let (plain, remainder) = rest.split_at(plain_bytes(rest));
        words.push_str(plain);
        let mut characters = remainder.chars();
        let Some(character) = characters.next() else {
            return;
        };
        fold(words, character);
        rest = characters.as_str();
    }
}

/// The number of leading bytes that folding leaves unchanged, which is most of a typical text.
/// Copying them as a block is faster than folding each character.
fn plain_bytes(text: &str) -> usize {
    let mut bytes = text.as_bytes();
    loop {
        bytes = match bytes {
            // The last two patterns are `а` to `п` and `р` to `я` in UTF-8.
            [b'a'..=b'z' | b'0'..=b'9' | b' ', rest @ ..]
            | [0xD0, 0xB0..=0xBF, rest @ ..]
            | [0xD1, 0x80..=0x8F, rest @ ..] => rest,
            rest => return text.len() - rest.len(),
        };
    }
}

/// Appends one folded character to `words`.
pub(super) fn fold(words: &mut String, character: char) {
    match character {
        'а'..='я' | 'a'..='z' | '0'..='9' => words.push(character),
        'A'..='Z' => words.push(character.to_ascii_lowercase()),
        // Russian texts mostly spell `ё` as `е`.
        'ё' | 'Ё' => words.push('е'),
        // Some systems decompose `й` into two characters in file names.
        '\u{306}' if words.ends_with('и') => {
            words.pop();
            words.push('й');
        }
        // Combining marks of other letters, invisible characters that may occur inside a word, and
        // variation selectors and skin tones of emoji.
        '\u{300}'..='\u{36F}'
        | '\u{AD}'
        | '\u{200B}'..='\u{200F}'
        | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{2069}'
        | '\u{FEFF}'
        | '\u{FE00}'..='\u{FE0F}'
        | '\u{1F3FB}'..='\u{1F3FF}' => {}
        'А'..='Я' => words.extend(character.to_lowercase()),
        emoji if is_emoji(emoji) => {
            // Each emoji is a word of its own.
            words.push(' ');
            words.push(emoji);
            words.push(' ');
        }
        // Decomposition would split a syllable into up to three letters.
        '가'..='힣' => words.push(character),
        other if other.is_alphanumeric() => decompose_compatible(other, |part| match part {
            mark if is_combining_mark(mark) => {}
            part => part.to_lowercase().for_each(|letter| match letter {
                'ß' => words.push_str("ss"),
                'ς' => words.push('σ'),
                'ı' => words.push('i'),
                // `İ` in lower case is `i` followed by a combining dot above.
                letter if is_combining_mark(letter) => {}
                letter if letter.is_alphanumeric() => words.push(letter),
                _ => words.push(' '),
            }),
        }),
        // Some scripts write vowels and tones as combining marks above and below the letters.
        mark if is_combining_mark(mark) => {}
        _ => words.push(' '),
    }
}

/// Whether a character is an emoji. Characters that also serve as text symbols (arrows, digits) do
/// not count.
fn is_emoji(character: char) -> bool {
    matches!(
        character,
        '\u{231A}'..='\u{231B}'
            | '\u{23E9}'..='\u{23FA}'
            | '\u{2600}'..='\u{27BF}'
            | '\u{2B1B}'..='\u{2B1C}'
            | '\u{2B50}'
            | '\u{2B55}'
            | '\u{1F000}'..='\u{1FAFF}'
    )
}

#[cfg(test)]
mod tests {
    use super::{extend, fold};

    fn folded(text: &str) -> String {
        let mut words = String::new();
        extend(&mut words, text);
        words
    }

    #[test]
    fn block_copy_gives_the_same_result_as_single_characters() {
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
    fn forms_of_one_word_fold_to_one() {
        for (form, one) in [
            ("Straße STRASSE straẞe", "strasse strasse strasse"),
            ("ﬁne ΛΌΓΟΣ λόγος", "fine λογοσ λογοσ"),
            ("İstanbul ısı", "istanbul isi"),
            ("Ｑ１２３ ｶﾀｶﾅ", "q123 カタカナ"),
            ("me\u{AD}lo\u{200B}dy", "melody"),
            ("한국", "한국"),
        ] {
            assert_eq!(folded(form), one, "{form}");
        }
    }

    #[test]
    fn emoji_with_any_modifier_is_a_word_of_its_own() {
        assert_eq!(folded("ok👍🏽ok"), "ok 👍 ok");
        assert_eq!(folded("👍"), " 👍 ");
        assert_eq!(folded("❤\u{FE0F}"), " ❤ ");
        assert_eq!(folded("👩\u{200D}🚀"), " 👩  🚀 ");
    }
}

//! How a text is folded to be found: in lower case, without marks, and with one form for what is written
//! in several.

use unicode_normalization::char::{decompose_compatible, is_combining_mark};

/// Writes letters and digits in lower case and without their marks, and what is between words as a
/// space.
pub(super) fn extend(words: &mut String, text: &str) {
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
pub(super) fn fold(words: &mut String, character: char) {
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
        // The marks of other letters; what does not show and may stand inside of a word; how an emoji is
        // shown.
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
            // Each is a word of its own.
            words.push(' ');
            words.push(emoji);
            words.push(' ');
        }
        // Decomposed, a syllable would be three letters.
        '가'..='힣' => words.push(character),
        other if other.is_alphanumeric() => decompose_compatible(other, |part| match part {
            mark if is_combining_mark(mark) => {}
            part => part.to_lowercase().for_each(|letter| match letter {
                'ß' => words.push_str("ss"),
                'ς' => words.push('σ'),
                'ı' => words.push('i'),
                // `İ` is an `i` with a dot above when it is lowered.
                letter if is_combining_mark(letter) => {}
                letter if letter.is_alphanumeric() => words.push(letter),
                _ => words.push(' '),
            }),
        }),
        // The vowels and tones of some scripts stand above and below their letters.
        mark if is_combining_mark(mark) => {}
        _ => words.push(' '),
    }
}

/// Whether a character is a picture. Those that text has as signs (arrows, digits) are none.
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
    fn text_that_is_copied_whole_is_what_each_character_gives() {
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
    fn emoji_is_a_word_of_its_own_however_it_is_shown() {
        assert_eq!(folded("ok👍🏽ok"), "ok 👍 ok");
        assert_eq!(folded("👍"), " 👍 ");
        assert_eq!(folded("❤\u{FE0F}"), " ❤ ");
        assert_eq!(folded("👩\u{200D}🚀"), " 👩  🚀 ");
    }
}

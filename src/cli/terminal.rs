//! Text from outside on its way to a terminal or a spreadsheet: it is shown, and steers nothing.

use std::borrow::Cow;
use std::fmt::Write;

/// The text without what could steer a terminal or turn the order of what stands beside it around.
pub(super) fn plain(text: &str) -> String {
    text.chars()
        .filter(|letter| !is_steering(*letter))
        .collect()
}

/// JSON with the same meaning, in one line, whose strings have such characters as escapes. Outside of
/// strings JSON has none of them but line breaks.
pub(super) fn json_line(json: &str) -> Cow<'_, str> {
    if !json.chars().any(is_steering) {
        return json.into();
    }
    let mut line = String::with_capacity(json.len());
    for letter in json.chars() {
        match letter {
            '\n' | '\r' | '\t' => line.push(' '),
            letter if is_steering(letter) => {
                let mut units = [0; 2];
                for unit in letter.encode_utf16(&mut units) {
                    // Writing into a string does not fail.
                    let _ = write!(line, "\\u{unit:04x}");
                }
            }
            letter => line.push(letter),
        }
    }
    line.into()
}

/// A cell of a table that a spreadsheet takes for a text: what begins like a formula has an
/// apostrophe before it (owasp.org, "CSV Injection").
pub(super) fn cell(text: String) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠']) {
        format!("'{text}")
    } else {
        text
    }
}

/// Controls of C0 and C1, and those of Unicode that are not seen: directions of writing, separators
/// of lines and paragraphs, joiners without width, tags.
fn is_steering(letter: char) -> bool {
    letter.is_control()
        || matches!(
            letter,
            '\u{00AD}'
                | '\u{061C}'
                | '\u{180E}'
                | '\u{200B}'..='\u{200F}'
                | '\u{2028}'..='\u{202E}'
                | '\u{2060}'..='\u{206F}'
                | '\u{FEFF}'
                | '\u{FFF9}'..='\u{FFFB}'
                | '\u{E0000}'..='\u{E007F}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_steer_a_terminal() {
        assert_eq!(plain("a\u{1b}[2Jb\n\u{9b}2J"), "a[2Jb2J");
        assert_eq!(
            plain("abc\u{202E}txt.exe\u{2066}\u{200F}\u{61C}"),
            "abctxt.exe"
        );
        assert_eq!(plain("Привет, 世界 🥐"), "Привет, 世界 🥐");
    }

    #[test]
    fn json_line_has_escapes_and_the_same_meaning() {
        for text in [
            "\u{9b}2J",
            "a\u{202E}b",
            "\u{7f}",
            "\u{E0041}x",
            "Привет 🥐",
            "a\nb",
        ] {
            let json = serde_json::to_string_pretty(&[text]).unwrap();
            let line = json_line(&json);
            assert!(!line.chars().any(is_steering), "{line:?}");
            assert_eq!(serde_json::from_str::<[String; 1]>(&line).unwrap(), [text]);
        }
    }

    #[test]
    fn cell_that_begins_like_a_formula_is_a_text() {
        for text in ["=1+1", "+7900", "-1", "@SUM(A1)", "\t=1", "\r=1"] {
            assert_eq!(cell(text.to_owned()), format!("'{text}"));
        }
        for text in ["", "1+1", "bread", "'=1", " =1"] {
            assert_eq!(cell(text.to_owned()), text);
        }
    }
}

//! Makes text from outside safe for a terminal or a spreadsheet.

use std::borrow::Cow;
use std::fmt::Write;

/// The text without characters that control a terminal or reverse the direction of the text around them.
pub(super) fn plain(text: &str) -> String {
    text.chars()
        .filter(|letter| !is_hidden_control(*letter))
        .collect()
}

/// Like [`plain`], but keeps line breaks: for text of several lines that this program has made.
pub(super) fn plain_lines(text: &str) -> String {
    let lines: Vec<_> = text.split('\n').map(plain).collect();
    lines.join("\n")
}

/// JSON of several lines, with such characters escaped. Line breaks are outside its strings.
pub(super) fn escaped(json: &str) -> String {
    let lines: Vec<_> = json.split('\n').map(json_line).collect();
    lines.join("\n")
}

/// Equivalent JSON on one line, with such characters escaped in its strings. Outside strings, the only ones
/// that JSON allows are line breaks and tabs.
pub(super) fn json_line(json: &str) -> Cow<'_, str> {
    if !json.chars().any(is_hidden_control) {
        return json.into();
    }
    let mut line = String::with_capacity(json.len());
    for letter in json.chars() {
        match letter {
            '\n' | '\r' | '\t' => line.push(' '),
            letter if is_hidden_control(letter) => {
                let mut units = [0; 2];
                for unit in letter.encode_utf16(&mut units) {
                    // Writing to a string cannot fail.
                    let _ = write!(line, "\\u{unit:04x}");
                }
            }
            letter => line.push(letter),
        }
    }
    line.into()
}

/// A cell that a spreadsheet treats as text: a cell that begins like a formula gets a leading apostrophe
/// (owasp.org, "CSV Injection").
pub(super) fn cell(text: String) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠']) {
        format!("'{text}")
    } else {
        text
    }
}

/// C0 and C1 controls, and Unicode's invisible controls: text direction, line and paragraph separators,
/// zero-width joiners, tags.
fn is_hidden_control(letter: char) -> bool {
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
    fn plain_text_has_no_control_characters() {
        assert_eq!(plain("a\u{1b}[2Jb\n\u{9b}2J"), "a[2Jb2J");
        assert_eq!(
            plain("abc\u{202E}txt.exe\u{2066}\u{200F}\u{61C}"),
            "abctxt.exe"
        );
        assert_eq!(plain("Привет, 世界 🥐"), "Привет, 世界 🥐");
    }

    #[test]
    fn json_line_escapes_controls_and_keeps_the_meaning() {
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
            assert!(!line.chars().any(is_hidden_control), "{line:?}");
            assert_eq!(serde_json::from_str::<[String; 1]>(&line).unwrap(), [text]);
        }
    }

    #[test]
    fn cell_that_begins_like_a_formula_gets_an_apostrophe() {
        for text in ["=1+1", "+7900", "-1", "@SUM(A1)", "\t=1", "\r=1"] {
            assert_eq!(cell(text.to_owned()), format!("'{text}"));
        }
        for text in ["", "1+1", "bread", "'=1", " =1"] {
            assert_eq!(cell(text.to_owned()), text);
        }
    }
}

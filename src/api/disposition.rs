//! `Content-Disposition` of a file whose name comes from outside (RFC 6266, RFC 8187).

use std::fmt::Write;

/// Characters of a name.
const CHARACTERS: usize = 150;

/// Stands for a name that has no usable character.
const UNNAMED: &str = "file";

/// The header for a file that is to be saved under `name`, not shown.
pub(super) fn attachment(name: Option<&str>) -> String {
    let name = usable(name.unwrap_or_default());
    let fallback: String = name
        .chars()
        .map(|letter| match letter {
            '"' | '\\' | '%' => '_',
            ' '..='~' => letter,
            _ => '_',
        })
        .collect();
    let mut header = format!("attachment; filename=\"{fallback}\"");
    if fallback != name {
        header.push_str("; filename*=UTF-8''");
        for byte in name.bytes() {
            // Writing to a string cannot fail.
            let _ = if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                header.write_char(byte.into())
            } else {
                write!(header, "%{byte:02X}")
            };
        }
    }
    header
}

/// The last part of a path, without characters that control a terminal or the direction of text.
fn usable(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let is_control = |letter: char| {
        letter.is_control()
            || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    let kept: String = last.chars().filter(|letter| !is_control(*letter)).collect();
    // A leading dot hides a file; a trailing one is cut off by some systems.
    let kept = kept.trim_matches(|letter: char| letter == '.' || letter.is_whitespace());
    let count = kept.chars().count();
    if count == 0 {
        return UNNAMED.to_owned();
    }
    // The end of a long name has its extension.
    kept.chars()
        .skip(count.saturating_sub(CHARACTERS))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::attachment;

    #[test]
    fn name_from_outside_is_data() {
        for (name, header) in [
            ("cake.jpg", "attachment; filename=\"cake.jpg\""),
            ("../../etc/passwd", "attachment; filename=\"passwd\""),
            ("..\\..\\boot.ini", "attachment; filename=\"boot.ini\""),
            (".bashrc", "attachment; filename=\"bashrc\""),
            ("..", "attachment; filename=\"file\""),
            ("", "attachment; filename=\"file\""),
            (
                "a\r\nSet-Cookie: b",
                "attachment; filename=\"aSet-Cookie: b\"",
            ),
            ("gpj.\u{202e}exe", "attachment; filename=\"gpj.exe\""),
            (
                "a\"b;c.txt",
                "attachment; filename=\"a_b;c.txt\"; filename*=UTF-8''a%22b%3Bc.txt",
            ),
            (
                "торт.jpg",
                "attachment; filename=\"____.jpg\"; filename*=UTF-8''%D1%82%D0%BE%D1%80%D1%82.jpg",
            ),
        ] {
            assert_eq!(attachment(Some(name)), header, "{name:?}");
        }
        assert_eq!(attachment(None), "attachment; filename=\"file\"");
    }

    #[test]
    fn long_name_keeps_its_extension() {
        let name = format!("{}.jpg", "ж".repeat(300));
        let header = attachment(Some(&name));
        assert_eq!(header.rsplit('.').next(), Some("jpg"));
        assert!(header.len() < 1200, "{header}");
    }
}

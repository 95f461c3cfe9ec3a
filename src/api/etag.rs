//! Entity tags: what a reader has already is not sent again (RFC 9110, sections 8.8.3 and 13.1.2).

use data_encoding::HEXLOWER;
use hyper::HeaderMap;
use hyper::header::IF_NONE_MATCH;

use crate::store::BodyDigest;

/// The strong tag of some bytes, which is their digest, in its quotes.
#[derive(Debug)]
pub(super) struct EntityTag(String);

impl EntityTag {
    /// The tag of the bytes that have this digest.
    pub(super) fn of(digest: &BodyDigest) -> Self {
        Self(format!("\"{}\"", HEXLOWER.encode(digest)))
    }

    /// As it stands in a header.
    pub(super) fn into_text(self) -> String {
        self.0
    }

    /// Whether `If-None-Match` says that the reader has these bytes.
    pub(super) fn is_known(&self, headers: &HeaderMap) -> bool {
        headers
            .get_all(IF_NONE_MATCH)
            .iter()
            .any(|line| names(line.as_bytes(), self.0.as_bytes()))
    }
}

/// Whether a list of tags is `*` or has this one, be it as a weak one. It ends at what is not a
/// tag: to send the bytes once more is always right.
fn names(list: &[u8], wanted: &[u8]) -> bool {
    if list.trim_ascii() == b"*" {
        return true;
    }
    let mut rest = list;
    loop {
        while let [b' ' | b'\t' | b',', behind @ ..] = rest {
            rest = behind;
        }
        let tag = rest.strip_prefix(b"W/").unwrap_or(rest);
        // Between its quotes a tag may have commas.
        let mut quotes = tag.iter().enumerate().filter(|(_, byte)| **byte == b'"');
        let (Some((0, _)), Some((end, _))) = (quotes.next(), quotes.next()) else {
            return false;
        };
        let (tag, behind) = tag.split_at(end + 1);
        if tag == wanted {
            return true;
        }
        rest = behind;
    }
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn a_list_has_a_tag_or_does_not() {
        for list in [
            "*",
            " * ",
            r#""abc""#,
            r#"W/"abc""#,
            r#""x", "abc""#,
            r#""x","y" , W/"abc""#,
            r#""x", , ,"abc""#,
            r#", "abc""#,
            r#""a,b", "abc""#,
            r#""", "abc""#,
            r#""abc", and what is no tag"#,
        ] {
            assert!(names(list.as_bytes(), br#""abc""#), "{list}");
        }
        for list in [
            "",
            "abc",
            r#"abc, "abc""#,
            r#""ABC""#,
            r#""abcd""#,
            r#""abc"#,
            r#"w/"abc""#,
            r#"W/ "abc""#,
            r#""x,abc,y""#,
            r#""x", *"#,
            "**",
            "W/",
            ",",
        ] {
            assert!(!names(list.as_bytes(), br#""abc""#), "{list}");
        }
    }
}

//! Takes a JSON array apart into its elements while it arrives, so that a long one needs no more memory than its largest
//! element.

/// Bytes of one element. A longer element is skipped. A journal entry with a preview has hundreds of kilobytes.
const ELEMENT_BYTES: usize = 4 * 1024 * 1024;

/// Bytes that are kept of an answer that is not an array: enough for `null`.
const OTHER_BYTES: usize = 16;

/// Where the bytes so far end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Before,
    Between,
    Inside,
    After,
}

/// The state between two pieces of the text.
#[derive(Debug)]
pub(super) struct Elements {
    place: Place,
    element: Vec<u8>,
    is_too_long: bool,
    /// Brackets that are open inside the element.
    depth: usize,
    is_string: bool,
    is_escaped: bool,
    /// The start of an answer that is not an array.
    other: Vec<u8>,
}

impl Elements {
    pub(super) fn new() -> Self {
        Self {
            place: Place::Before,
            element: Vec::new(),
            is_too_long: false,
            depth: 0,
            is_string: false,
            is_escaped: false,
            other: Vec::new(),
        }
    }

    /// Reads a piece, and calls `found` with the text of each element that ends in it; `None` for one that is too long.
    pub(super) fn read(&mut self, piece: &[u8], mut found: impl FnMut(Option<&[u8]>)) {
        for &byte in piece {
            match self.place {
                Place::Before if byte == b'[' && self.other.is_empty() => {
                    self.place = Place::Between;
                }
                Place::Before if self.other.len() < OTHER_BYTES && !byte.is_ascii_whitespace() => {
                    self.other.push(byte);
                }
                Place::Before | Place::After => {}
                Place::Between if byte == b',' || byte.is_ascii_whitespace() => {}
                Place::Between if byte == b']' => self.place = Place::After,
                Place::Between => {
                    self.place = Place::Inside;
                    self.inside(byte);
                }
                Place::Inside => {
                    let is_end = !self.is_string && self.depth == 0 && matches!(byte, b',' | b']');
                    if !is_end {
                        self.inside(byte);
                        continue;
                    }
                    found((!self.is_too_long).then_some(&*self.element));
                    self.element.clear();
                    self.is_too_long = false;
                    self.place = if byte == b']' {
                        Place::After
                    } else {
                        Place::Between
                    };
                }
            }
        }
    }

    fn inside(&mut self, byte: u8) {
        if self.is_string {
            match byte {
                _ if self.is_escaped => self.is_escaped = false,
                b'\\' => self.is_escaped = true,
                b'"' => self.is_string = false,
                _ => {}
            }
        } else {
            match byte {
                b'"' => self.is_string = true,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
        }
        if self.element.len() == ELEMENT_BYTES {
            self.is_too_long = true;
            self.element.clear();
        }
        if !self.is_too_long {
            self.element.push(byte);
        }
    }

    /// Whether the text was a whole array, or nothing at all, which GREEN-API also says as `null`.
    pub(super) fn end(&self) -> Result<(), &'static str> {
        match self.place {
            Place::After => Ok(()),
            Place::Before if self.other.is_empty() || self.other == b"null" => Ok(()),
            Place::Before => Err("it is not a list"),
            Place::Between | Place::Inside => Err("it ends within the list"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ELEMENT_BYTES, Elements};

    /// The elements of a text that arrives in pieces of `size` bytes.
    fn elements(text: &str, size: usize) -> (Vec<Option<String>>, bool) {
        let (mut elements, mut found) = (Elements::new(), Vec::new());
        for piece in text.as_bytes().chunks(size) {
            elements.read(piece, |element| {
                found.push(element.map(|text| String::from_utf8(text.to_vec()).unwrap()));
            });
        }
        (found, elements.end().is_ok())
    }

    #[test]
    fn elements_are_found_however_the_text_is_cut() {
        let text = r#" [ {"a":"]},\\\"[","b":[1,{}]} ,"x, y",3,
            null,[[]] ] "#;
        let expected = [
            r#"{"a":"]},\\\"[","b":[1,{}]} "#,
            r#""x, y""#,
            "3",
            "null",
            "[[]] ",
        ];
        let expected: Vec<_> = expected.map(|one| Some(one.to_owned())).to_vec();
        for size in 1..20 {
            assert_eq!(elements(text, size), (expected.clone(), true), "{size}");
        }
    }

    #[test]
    fn answer_without_entries_has_three_forms_and_others_are_no_list() {
        for text in ["", "null", " [ ] "] {
            assert_eq!(elements(text, 3), (Vec::new(), true), "{text}");
        }
        for text in ["{}", "[", "[1", "[1,", "nothing", "<html>["] {
            assert!(!elements(text, 3).1, "{text}");
        }
    }

    #[test]
    fn element_that_is_too_long_is_skipped() {
        let text = format!(r#"[1,"{}",2]"#, "x".repeat(ELEMENT_BYTES));
        let (found, is_whole) = elements(&text, 1 << 16);
        assert_eq!(found, [Some("1".to_owned()), None, Some("2".to_owned())]);
        assert!(is_whole);
    }
}

//! A minimal response parser: is the response complete, is it 200, does the connection stay open.

use memchr::memmem;

/// A complete response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Answer {
    /// Whether the status is 200.
    pub(crate) is_ok: bool,
    /// Whether the server closes the connection after it.
    pub(crate) closes: bool,
}

/// Parses the response at the start of `bytes`, if it is complete.
pub(crate) fn read(bytes: &[u8]) -> Option<Answer> {
    let head = memmem::find(bytes, b"\r\n\r\n")?;
    let (head, body) = (&bytes[..head], &bytes[head + 4..]);
    let mut lines = head.split(|byte| *byte == b'\n');
    let status = lines.next()?;
    let mut answer = Answer {
        is_ok: status.get(8..12) == Some(b" 200"),
        closes: status.starts_with(b"HTTP/1.0"),
    };
    let mut length = None;
    for line in lines {
        if let Some(value) = value(line, b"content-length:") {
            length = Some(value.iter().fold(0, |length, digit| {
                length * 10 + usize::from(digit.wrapping_sub(b'0') % 10)
            }));
        } else if let Some(value) = value(line, b"connection:") {
            answer.closes = value.eq_ignore_ascii_case(b"close");
        }
    }
    let is_whole = match length {
        Some(length) => body.len() >= length,
        // Without a length the body is chunked, and the last chunk is empty.
        None => body.ends_with(b"0\r\n\r\n"),
    };
    is_whole.then_some(answer)
}

fn value<'l>(line: &'l [u8], name: &[u8]) -> Option<&'l [u8]> {
    let (found, value) = line.split_at_checked(name.len())?;
    found.eq_ignore_ascii_case(name).then(|| value.trim_ascii())
}

//! A lenient reader of vCards (RFC 6350 and its older versions): the name and the phone numbers.

/// Bytes of a vCard that are read; the rest is ignored. Photographs come after names and numbers.
const MAX_BYTES: usize = 64 * 1024;

/// Phone numbers read from one card; further numbers are dropped.
const MAX_PHONES: usize = 32;

/// The parts of a vCard that are shown.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct VCard {
    /// The formatted name, or the name assembled from its parts.
    pub(super) name: Option<String>,
    /// The phone numbers, unchanged.
    pub(super) phones: Vec<String>,
}

impl VCard {
    /// Reads a card, skipping lines that it does not recognize.
    pub(super) fn read(text: &str) -> Self {
        let text = &text[..text.floor_char_boundary(MAX_BYTES)];
        let (mut formatted, mut parts, mut phones) = (None, None, Vec::new());
        for line in unfolded(text) {
            let Some((property, value)) = property(&line) else {
                continue;
            };
            if property.eq_ignore_ascii_case("FN") {
                formatted = formatted.or(nonempty(&unescaped(value)));
            } else if property.eq_ignore_ascii_case("N") {
                parts = parts.or(joined(value));
            } else if property.eq_ignore_ascii_case("TEL") && phones.len() < MAX_PHONES {
                phones.extend(nonempty(&unescaped(value)));
            }
        }
        Self {
            name: formatted.or(parts),
            phones,
        }
    }
}

/// Splits into lines, joining continuation lines (which begin with a space or a tab) to the line before.
fn unfolded(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in text.split('\n') {
        let line = line.strip_suffix('\r').unwrap_or(line);
        match (line.strip_prefix([' ', '\t']), lines.last_mut()) {
            (Some(rest), Some(last)) => last.push_str(rest),
            _ => lines.push(line.to_owned()),
        }
    }
    lines
}

/// Name and value of a line: `item1.TEL;type=CELL:+7 900` gives `TEL` and `+7 900`.
fn property(line: &str) -> Option<(&str, &str)> {
    let mut is_quoted = false;
    let colon = line.find(|character| {
        is_quoted ^= character == '"';
        character == ':' && !is_quoted
    })?;
    let (head, value) = (&line[..colon], &line[colon + 1..]);
    let name = head.split(';').next()?.trim();
    Some((name.rsplit('.').next()?, value))
}

/// Joins the parts of `N` (family, given, additional, prefix, suffix) in spoken order.
fn joined(value: &str) -> Option<String> {
    let mut parts = vec![String::new()];
    let mut characters = value.chars();
    while let Some(character) = characters.next() {
        let Some(part) = parts.last_mut() else { break };
        match character {
            ';' => parts.push(String::new()),
            '\\' => {
                part.push('\\');
                part.extend(characters.next());
            }
            other => part.push(other),
        }
    }
    let spoken: Vec<_> = [3, 1, 2, 0, 4]
        .into_iter()
        .filter_map(|index| nonempty(&unescaped(parts.get(index)?)))
        .collect();
    nonempty(&spoken.join(" "))
}

fn unescaped(value: &str) -> String {
    let mut plain = String::with_capacity(value.len());
    let mut characters = value.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            plain.push(character);
            continue;
        }
        match characters.next() {
            Some('n' | 'N') => plain.push(' '),
            Some(escaped) => plain.push(escaped),
            None => plain.push('\\'),
        }
    }
    plain
}

fn nonempty(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{MAX_PHONES, VCard};

    fn card(name: Option<&str>, phones: &[&str]) -> VCard {
        VCard {
            name: name.map(str::to_owned),
            phones: phones.iter().map(|&phone| phone.to_owned()).collect(),
        }
    }

    #[test]
    fn name_and_phones_are_read_in_every_spelling() {
        for (text, expected) in [
            (
                "BEGIN:VCARD\r\nVERSION:3.0\r\nN:Baker;Vera;;;\r\nFN:Vera of the oven\r\n\
                 TEL;type=CELL;waid=79001112233:+7 900 111-22-33\r\nEND:VCARD",
                card(Some("Vera of the oven"), &["+7 900 111-22-33"]),
            ),
            // Groups, lower case, several numbers, a quoted colon.
            (
                "item1.tel;x=\"a:b\":+7 1\nitem1.X-ABLabel:Mobile\nTEL:+7 2\nfn:Vera",
                card(Some("Vera"), &["+7 1", "+7 2"]),
            ),
            // No formatted name, or an empty one.
            (
                "FN:\nN:Baker;Vera;M.;Dr.;",
                card(Some("Dr. Vera M. Baker"), &[]),
            ),
            ("N:;Vera;;;", card(Some("Vera"), &[])),
            ("N:Bread\\; Rye;Vera", card(Some("Vera Bread; Rye"), &[])),
            // Folded and escaped.
            (
                "FN:Vera\\, the ba\n ker\nTEL:+7\n\t 900",
                card(Some("Vera, the baker"), &["+7 900"]),
            ),
            ("", card(None, &[])),
            ("bread\nTEL\n:\nTEL:", card(None, &[])),
        ] {
            assert_eq!(VCard::read(text), expected, "{text}");
        }
    }

    #[test]
    fn too_many_phones_keep_the_first_ones() {
        let read = VCard::read(&"TEL:1\n".repeat(1000));
        assert_eq!(read.phones.len(), MAX_PHONES);
    }
}

//! Scripts that are written without spaces between words (Chinese, Japanese, Thai and their like), and
//! Korean, whose words carry their particles. Their runs are found by pairs of characters: each pair
//! that overlaps the next is a word.

/// Whether a folded text has characters of such a script, as far as its bytes tell at once.
pub(super) fn may_have(words: &str) -> bool {
    // All of them have three bytes or more, and nearly no letter of other scripts has.
    words.bytes().fold(0, u8::max) >= 0xE0
}

fn is_dense(character: char) -> bool {
    matches!(
        character,
        // Thai, Lao, Burmese, Khmer.
        '\u{0E00}'..='\u{0EFF}'
            | '\u{1000}'..='\u{109F}'
            | '\u{1780}'..='\u{17FF}'
            // Korean, in syllables and in letters.
            | '\u{1100}'..='\u{11FF}'
            | '\u{AC00}'..='\u{D7A3}'
            // Japanese and Chinese.
            | '\u{3005}'..='\u{3007}'
            | '\u{3041}'..='\u{30FF}'
            | '\u{31F0}'..='\u{31FF}'
            | '\u{3400}'..='\u{9FFF}'
            | '\u{F900}'..='\u{FAFF}'
            | '\u{20000}'..='\u{3FFFF}'
    )
}

/// Parts of a word: runs of such a script, and what is between them.
fn runs(word: &str) -> impl Iterator<Item = (bool, &str)> {
    let mut rest = word;
    std::iter::from_fn(move || {
        let dense = is_dense(rest.chars().next()?);
        let end = rest.find(|letter| is_dense(letter) != dense);
        let (run, behind) = rest.split_at(end.unwrap_or(rest.len()));
        rest = behind;
        Some((dense, run))
    })
}

/// The pairs of a run; one character alone is none.
fn pairs(run: &str) -> impl Iterator<Item = &str> {
    let starts = run.char_indices().map(|(at, _)| at);
    let ends = run.char_indices().skip(2).map(|(at, _)| at);
    starts
        .zip(ends.chain([run.len()]))
        .filter_map(|(start, end)| {
            let pair = &run[start..end];
            (pair.chars().count() == 2).then_some(pair)
        })
}

/// A folded text with its runs as pairs. The last character of a run stands alone too, so that each
/// character is the beginning of a word.
pub(super) fn indexed(words: &str) -> String {
    let mut indexed = String::with_capacity(words.len() * 2);
    for word in words.split_ascii_whitespace() {
        for (dense, run) in runs(word) {
            if dense {
                for pair in pairs(run) {
                    indexed.push_str(pair);
                    indexed.push(' ');
                }
                indexed.extend(run.chars().next_back());
            } else {
                indexed.push_str(run);
            }
            indexed.push(' ');
        }
    }
    indexed
}

/// The words to look for in place of a folded word that somebody searches for, each with whether it is
/// only the beginning of one.
pub(super) fn asked(word: &str, is_beginning: bool) -> Vec<(&str, bool)> {
    let mut asked = Vec::new();
    let mut runs = runs(word).peekable();
    while let Some((dense, run)) = runs.next() {
        if !dense {
            let is_last = runs.peek().is_none();
            asked.push((run, is_beginning && is_last));
        } else if run.chars().nth(1).is_none() {
            asked.push((run, true));
        } else {
            asked.extend(pairs(run).map(|pair| (pair, false)));
        }
    }
    asked
}

#[cfg(test)]
mod tests {
    use super::{asked, indexed, may_have};

    #[test]
    fn run_is_indexed_as_pairs() {
        assert_eq!(indexed("订单号 abc"), "订单 单号 号 abc ");
        assert_eq!(indexed("号是123x"), "号是 是 123x ");
        assert_eq!(indexed("单"), "单 ");
    }

    #[test]
    fn word_that_is_asked_for_is_its_pairs() {
        assert_eq!(asked("订单号", true), [("订单", false), ("单号", false)]);
        assert_eq!(asked("单", false), [("单", true)]);
        assert_eq!(asked("no5号", true), [("no5", false), ("号", true)]);
        assert_eq!(asked("bre", true), [("bre", true)]);
    }

    #[test]
    fn latin_and_cyrillic_have_none() {
        assert!(!may_have("straße хлеб λογοσ"));
        assert!(may_have("订"));
        assert!(may_have("ข"));
    }
}

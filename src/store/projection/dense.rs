//! Scripts written without spaces between words (Chinese, Japanese, Thai and similar), and Korean,
//! whose words carry particles. A run of such characters is indexed as overlapping pairs (bigrams);
//! each pair is one word of the index.

/// Whether a folded text may contain such a script, judged by its bytes alone.
pub(super) fn may_have(words: &str) -> bool {
    // Characters of these scripts take three bytes or more in UTF-8; hardly any letter of another
    // script does.
    words.bytes().fold(0, u8::max) >= 0xE0
}

fn is_dense(character: char) -> bool {
    matches!(
        character,
        // Thai, Lao, Burmese, Khmer.
        '\u{0E00}'..='\u{0EFF}'
            | '\u{1000}'..='\u{109F}'
            | '\u{1780}'..='\u{17FF}'
            // Korean syllables and letters.
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

/// Splits a word into runs of such a script and the text between them.
fn runs(word: &str) -> impl Iterator<Item = (bool, &str)> {
    let mut rest = word;
    std::iter::from_fn(move || {
        let dense = is_dense(rest.chars().next()?);
        let end = rest.find(|letter| is_dense(letter) != dense);
        let (run, remainder) = rest.split_at(end.unwrap_or(rest.len()));
        rest = remainder;
        Some((dense, run))
    })
}

/// The pairs of a run. A single character yields none.
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

/// A folded text with its runs as pairs. The last character of a run is also a word of its own, so
/// that every character begins some word.
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

/// The index words to match for one folded word of a search, each with whether it matches as a
/// prefix.
pub(super) fn query_words(word: &str, is_prefix: bool) -> Vec<(&str, bool)> {
    let mut found = Vec::new();
    let mut runs = runs(word).peekable();
    while let Some((dense, run)) = runs.next() {
        if !dense {
            let is_last = runs.peek().is_none();
            found.push((run, is_prefix && is_last));
        } else if run.chars().nth(1).is_none() {
            found.push((run, true));
        } else {
            found.extend(pairs(run).map(|pair| (pair, false)));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{indexed, may_have, query_words};

    #[test]
    fn run_is_indexed_as_pairs() {
        assert_eq!(indexed("订单号 abc"), "订单 单号 号 abc ");
        assert_eq!(indexed("号是123x"), "号是 是 123x ");
        assert_eq!(indexed("单"), "单 ");
    }

    #[test]
    fn searched_run_becomes_its_pairs() {
        assert_eq!(
            query_words("订单号", true),
            [("订单", false), ("单号", false)]
        );
        assert_eq!(query_words("单", false), [("单", true)]);
        assert_eq!(query_words("no5号", true), [("no5", false), ("号", true)]);
        assert_eq!(query_words("bre", true), [("bre", true)]);
    }

    #[test]
    fn latin_and_cyrillic_contain_no_dense_script() {
        assert!(!may_have("straße хлеб λογοσ"));
        assert!(may_have("订"));
        assert!(may_have("ข"));
    }
}

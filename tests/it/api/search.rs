//! `GET /api/v1/messages?q=`: search by words of texts, captions and file names.

use std::fmt::Write;

use green_inbox::store::MAX_WORDS;
use serde_json::{Value, json};

use super::{address, column, filled, list, next, refused, say};
use crate::support::TestServer;
use crate::support::said::{self, NOON};

const OTHER_CHAT: &str = "79007778899@c.us";
const OTHER_INSTANCE: i64 = 7_105_000_002;

/// Identifiers of the messages with these words, oldest first.
async fn found(server: &TestServer, words: &str, filters: &[(&str, &str)]) -> Vec<Value> {
    let mut parameters = vec![("q", words), ("order", "asc")];
    parameters.extend(filters);
    let path = address("/api/v1/messages", &parameters);
    column(server, &path, "idMessage").await
}

async fn server_with_texts() -> TestServer {
    let texts = [
        "Ещё тёплый ржаной хлеб",
        "Is there RYE bread today?",
        "rye-bread, 2 loaves",
        "Хлебный мякиш",
        "Café crème «brûlée»",
        "Заказ 1042 готов 🥐",
    ];
    let texts = (1..)
        .zip(texts)
        .map(|(n, text)| said::text(&format!("T{n}"), NOON, text));
    let mut picture = said::picture("P1", NOON, "Вчерашний багет");
    picture["messageData"]["fileMessageData"]["fileName"] = "price-list_2026.PDF".into();
    // Some operating systems write й as и and a combining breve.
    let mut parts = said::picture("P2", NOON, "");
    parts["messageData"]["fileMessageData"]["fileName"] = "раи\u{306}онный ме\u{308}д.jpg".into();
    filled(texts.chain([picture, parts]).map(|body| body.to_string())).await
}

#[tokio::test]
async fn words_are_found_in_any_case_order_and_accentuation() {
    let server = server_with_texts().await;
    for (words, ids) in [
        ("хлеб", &["T1"][..]),
        ("ХЛЕБ", &["T1"]),
        ("еще", &["T1"]),
        ("Ещё", &["T1"]),
        ("теплый хлеб", &["T1"]),
        ("хлеб тёплый", &["T1"]),
        ("rye", &["T2", "T3"]),
        ("Rye Bread", &["T2", "T3"]),
        ("rye-bread", &["T2", "T3"]),
        ("bread rye today", &["T2"]),
        ("rye хлеб", &[]),
        ("хлеб*", &["T1", "T4"]),
        ("хле", &[]),
        ("ХЛЕ*", &["T1", "T4"]),
        ("brea* load*", &[]),
        ("brea* loa*", &["T3"]),
        ("cafe", &["T5"]),
        ("brulee creme", &["T5"]),
        ("1042", &["T6"]),
        ("10*", &["T6"]),
        ("багет", &["P1"]),
        ("pdf", &["P1"]),
        ("price-list_2026.pdf", &["P1"]),
        ("район*", &["P2"]),
        ("районный мёд", &["P2"]),
        ("мед", &["P2"]),
        ("bun", &[]),
    ] {
        assert_eq!(found(&server, words, &[]).await, ids, "{words}");
    }
}

#[tokio::test]
async fn query_syntax_is_searched_as_plain_words() {
    let server = server_with_texts().await;
    for words in [
        "\"rye bread\"",
        "rye AND bread",
        "rye\" OR \"1\"=\"1",
        "text:rye",
        "{text}:rye",
        "NEAR(rye bread)",
        "^rye",
        "rye + bread",
        "(rye",
        "rye) --",
        "' ; DROP TABLE event",
        "rye 🥐",
        "rye NOT",
        "**",
        "\u{0}rye",
        "\u{E000}i1101000001",
        "\u{E000}",
        "rye \u{301}",
        "\u{301}",
        "a\u{345}b",
        // Letters that are newer than the tables of some tokenizers.
        "a\u{1E922}b",
        "\u{10D00}",
        "x\u{31350}*",
        "हिन्दी",
        "ß İ ﬃ Ⓐ",
    ] {
        let path = address("/api/v1/messages", &[("q", words)]);
        list(server.private, &path).await;
    }
    // Operators are plain words.
    assert_eq!(found(&server, "rye AND bread", &[]).await, [] as [&str; 0]);
    assert_eq!(found(&server, "\"rye bread\"", &[]).await, ["T2", "T3"]);
    assert_eq!(found(&server, "готов 🥐", &[]).await, ["T6"]);
    let many = "rye ".repeat(1000);
    assert_eq!(found(&server, &many, &[]).await, ["T2", "T3"]);
}

#[tokio::test]
async fn every_letter_is_accepted_in_a_query() {
    let server = server_with_texts().await;
    // The tokenizer does not count some of them as letters, which must not be an error.
    let letters: Vec<char> = ('\0'..=char::MAX)
        .filter(|letter| letter.is_alphanumeric())
        // Ideographs and syllables are numerous and alike, so every 64th is enough.
        .filter(|letter| u32::from(*letter) < 0x3400 || u32::from(*letter).is_multiple_of(64))
        .collect();
    // Some become several letters and some none, so that one word becomes two.
    for some in letters.chunks(MAX_WORDS / 2) {
        let (mut within, mut alone) = ("a".to_owned(), String::new());
        for letter in some {
            write!(within, "{letter}").unwrap();
            write!(alone, "{letter} ").unwrap();
        }
        for words in [within, alone] {
            list(
                server.private,
                &address("/api/v1/messages", &[("q", &words)]),
            )
            .await;
        }
    }
}

#[tokio::test]
async fn query_without_words_finds_nothing() {
    let server = server_with_texts().await;
    for words in ["?", " ", "…!—", "\"\"", "*", "-*"] {
        let path = address("/api/v1/messages", &[("q", words)]);
        let answer = list(server.private, &path).await.json();
        assert_eq!(answer, json!({ "data": [], "nextCursor": null }), "{words}");
    }
}

#[tokio::test]
async fn edited_message_is_found_by_its_latest_text_only() {
    let server = TestServer::start().await;
    say(
        &server,
        [
            said::text("A1", NOON, "Two loaves"),
            said::picture("A2", NOON, "A bun"),
        ],
    )
    .await;
    assert_eq!(found(&server, "loaves", &[]).await, ["A1"]);
    assert_eq!(found(&server, "bun", &[]).await, ["A2"]);
    say(
        &server,
        [
            said::edit("E1", NOON + 1, "A1", "textMessage", "Three rolls"),
            said::edit("E2", NOON + 1, "A2", "caption", "A roll"),
        ],
    )
    .await;
    for (words, ids) in [
        ("loaves", &[][..]),
        ("three rolls", &["A1"]),
        ("bun", &["A2"]),
        ("roll", &["A2"]),
        ("roll*", &["A1", "A2"]),
    ] {
        // The file name, `bun.jpg`, does not change.
        assert_eq!(found(&server, words, &[]).await, ids, "{words}");
    }
}

#[tokio::test]
async fn words_combine_with_every_filter() {
    let server = TestServer::start().await;
    let text = |id: &str, text: &str| said::text(id, NOON, text);
    say(
        &server,
        [
            text("A1", "fresh rye"),
            said::within(OTHER_CHAT, text("A2", "fresh rye")),
            said::of(OTHER_INSTANCE, text("A3", "fresh rye")),
            said::of(OTHER_INSTANCE, said::within(OTHER_CHAT, text("A4", "rye"))),
            said::picture("A5", NOON, "rye"),
            said::status("A1", NOON + 1, "read"),
        ],
    )
    .await;
    server.pass(1000);
    say(&server, [text("A6", "rye of tomorrow")]).await;
    let instance = OTHER_INSTANCE.to_string();
    for (filters, ids) in [
        (&[][..], &["A1", "A2", "A3", "A4", "A5", "A6"][..]),
        (&[("chat", said::CHAT)], &["A1", "A3", "A5", "A6"]),
        (&[("chat", OTHER_CHAT)], &["A2", "A4"]),
        (&[("instance", &*instance)], &["A3", "A4"]),
        (&[("instance", &*instance), ("chat", OTHER_CHAT)], &["A4"]),
        (&[("instance", "5")], &[]),
        (&[("chat", "5")], &[]),
        (&[("typeMessage", "imageMessage")], &["A5"]),
        (&[("status", "read")], &["A1"]),
        (&[("direction", "outgoingApi")], &[]),
        (
            &[("direction", "incoming")],
            &["A1", "A2", "A3", "A4", "A5", "A6"],
        ),
        (&[("outcome", "unknown")], &[]),
        (&[("since", "2026-01-01T00:00:01Z")], &["A6"]),
        (
            &[("until", "2026-01-01T00:00:01Z")],
            &["A1", "A2", "A3", "A4", "A5"],
        ),
    ] {
        assert_eq!(found(&server, "rye", filters).await, ids, "{filters:?}");
    }
    let path = address("/api/v1/messages", &[("q", "rye"), ("limit", "2")]);
    let all = super::walk(&server, &path).await;
    let ids: Vec<_> = all.iter().map(|message| &message["idMessage"]).collect();
    assert_eq!(ids, ["A6", "A5", "A4", "A3", "A2", "A1"]);
}

#[tokio::test]
async fn words_up_to_the_limit_are_found_and_more_are_refused_with_400() {
    let server = TestServer::start().await;
    let words: Vec<_> = (0..MAX_WORDS).map(|n| format!("loaf{n}")).collect();
    let text = words.join(" ");
    say(&server, [said::text("A1", NOON, &text)]).await;
    assert_eq!(found(&server, &text, &[]).await, ["A1"]);
    // A repeated word counts once.
    assert_eq!(
        found(&server, &format!("{text} LOAF3 loaf3"), &[]).await,
        ["A1"]
    );
    let many = address("/api/v1/messages", &[("q", &format!("{text} crumb"))]);
    let detail = refused(&server, &many).await;
    assert_eq!(
        detail,
        "`q` takes at most 32 different words, and 256 characters of scripts without spaces."
    );
    let long = address("/api/v1/messages", &[("q", &"й".repeat(201))]);
    let detail = refused(&server, &long).await;
    assert_eq!(detail, "`q` takes words of at most 200 characters.");
}

#[tokio::test]
async fn word_in_a_text_without_spaces_is_found() {
    let server = TestServer::start().await;
    say(
        &server,
        [
            said::text("ZH", NOON, "请问新鲜的黑麦面包今天有吗？共12个"),
            said::text("JA", NOON, "焼きたてのパンを予約したいです"),
            said::text("TH", NOON, "วันนี้มีขนมปังไหม"),
            said::text("KO", NOON, "호밀빵을 예약하고 싶어요"),
        ],
    )
    .await;
    for (query, id) in [
        ("面包", "ZH"),
        ("黑麦面包", "ZH"),
        ("麦", "ZH"),
        ("吗", "ZH"),
        ("共12个", "ZH"),
        ("面包*", "ZH"),
        ("予約", "JA"),
        ("ﾊﾟﾝ", "JA"),
        ("ขนมปัง", "TH"),
        ("호밀빵", "KO"),
        ("예약", "KO"),
    ] {
        assert_eq!(found(&server, query, &[]).await, [id], "{query}");
    }
    for query in ["包面", "蛋糕", "面包 蛋糕"] {
        assert!(found(&server, query, &[]).await.is_empty(), "{query}");
    }
}

#[tokio::test]
async fn word_is_found_in_every_case_and_form() {
    let server = TestServer::start().await;
    say(
        &server,
        [
            said::text("SS", NOON, "Weiße GROSSE Straße"),
            said::text("ZW", NOON, "sour\u{200B}dough cro\u{AD}issant"),
            said::text("EMOJI", NOON, "fresh👍🏽"),
            said::text("WIDE", NOON, "Ｎｏ．１２３４"),
        ],
    )
    .await;
    for (query, id) in [
        ("große", "SS"),
        ("grosse", "SS"),
        ("STRASSE", "SS"),
        ("weisse", "SS"),
        ("sourdough", "ZW"),
        ("croissant", "ZW"),
        ("👍", "EMOJI"),
        ("👍🏿", "EMOJI"),
        ("fresh", "EMOJI"),
        ("1234", "WIDE"),
    ] {
        assert_eq!(found(&server, query, &[]).await, [id], "{query}");
    }
    assert!(found(&server, "👎", &[]).await.is_empty());
}

#[tokio::test]
async fn phone_number_is_found_in_every_written_form_by_its_last_digits() {
    let forms = [
        "+7 (900) 555-44-33",
        "8 900 555 44 33",
        "79005554433",
        "8-900-555-44-33",
    ];
    let server = TestServer::start().await;
    for (form, id) in forms.iter().zip(["P1", "P2", "P3", "P4"]) {
        say(
            &server,
            [said::text(id, NOON, &format!("Call {form} today"))],
        )
        .await;
    }
    say(&server, [said::text("OTHER", NOON, "Call 79005554434")]).await;
    let all = ["P1", "P2", "P3", "P4"];
    for query in forms {
        assert_eq!(found(&server, query, &[]).await, all, "{query}");
        let mixed = format!("call {query}  today");
        assert_eq!(found(&server, &mixed, &[]).await, all, "{mixed}");
        let missing = format!("bread {query}");
        assert!(found(&server, &missing, &[]).await.is_empty(), "{missing}");
    }
    for last in 7..=11 {
        let query = &forms[2][11 - last..];
        assert_eq!(found(&server, query, &[]).await, all, "{query}");
    }
    // Digits that only look like a phone number are found as words.
    say(&server, [said::text("DATE", NOON, "order 2024 12345")]).await;
    assert_eq!(found(&server, "2024 12345", &[]).await, ["DATE"]);
    assert_eq!(found(&server, "order 2024", &[]).await, ["DATE"]);
}

#[tokio::test]
async fn frequent_or_rare_prefix_lists_what_its_word_lists_page_by_page() {
    // Two of three texts have the frequent word, and one of ninety the rare one.
    let texts = (1..=900).map(|n| {
        let frequent = if n % 3 == 0 { "tea" } else { "Delivery," };
        let rare = if n % 90 == 0 {
            "quince 8 999 000-11-22"
        } else {
            "cake"
        };
        said::text(&format!("T{n}"), NOON + n, &format!("{frequent} {rare}"))
    });
    let server = filled(texts.map(|body| body.to_string())).await;
    for (prefix, word, count) in [
        ("deliv*", "delivery", 600),
        ("deliv* c*", "delivery cake", 600),
        ("deliv* qui*", "delivery quince", 0),
        ("te* ca*", "tea cake", 290),
        ("qui*", "quince", 10),
        ("qui* 89990001122", "quince 89990001122", 10),
        ("nothing*", "nothing", 0),
    ] {
        for order in ["asc", "desc"] {
            let of = |words| address("/api/v1/messages", &[("q", words), ("order", order)]);
            let found = walk(&server, &of(prefix)).await;
            assert_eq!(found.len(), count, "{prefix}");
            assert_eq!(found, walk(&server, &of(word)).await, "{prefix} {order}");
        }
    }
}

#[tokio::test]
async fn prefix_finds_every_word_that_has_it_however_many_there_are() {
    let endings = ["", "а", "ик", "ёнок", "я", "\u{10FFFD}", "z", "9"];
    let few = endings.iter().map(|ending| format!("кот{ending}"));
    let many = (1..=200).map(|n| format!("brew{n}"));
    let others = ["ко", "кос", "кпт", "bre", "brex"].map(str::to_owned);
    let words: Vec<_> = few.chain(many).chain(others).collect();
    let texts = (1..).zip(&words).map(|(n, word)| {
        let text = said::text(&format!("M{n}"), NOON + n, &format!("{word} and"));
        text.to_string()
    });
    let server = filled(texts).await;
    for (prefix, count) in [
        ("кот*", 8),
        ("КОТЕ*", 1),
        ("brew*", 200),
        ("brew19*", 11),
        ("brew* an*", 200),
        ("bre*", 202),
        ("brew* кот*", 0),
    ] {
        let path = address("/api/v1/messages", &[("q", prefix)]);
        assert_eq!(walk(&server, &path).await.len(), count, "{prefix}");
    }
}

/// The identifiers of all messages of a list, page by page.
async fn walk(server: &TestServer, path: &str) -> Vec<Value> {
    let (mut all, mut following) = (Vec::new(), Some(path.to_owned()));
    while let Some(path) = following {
        let page = list(server.private, &path).await;
        following = next(&page);
        let page = page.json();
        let messages = page["data"].as_array().unwrap().iter();
        all.extend(messages.map(|message| message["idMessage"].clone()));
    }
    all
}

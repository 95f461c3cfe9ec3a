//! Russian and English, by the browser's preference and by choice; colours by choice.

use super::html;
use crate::support::TestServer;

#[tokio::test]
async fn language_follows_the_browser_and_then_the_choice() {
    let server = TestServer::start().await;
    for (headers, lang, title) in [
        (&[][..], "en", "What arrives"),
        (
            &[("accept-language", "ru-RU,ru;q=0.9,en;q=0.8")],
            "ru",
            "Что приходит",
        ),
        (&[("accept-language", "de,fr")], "en", "What arrives"),
        (
            &[
                ("accept-language", "ru"),
                ("cookie", "green_inbox_language=en"),
            ],
            "en",
            "What arrives",
        ),
        (
            &[("cookie", "a=b; green_inbox_language=ru")],
            "ru",
            "Что приходит",
        ),
        (
            &[("cookie", "green_inbox_language=\"><b>")],
            "en",
            "What arrives",
        ),
    ] {
        let page = html(&server, "/", headers).await;
        assert!(
            page.contains(&format!("<html lang=\"{lang}\"")),
            "{headers:?}"
        );
        assert!(page.contains(&format!("<h1>{title}</h1>")), "{headers:?}");
    }
}

#[tokio::test]
async fn colours_follow_the_choice() {
    let server = TestServer::start().await;
    assert!(!html(&server, "/", &[]).await.contains("data-theme"));
    for (theme, is_known) in [("light", true), ("dark", true), ("\"x", false)] {
        let cookie = format!("green_inbox_theme={theme}");
        let page = html(&server, "/", &[("cookie", &cookie)]).await;
        assert_eq!(
            page.contains("<html lang=\"en\" data-theme="),
            is_known,
            "{theme}"
        );
    }
}

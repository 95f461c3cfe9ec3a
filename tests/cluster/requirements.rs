//! Settings of PostgreSQL that would make an answer untrue stop the start, with the setting and the fix.

use crate::postgres::Postgres;
use crate::rig::alone;
use crate::support::process::{finish, serve};

/// The exit code and the error of a start.
fn start(url: &str, environment: &[(&str, &str)]) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().unwrap();
    let mut command = serve(folder.path());
    command
        .env("GREEN_INBOX__STORAGE__URL", url)
        .envs(environment.iter().copied());
    let output = finish(&mut command);
    (
        output.status.code(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

#[test]
fn unsafe_settings_of_postgresql_stop_the_start() {
    alone(async {
        const REQUIRE: (&str, &str) = ("GREEN_INBOX__STORAGE__REQUIRE_STANDBY", "true");
        for (settings, environment, said) in [
            (&["fsync=off"][..], &[][..], "`fsync = off`"),
            (&["full_page_writes=off"], &[], "`full_page_writes = off`"),
            (
                &["synchronous_commit=off"],
                &[],
                "`synchronous_commit = off`",
            ),
            (&[], &[REQUIRE], "`synchronous_standby_names = ''`"),
            (
                &["synchronous_commit=local"],
                &[REQUIRE],
                "`synchronous_commit = local`",
            ),
        ] {
            let postgres = Postgres::with(settings);
            let (code, error) = start(&postgres.url(), environment);
            assert_eq!(code, Some(2), "{settings:?}: {error}");
            assert!(
                error.contains(said) && error.contains("help: set "),
                "{settings:?}: {error}"
            );
        }
    });
}

#[test]
fn unknown_user_stops_the_start_without_showing_the_url() {
    alone(async {
        let postgres = Postgres::start();
        let url = format!("postgres://nobody:swordfish@{}/postgres", postgres.host());
        let (code, error) = start(&url, &[]);
        assert_eq!(code, Some(2), "{error}");
        assert!(
            error.contains("storage.url: PostgreSQL refused the user"),
            "{error}"
        );
        assert!(!error.contains("swordfish"), "{error}");
    });
}

//! Runs the tests on PostgreSQL: each test has a database of its own there, as it has a folder of its own.

use std::env;
use std::path::Path;

use green_inbox::config::DatabaseUrl;
use tokio_postgres::NoTls;
use tokio_postgres::error::SqlState;

/// A variable with the URL of a PostgreSQL whose user may create databases, without a database in it, such as
/// `postgres://inbox@127.0.0.1:5432`. Without it the tests run on SQLite.
const VARIABLE: &str = "GREEN_INBOX_TEST_POSTGRES";

/// Whether the tests run on PostgreSQL.
pub fn is_chosen() -> bool {
    env::var_os(VARIABLE).is_some()
}

/// The database of the server in `folder`; `None` if the tests run on SQLite.
pub async fn database_of(folder: &Path) -> Option<DatabaseUrl> {
    let server = env::var_os(VARIABLE)?.into_string().unwrap();
    let folder = folder.file_name().unwrap().to_str().unwrap();
    // Folders differ in capital letters too.
    let name = data_encoding::HEXLOWER.encode(folder.as_bytes());
    let (client, connection) = tokio_postgres::connect(&format!("{server}/postgres"), NoTls)
        .await
        .unwrap();
    let connection = tokio::spawn(connection);
    let create = format!("CREATE DATABASE x{name}");
    match client.batch_execute(&create).await {
        Err(failure) if failure.code() != Some(&SqlState::DUPLICATE_DATABASE) => {
            panic!("{failure:?}")
        }
        _ => {}
    }
    connection.abort();
    Some(DatabaseUrl::new(&format!("{server}/x{name}")))
}

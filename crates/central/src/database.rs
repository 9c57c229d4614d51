//! Opening the database for the command line: what is wrong with it is one sentence that
//! says what to run. Never repeats the URL, which may hold a password.

use crate::stop::Stop;
use central::{MigrateFailure, Pool};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};
use std::str::FromStr as _;
use std::time::Duration;

/// Longest wait for the database to answer at all.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);

const SHAPE: &str = "the database URL cannot be read; give --database (or JALON_DATABASE_URL) as \
     postgres://USER:PASSWORD@HOST:5432/NAME or postgres:///NAME?host=/run/postgresql, with @ : / ? # % in a \
     password written %40 %3A %2F %3F %23 %25";

/// Connects to a database that has this version's schema.
pub(crate) async fn ready(url: &str) -> Result<Pool, Stop> {
    let pool = open(url).await?;
    match central::check_schema(&pool).await {
        Ok(()) => Ok(pool),
        Err(MigrateFailure::Older(0)) => Err(Stop::missing(
            "the database has no tables of central's yet; run central migrate with the same --database",
        )),
        Err(MigrateFailure::Older(_)) => Err(Stop::missing(
            "the database's tables are of an older version; run central migrate with the same --database",
        )),
        Err(failure) => Err(failure.into()),
    }
}

/// Connects, whatever the schema.
pub(crate) async fn open(url: &str) -> Result<Pool, Stop> {
    let options = read(url).ok_or_else(|| Stop::missing(SHAPE))?;
    // Alone first: a pool tries again until its time is over and then forgets why.
    match tokio::time::timeout(ANSWER_LIMIT, options.connect()).await {
        Ok(Ok(connection)) => {
            let _ = connection.close().await;
        }
        Ok(Err(error)) => return Err(refused(&options, error)),
        Err(_) => return Err(Stop::missing(silent(&options))),
    }
    central::connect(url).await.map_err(|error| refused(&options, error))
}

fn read(url: &str) -> Option<PgConnectOptions> {
    let rest = url.strip_prefix("postgres://").or_else(|| url.strip_prefix("postgresql://"))?;
    // A sign of the password taken for the end of the host: the rest of it must not be
    // taken for a database, and named.
    let after = rest.find(['/', '?', '#']).and_then(|end| rest.get(end..)).unwrap_or_default();
    if after.contains('@') || after.contains('#') {
        return None;
    }
    PgConnectOptions::from_str(url).ok()
}

fn refused(options: &PgConnectOptions, error: sqlx::Error) -> Stop {
    let code = error.as_database_error().and_then(|refusal| refusal.code()).unwrap_or_default().into_owned();
    let sentence = match code.as_str() {
        "28P01" | "28000" => format!(
            "PostgreSQL at {} does not let the user {} in; correct the user and password of --database",
            place(options),
            options.get_username()
        ),
        "3D000" => format!(
            "PostgreSQL at {} has no database {name}; make it with createdb {name}, or correct --database",
            place(options),
            name = options.get_database().unwrap_or(options.get_username()),
        ),
        "" => silent(options),
        _ => format!("PostgreSQL at {} refuses the connection", place(options)),
    };
    Stop::missing(sentence).because(error)
}

fn silent(options: &PgConnectOptions) -> String {
    format!("PostgreSQL does not answer at {}; start it, or correct --database", place(options))
}

fn place(options: &PgConnectOptions) -> String {
    match options.get_socket() {
        Some(folder) => format!("{} (port {})", folder.display(), options.get_port()),
        None => format!("{}:{}", options.get_host(), options.get_port()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_that_may_show_its_password_is_not_read() {
        for url in [
            "",
            "localhost",
            "mysql://jalon@localhost/x",
            "postgres://jalon:half/rest@localhost/x",
            "postgres://jalon:12/rest@localhost/x",
            "postgres://jalon:12?rest@localhost/x",
            "postgres://jalon:12#rest@localhost/x",
            "postgres://localhost:port/x",
        ] {
            assert!(read(url).is_none(), "{url}");
        }
        for url in
            ["postgres:///jalon?host=/run/postgresql", "postgresql://jalon:p%40ss@localhost:5432/jalon"]
        {
            assert!(read(url).is_some(), "{url}");
        }
    }
}

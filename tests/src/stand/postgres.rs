//! A real PostgreSQL in a folder: unix socket only, fsync on, ended with its owner.

use crate::programs::{Failure, Running, command, fail, output, wait_for};
use crate::stand::short_folder::ShortFolder;
use std::path::{Path, PathBuf};
use std::process::Command;

pub const BIN: &str = "/usr/lib/postgresql/15/bin";

/// A running server.
#[derive(Debug)]
pub struct Postgres {
    socket: PathBuf,
    _server: Running,
    /// Kept for its removal: the socket's folder.
    _short: ShortFolder,
}

impl Postgres {
    /// Starts on the data in `folder`, made when there is none.
    ///
    /// # Errors
    /// PostgreSQL 15 is not installed, or does not start.
    pub fn start(folder: &Path) -> Result<Self, Failure> {
        let data = folder.join("pg");
        let log = folder.join("logs/postgres.log");
        if let Some(parent) = log.parent() {
            std::fs::create_dir_all(parent)?;
        }
        if !data.join("PG_VERSION").exists() {
            let mut initdb = as_user(&format!("{BIN}/initdb"))?;
            initdb.arg("-D").arg(&data).args([
                "-U",
                "jalon",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--locale=C.UTF-8",
            ]);
            output(&mut initdb)?;
        }
        // Left by a server that was killed; ours is the only one of this folder.
        let _ = std::fs::remove_file(data.join("postmaster.pid"));
        let short = ShortFolder::make()?;
        let mut server = as_user(&format!("{BIN}/postgres"))?;
        server.arg("-D").arg(&data).arg("-k").arg(short.path()).args([
            "-c",
            "listen_addresses=",
            "-c",
            "max_connections=60",
        ]);
        let mut running = Running::start(&mut server, &log)?;
        let socket = short.path().to_owned();
        let url = url(&socket, "postgres");
        wait_for("PostgreSQL answers", || {
            if running.ended() {
                return Some(false);
            }
            let mut ask = command(format!("{BIN}/psql"), ["-X", "-q", "-c", "SELECT 1", &url]);
            output(&mut ask).is_ok().then_some(true)
        })?
        .then_some(())
        .ok_or_else(|| fail(format!("PostgreSQL did not start; see {}", log.display())))?;
        Ok(Self { socket, _server: running, _short: short })
    }

    /// The URL of one of its databases, made when there is none.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn database(&self, name: &str) -> Result<String, Failure> {
        let admin = url(&self.socket, "postgres");
        let sql = format!("SELECT 1 FROM pg_database WHERE datname = '{name}'");
        let known =
            output(&mut command(format!("{BIN}/psql"), ["-X", "-q", "-t", "-A", "-c", &sql, &admin]))?;
        if known.trim() != "1" {
            let create = format!("CREATE DATABASE \"{name}\"");
            output(&mut command(format!("{BIN}/psql"), ["-X", "-q", "-c", &create, &admin]))?;
        }
        Ok(url(&self.socket, name))
    }
}

fn url(socket: &Path, database: &str) -> String {
    format!("postgres:///{database}?host={}&user=jalon", socket.display())
}

/// PostgreSQL refuses to run as root: a user namespace gives it the name of the user
/// its own package makes, which is there on every machine it is installed on.
pub fn as_user(program: &str) -> Result<Command, Failure> {
    if !rustix::process::geteuid().is_root() {
        return Ok(command(program, std::iter::empty::<&str>()));
    }
    let id = |flag: &str| Ok::<_, Failure>(output(&mut command("id", [flag, "postgres"]))?.trim().to_owned());
    let (user, group) = (format!("--map-user={}", id("-u")?), format!("--map-group={}", id("-g")?));
    Ok(command("unshare", ["--user", &user, &group, "--kill-child", "--fork", program]))
}

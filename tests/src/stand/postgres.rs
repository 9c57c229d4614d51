//! A real PostgreSQL in a folder: unix socket only, fsync on, ended with its owner.

use crate::programs::{Failure, Running, command, fail, kill, output, wait_for};
use crate::stand::short_folder::ShortFolder;
use std::path::{Path, PathBuf};
use std::process::Command;

pub const BIN: &str = "/usr/lib/postgresql/15/bin";

/// A running server.
#[derive(Debug)]
pub struct Postgres {
    folder: PathBuf,
    server: Option<Running>,
    /// The socket's folder.
    short: ShortFolder,
}

impl Postgres {
    /// Starts on the data in `folder`, made when there is none.
    ///
    /// # Errors
    /// PostgreSQL 15 is not installed, or does not start.
    pub fn start(folder: &Path) -> Result<Self, Failure> {
        let data = folder.join("pg");
        std::fs::create_dir_all(folder.join("logs"))?;
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
        let mut postgres = Self { folder: folder.to_owned(), server: None, short: ShortFolder::make()? };
        postgres.serve()?;
        Ok(postgres)
    }

    /// Kills the server and starts it on the same data as a standby that takes over: the same
    /// rows on a new timeline, at the same address.
    ///
    /// # Errors
    /// It does not come back.
    pub fn take_over(&mut self) -> Result<(), Failure> {
        power_off(&self.folder.join("pg"))?;
        if let Some(server) = self.server.take() {
            server.kill();
        }
        std::fs::File::create(self.folder.join("pg/standby.signal"))?;
        self.serve()?;
        let promote = "SELECT pg_promote()";
        output(&mut command(
            format!("{BIN}/psql"),
            ["-X", "-q", "-c", promote, &url(self.socket(), "postgres")],
        ))?;
        Ok(())
    }

    /// Starts it again if it has ended.
    ///
    /// # Errors
    /// It does not come back.
    pub fn again(&mut self) -> Result<(), Failure> {
        if self.server.as_mut().is_some_and(|server| !server.ended()) {
            return Ok(());
        }
        self.server = None;
        self.serve()
    }

    fn socket(&self) -> &Path {
        self.short.path()
    }

    fn serve(&mut self) -> Result<(), Failure> {
        let (data, log) = (self.folder.join("pg"), self.folder.join("logs/postgres.log"));
        // Left by a server that was killed; ours is the only one of this folder.
        let _ = std::fs::remove_file(data.join("postmaster.pid"));
        let mut server = as_user(&format!("{BIN}/postgres"))?;
        server.arg("-D").arg(&data).arg("-k").arg(self.socket()).args([
            "-c",
            "listen_addresses=",
            "-c",
            "max_connections=60",
            // In its own folder: in /dev/shm they would stay when the server is killed.
            "-c",
            "dynamic_shared_memory_type=mmap",
        ]);
        let mut running = Running::start(&mut server, &log)?;
        let url = url(self.socket(), "postgres");
        wait_for("PostgreSQL answers", || {
            if running.ended() {
                return Some(false);
            }
            let mut ask = command(format!("{BIN}/psql"), ["-X", "-q", "-c", "SELECT 1", &url]);
            output(&mut ask).is_ok().then_some(true)
        })?
        .then_some(())
        .ok_or_else(|| fail(format!("PostgreSQL did not start; see {}", log.display())))?;
        self.server = Some(running);
        Ok(())
    }

    /// The URL of one of its databases, made when there is none.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn database(&self, name: &str) -> Result<String, Failure> {
        let admin = url(self.socket(), "postgres");
        let sql = format!("SELECT 1 FROM pg_database WHERE datname = '{name}'");
        let known =
            output(&mut command(format!("{BIN}/psql"), ["-X", "-q", "-t", "-A", "-c", &sql, &admin]))?;
        if known.trim() != "1" {
            let create = format!("CREATE DATABASE \"{name}\"");
            output(&mut command(format!("{BIN}/psql"), ["-X", "-q", "-c", &create, &admin]))?;
        }
        Ok(url(self.socket(), name))
    }
}

fn url(socket: &Path, database: &str) -> String {
    format!("postgres:///{database}?host={}&user=jalon", socket.display())
}

/// SIGKILL to a server and all it has started, as when its machine goes: left alone, what it
/// had begun would be answered first.
///
/// # Errors
/// It does not run on this data.
pub fn power_off(data: &Path) -> Result<(), Failure> {
    let text = std::fs::read_to_string(data.join("postmaster.pid"))?;
    let pid: u32 = text
        .lines()
        .next()
        .and_then(|line| line.trim().parse().ok())
        .ok_or_else(|| fail("no process id in postmaster.pid"))?;
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))?;
    let all: Vec<u32> =
        children.split_whitespace().filter_map(|child| child.parse().ok()).chain([pid]).collect();
    kill(pid)?;
    for one in &all {
        // It may have ended by itself.
        let _ = kill(*one);
    }
    wait_for("a killed PostgreSQL is gone", || all.iter().all(|one| is_gone(*one)).then_some(()))
}

/// Has it ended? Its parent may not have looked yet.
fn is_gone(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with(['Z', 'X']))
}

/// PostgreSQL refuses to run as root: a user namespace gives it the name of the user
/// its own package makes, which is there on every machine it is installed on.
///
/// # Errors
/// There is no such user.
pub fn as_user(program: &str) -> Result<Command, Failure> {
    if !rustix::process::geteuid().is_root() {
        return Ok(command(program, std::iter::empty::<&str>()));
    }
    let id = |flag: &str| Ok::<_, Failure>(output(&mut command("id", [flag, "postgres"]))?.trim().to_owned());
    let (user, group) = (format!("--map-user={}", id("-u")?), format!("--map-group={}", id("-g")?));
    Ok(command("unshare", ["--user", &user, &group, "--ipc", "--kill-child", "--fork", program]))
}

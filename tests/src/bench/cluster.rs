//! Three PostgreSQL under Patroni and one etcd, on loopback in one folder. Nothing is
//! acknowledged by one disk alone: `synchronous_mode_strict`. Everything is ended by its
//! process id.

use super::gate::{Node, says_yes};
use crate::programs::{Failure, Running, command, fail, free_port};
use crate::stand::postgres::{BIN, as_user, power_off};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// What Debian needs beside PostgreSQL; no part of the set-up.
pub const INSTALL: &str = "apt-get install -y --no-install-recommends postgresql-15 patroni etcd-server";
const PROGRAMS: [&str; 2] = ["/usr/bin/patroni", "/usr/bin/etcd"];
/// Longest wait for the cluster: a leader's lock runs out after 20 s, Patroni's least.
const WAIT: Duration = Duration::from_secs(120);
const NODES: usize = 3;

/// The cluster. Dropped, all of it ends.
pub struct Cluster {
    folder: PathBuf,
    nodes: Vec<Member>,
    etcd: Option<Running>,
}

struct Member {
    at: Node,
    data: PathBuf,
    patroni: Option<Running>,
}

/// Is anything of it not installed?
pub fn missing() -> Option<&'static str> {
    let there = PROGRAMS.iter().all(|program| Path::new(program).exists())
        && Path::new(BIN).join("postgres").exists();
    (!there).then_some(INSTALL)
}

impl Cluster {
    /// Starts all of it and waits for a leader with a synchronous standby.
    pub async fn start(folder: &Path) -> Result<Self, Failure> {
        let (client, peer) = (free_port()?, free_port()?);
        let url = |port: u16| format!("http://127.0.0.1:{port}");
        let mut etcd = command(PROGRAMS[1], ["--name", "one", "--data-dir"]);
        etcd.arg(folder.join("etcd"));
        etcd.args(["--listen-client-urls", &url(client), "--advertise-client-urls", &url(client)]);
        etcd.args(["--listen-peer-urls", &url(peer), "--initial-advertise-peer-urls", &url(peer)]);
        etcd.args(["--initial-cluster", &format!("one={}", url(peer))]);
        let etcd = Running::start(&mut etcd, &folder.join("etcd.log"))?;
        let mut cluster = Self { folder: folder.to_owned(), nodes: Vec::new(), etcd: Some(etcd) };
        for n in 0..NODES {
            let at = Node { api: free_port()?, postgres: free_port()? };
            let data = folder.join(format!("data{n}"));
            let settings = cluster.settings(n, at, &data, client);
            std::fs::write(cluster.settings_file(n), serde_json::to_vec_pretty(&settings)?)?;
            cluster.nodes.push(Member { at, data, patroni: None });
        }
        for n in 0..NODES {
            cluster.begin(n)?;
            if n == 0 {
                // The first makes the database; the others copy it.
                cluster.until("a leader", async |cluster| cluster.leader().await.is_some()).await?;
            }
        }
        cluster.whole().await?;
        Ok(cluster)
    }

    /// Where its nodes listen.
    pub fn at(&self) -> Vec<Node> {
        self.nodes.iter().map(|node| node.at).collect()
    }

    /// The number of the node whose Patroni holds the leader's lock.
    pub async fn leader(&self) -> Option<usize> {
        for (n, node) in self.nodes.iter().enumerate() {
            if node.patroni.is_some() && says_yes(node.at.api, "/primary").await {
                return Some(n);
            }
        }
        None
    }

    /// Waits until every node runs, one leads, and one of the others is its synchronous standby.
    pub async fn whole(&self) -> Result<(), Failure> {
        self.until("a leader, its synchronous standby and a third node", async |cluster| {
            let (mut replicas, mut synchronous) = (0, 0);
            for node in &cluster.nodes {
                replicas += usize::from(says_yes(node.at.api, "/replica").await);
                synchronous += usize::from(says_yes(node.at.api, "/sync").await);
            }
            cluster.leader().await.is_some() && replicas == NODES - 1 && synchronous > 0
        })
        .await
    }

    /// SIGKILL to the leader's PostgreSQL and its Patroni; answers which it was.
    pub async fn kill_leader(&mut self) -> Result<usize, Failure> {
        let n = self.leader().await.ok_or_else(|| fail("no leader to kill"))?;
        self.kill(n)?;
        Ok(n)
    }

    /// SIGKILL to every node but the leader; answers which they were.
    pub async fn kill_standbys(&mut self) -> Result<Vec<usize>, Failure> {
        let leader = self.leader().await.ok_or_else(|| fail("no leader"))?;
        let others: Vec<usize> = (0..NODES).filter(|n| *n != leader).collect();
        for n in &others {
            self.kill(*n)?;
        }
        Ok(others)
    }

    fn kill(&mut self, n: usize) -> Result<(), Failure> {
        let node = self.nodes.get_mut(n).ok_or_else(|| fail("no such node"))?;
        // Patroni last: alive, it would start PostgreSQL again.
        if let Some(patroni) = node.patroni.take() {
            patroni.kill();
        }
        power_off(&node.data)
    }

    /// Starts a killed node again: it comes back as a standby.
    pub fn begin(&mut self, n: usize) -> Result<(), Failure> {
        let (file, log) = (self.settings_file(n), self.folder.join(format!("patroni{n}.log")));
        let node = self.nodes.get_mut(n).ok_or_else(|| fail("no such node"))?;
        let mut patroni = as_user(PROGRAMS[0])?;
        node.patroni = Some(Running::start(patroni.arg(file), &log)?);
        Ok(())
    }

    fn settings_file(&self, n: usize) -> PathBuf {
        self.folder.join(format!("patroni{n}.yml"))
    }

    async fn until(&self, what: &str, ready: impl AsyncFn(&Self) -> bool) -> Result<(), Failure> {
        let end = Instant::now() + WAIT;
        while !ready(self).await {
            if Instant::now() > end {
                return Err(fail(format!("waited in vain for {what}; see {}", self.folder.display())));
            }
            // Between two looks at a condition.
            sleep(Duration::from_millis(200)).await;
        }
        Ok(())
    }

    /// JSON is YAML too.
    fn settings(&self, n: usize, at: Node, data: &Path, etcd: u16) -> Value {
        let local = |port: u16| format!("127.0.0.1:{port}");
        json!({
            "scope": "jalon",
            "name": format!("node{n}"),
            "restapi": { "listen": local(at.api), "connect_address": local(at.api) },
            "etcd3": { "host": local(etcd) },
            "bootstrap": {
                "dcs": {
                    "ttl": 20, "loop_wait": 2, "retry_timeout": 3,
                    "synchronous_mode": true, "synchronous_mode_strict": true,
                    "postgresql": { "use_pg_rewind": true, "parameters": { "max_connections": 60 } },
                },
                "initdb": [{ "encoding": "UTF8" }, { "locale": "C.UTF-8" }, "data-checksums"],
            },
            "postgresql": {
                "listen": local(at.postgres), "connect_address": local(at.postgres),
                "data_dir": data, "bin_dir": BIN, "pgpass": self.folder.join(format!("pgpass{n}")),
                "authentication": {
                    "superuser": { "username": "jalon", "password": "loopback" },
                    "replication": { "username": "replicator", "password": "loopback" },
                },
                "parameters": { "unix_socket_directories": "" },
                "pg_hba": ["host all all 127.0.0.1/32 trust", "host replication all 127.0.0.1/32 trust"],
                "remove_data_directory_on_diverged_timelines": true,
                "remove_data_directory_on_rewind_failure": true,
            },
            "tags": { "nofailover": false, "noloadbalance": false, "clonefrom": false, "nosync": false },
        })
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for node in &mut self.nodes {
            if let Some(patroni) = node.patroni.take() {
                patroni.kill();
            }
            let _ = power_off(&node.data);
        }
        if let Some(etcd) = self.etcd.take() {
            etcd.kill();
        }
    }
}

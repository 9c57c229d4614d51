//! One address for the cluster, as HAProxy before Patroni: forwards to the node whose Patroni
//! says that it is the leader, and cuts every connection when that is no longer so.

use crate::programs::Failure;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

/// How often the nodes are asked who leads; HAProxy's own habit is every 2 s.
const LOOK: Duration = Duration::from_millis(500);
/// Longest wait for that answer.
const ANSWER: Duration = Duration::from_secs(2);

/// A node: where its Patroni and its PostgreSQL listen on loopback.
#[derive(Debug, Clone, Copy)]
pub struct Node {
    pub api: u16,
    pub postgres: u16,
}

/// The running gate. Dropped, it forwards nothing more.
pub struct Gate {
    pub port: u16,
    /// Connections forwarded so far.
    pub opened: Arc<AtomicUsize>,
    tasks: [JoinHandle<()>; 2],
}

impl Gate {
    pub async fn start(nodes: Vec<Node>) -> Result<Self, Failure> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let (tell, leader) = watch::channel(find_leader(&nodes).await);
        let opened = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&opened);
        let looking = tokio::spawn(async move {
            loop {
                let found = find_leader(&nodes).await;
                tell.send_if_modified(|known| std::mem::replace(known, found) != found);
                sleep(LOOK).await;
            }
        });
        let forwarding = tokio::spawn(async move {
            while let Ok((inside, _)) = listener.accept().await {
                let mut leader = leader.clone();
                let to = *leader.borrow_and_update();
                let Some(port) = to else { continue };
                count.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(async move {
                    tokio::select! {
                        () = forward(inside, port) => {}
                        _ = leader.changed() => {}
                    }
                });
            }
        });
        Ok(Self { port, opened, tasks: [looking, forwarding] })
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

async fn forward(mut inside: TcpStream, port: u16) {
    if let Ok(mut outside) = TcpStream::connect(("127.0.0.1", port)).await {
        let _ = (inside.set_nodelay(true), outside.set_nodelay(true));
        let _ = copy_bidirectional(&mut inside, &mut outside).await;
    }
}

/// The port of the leader's PostgreSQL.
async fn find_leader(nodes: &[Node]) -> Option<u16> {
    for node in nodes {
        if says_yes(node.api, "/primary").await {
            return Some(node.postgres);
        }
    }
    None
}

/// Does Patroni answer this with 200?
pub async fn says_yes(api: u16, path: &str) -> bool {
    let asked = async {
        let mut stream = TcpStream::connect(("127.0.0.1", api)).await.ok()?;
        stream.write_all(format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes()).await.ok()?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.ok()?;
        let line = String::from_utf8_lossy(&answer);
        Some(line.split_whitespace().nth(1) == Some("200"))
    };
    matches!(timeout(ANSWER, asked).await, Ok(Some(true)))
}

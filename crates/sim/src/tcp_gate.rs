//! A gate on TCP between a kiosk and central that spoils the network: refused, silent, cut,
//! stalled, slow, a captive portal, another central behind it. It forwards bytes it cannot
//! read; it never ends TLS between the two, and knows nothing of the protocol.

use std::io::{Error, Result};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream, tcp};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;

/// What happens to a connection, from its first byte to its last.
#[derive(Clone)]
pub enum Behaviour {
    Pass,
    /// Nobody listens.
    Refuse,
    /// Connections are taken, and nothing ever comes back.
    BlackHole,
    /// The answer ends after this many bytes: the connection is closed.
    Cut(usize),
    /// The answer stops after this many bytes: the connection stays.
    Stall(usize),
    /// A thin line: bits a second each way, and this long on the way.
    Slow {
        bits_per_s: u32,
        latency: Duration,
    },
    /// A hotel's page for whatever is asked, over this TLS or none.
    Portal(Option<TlsAcceptor>),
}

/// What [`Behaviour::Portal`] says.
const PORTAL: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 33\r\n\
connection: close\r\n\r\n<html><h1>Wi-Fi gratuit</h1></ht>";
/// Bytes carried at once.
const CHUNK: usize = 1024;
/// Chunks on their way over a slow line: 64 KiB, as a home router holds.
const ON_THE_WAY: usize = 64;
/// Bytes of a client's stream kept, to be sent again.
const KEPT: usize = 64 * 1024;
/// A TLS record of application data longer than this is a request and not the handshake's
/// last message (RFC 8446, 4.4.4: 74 bytes at most).
const REQUEST_RECORD: usize = 100;

#[derive(Clone)]
struct Rule {
    behaviour: Behaviour,
    upstream: SocketAddr,
}

#[derive(Default)]
struct Seen {
    accepted: AtomicUsize,
    /// Bytes the newest connection was answered after its first request.
    answered: AtomicUsize,
    /// What the newest connection's client sent.
    sent: Mutex<Vec<u8>>,
}

/// The gate; dropped, it closes with every connection through it.
pub struct TcpGate {
    port: u16,
    rule: watch::Sender<Rule>,
    seen: Arc<Seen>,
    task: JoinHandle<()>,
}

impl TcpGate {
    /// Opens on a free port of this machine, passing to `upstream`.
    ///
    /// # Errors
    /// No port is free.
    pub fn open(upstream: SocketAddr) -> Result<Self> {
        let listener = bind(0)?.listen(1024)?;
        let port = listener.local_addr()?.port();
        let (rule, watched) = watch::channel(Rule { behaviour: Behaviour::Pass, upstream });
        let seen = Arc::new(Seen::default());
        let task = tokio::spawn(run(listener, port, watched, Arc::clone(&seen)));
        Ok(Self { port, rule, seen, task })
    }

    /// Where a kiosk finds it.
    #[must_use]
    pub fn url(&self) -> String {
        format!("https://localhost:{}", self.port)
    }

    /// From now on; connections that stand are ended.
    pub fn set(&self, behaviour: Behaviour) {
        self.rule.send_modify(|rule| rule.behaviour = behaviour);
    }

    /// Another central behind it from now on; connections that stand are ended.
    pub fn lead_to(&self, upstream: SocketAddr) {
        self.rule.send_modify(|rule| rule.upstream = upstream);
    }

    /// Connections taken so far.
    #[must_use]
    pub fn accepted(&self) -> usize {
        self.seen.accepted.load(Ordering::SeqCst)
    }

    /// Bytes the newest connection was answered after its first request, ciphertext.
    #[must_use]
    pub fn answered(&self) -> usize {
        self.seen.answered.load(Ordering::SeqCst)
    }

    /// What the newest connection's client sent, ciphertext.
    #[must_use]
    pub fn sent(&self) -> Vec<u8> {
        self.seen.sent.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for TcpGate {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn bind(port: u16) -> Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind((Ipv4Addr::LOCALHOST, port).into())?;
    Ok(socket)
}

async fn run(listener: TcpListener, port: u16, mut rule: watch::Receiver<Rule>, seen: Arc<Seen>) {
    let mut listener = Some(listener);
    loop {
        let now = rule.borrow_and_update().clone();
        if matches!(now.behaviour, Behaviour::Refuse) {
            listener = None;
            // A port bound and not listened on refuses, and nobody else takes it.
            let held = bind(port);
            if rule.changed().await.is_err() {
                return;
            }
            drop(held);
            continue;
        }
        let open = match listener.take() {
            Some(open) => open,
            None => match bind(port).and_then(|socket| socket.listen(1024)) {
                Ok(open) => open,
                Err(_) => return,
            },
        };
        tokio::select! {
            changed = rule.changed() => if changed.is_err() { return },
            taken = open.accept() => if let Ok((stream, _)) = taken {
                seen.accepted.fetch_add(1, Ordering::SeqCst);
                let (mut watched, seen) = (rule.clone(), Arc::clone(&seen));
                // What holds now, not what held when the wait for it began.
                let now = watched.borrow_and_update().clone();
                tokio::spawn(async move {
                    tokio::select! {
                        // The sender gone is the gate gone.
                        _ = watched.changed() => {}
                        _ = connection(stream, now, seen) => {}
                    }
                });
            },
        }
        listener = Some(open);
    }
}

async fn connection(mut client: TcpStream, rule: Rule, seen: Arc<Seen>) -> Result<()> {
    client.set_nodelay(true)?;
    match rule.behaviour {
        Behaviour::Refuse => return Ok(()),
        Behaviour::BlackHole => {
            let mut sink = [0; CHUNK];
            while client.read(&mut sink).await? > 0 {}
            return Ok(());
        }
        Behaviour::Portal(None) => return portal(client).await,
        Behaviour::Portal(Some(tls)) => return portal(tls.accept(client).await?).await,
        Behaviour::Pass | Behaviour::Cut(_) | Behaviour::Stall(_) | Behaviour::Slow { .. } => {}
    }
    let mut central = TcpStream::connect(rule.upstream).await?;
    central.set_nodelay(true)?;
    let (asked, answered) = (client.split(), central.split());
    if let Behaviour::Slow { bits_per_s, latency } = rule.behaviour {
        let line = (bits_per_s, latency);
        tokio::try_join!(slowly(asked.0, answered.1, line), slowly(answered.0, asked.1, line))?;
        return Ok(());
    }
    let asking = watch::channel(false);
    lock(&seen).clear();
    seen.answered.store(0, Ordering::SeqCst);
    tokio::try_join!(
        questions(asked.0, answered.1, &asking.0, &seen),
        answers(answered.0, asked.1, &asking.1, (&rule.behaviour, &seen)),
    )?;
    Ok(())
}

fn lock(seen: &Seen) -> std::sync::MutexGuard<'_, Vec<u8>> {
    seen.sent.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn portal<S: tokio::io::AsyncRead + AsyncWrite + Unpin>(mut client: S) -> Result<()> {
    let mut asked = [0; CHUNK];
    if client.read(&mut asked).await? > 0 {
        client.write_all(PORTAL).await?;
    }
    client.shutdown().await
}

/// From the client, watching for its first request.
async fn questions(
    mut from: tcp::ReadHalf<'_>,
    mut to: tcp::WriteHalf<'_>,
    asking: &watch::Sender<bool>,
    seen: &Seen,
) -> Result<()> {
    let mut records = Records::default();
    let mut chunk = [0; 16 * CHUNK];
    loop {
        let n = from.read(&mut chunk).await?;
        let Some(bytes) = chunk.get(..n).filter(|bytes| !bytes.is_empty()) else {
            return to.shutdown().await;
        };
        {
            let mut sent = lock(seen);
            let room = KEPT.saturating_sub(sent.len());
            sent.extend(bytes.iter().take(room));
        }
        if records.hold_a_request(bytes) {
            asking.send_replace(true);
        }
        to.write_all(bytes).await?;
    }
}

/// From central, as far as the behaviour lets it through.
async fn answers(
    mut from: tcp::ReadHalf<'_>,
    mut to: tcp::WriteHalf<'_>,
    asking: &watch::Receiver<bool>,
    (behaviour, seen): (&Behaviour, &Seen),
) -> Result<()> {
    let mut chunk = [0; 16 * CHUNK];
    loop {
        let n = from.read(&mut chunk).await?;
        let Some(bytes) = chunk.get(..n).filter(|bytes| !bytes.is_empty()) else {
            return to.shutdown().await;
        };
        if !*asking.borrow() {
            to.write_all(bytes).await?;
            continue;
        }
        let before = seen.answered.fetch_add(n, Ordering::SeqCst);
        let most = match behaviour {
            Behaviour::Cut(most) | Behaviour::Stall(most) => most.saturating_sub(before),
            _ => n,
        };
        to.write_all(bytes.get(..most).unwrap_or(bytes)).await?;
        if most < n {
            if matches!(behaviour, Behaviour::Stall(_)) {
                std::future::pending::<()>().await;
            }
            return Err(Error::other("cut"));
        }
    }
}

/// One way of a thin line: each chunk leaves when the line is free and arrives later.
async fn slowly(
    mut from: tcp::ReadHalf<'_>,
    mut to: tcp::WriteHalf<'_>,
    (bits_per_s, latency): (u32, Duration),
) -> Result<()> {
    let (send, mut on_the_way) = mpsc::channel::<(Instant, Vec<u8>)>(ON_THE_WAY);
    let taking = async {
        let mut free = Instant::now();
        let mut chunk = [0; CHUNK];
        loop {
            let n = from.read(&mut chunk).await?;
            let Some(bytes) = chunk.get(..n).filter(|bytes| !bytes.is_empty()) else { break };
            let long = Duration::from_secs_f64(n as f64 * 8.0 / f64::from(bits_per_s));
            free = free.max(Instant::now()) + long;
            if send.send((free + latency, bytes.to_vec())).await.is_err() {
                break;
            }
        }
        drop(send);
        Ok::<_, Error>(())
    };
    let giving = async {
        while let Some((at, bytes)) = on_the_way.recv().await {
            tokio::time::sleep_until(at).await;
            to.write_all(&bytes).await?;
        }
        to.shutdown().await
    };
    tokio::try_join!(taking, giving)?;
    Ok(())
}

/// Reads record headers of a TLS stream (RFC 8446, 5.1), wherever they are split.
#[derive(Default)]
struct Records {
    header: Vec<u8>,
    body: usize,
}

impl Records {
    /// Does a request begin in these bytes?
    fn hold_a_request(&mut self, bytes: &[u8]) -> bool {
        let mut found = false;
        for byte in bytes {
            if self.body > 0 {
                self.body -= 1;
                continue;
            }
            self.header.push(*byte);
            if let [kind, _, _, high, low] = *self.header.as_slice() {
                self.body = usize::from(u16::from_be_bytes([high, low]));
                // 23 is application data.
                found |= kind == 23 && self.body > REQUEST_RECORD;
                self.header.clear();
            }
        }
        found
    }
}

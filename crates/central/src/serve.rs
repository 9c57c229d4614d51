//! Listening over TLS. A handshake never holds up another: each has its own task and a
//! time limit.

use axum::Router;
use axum::serve::Listener;
use rustls::ServerConfig;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::{TlsAcceptor, server::TlsStream};

/// Longest a TLS handshake may take.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(10);
/// Handshaken connections that may wait to be served.
const BACKLOG: usize = 1024;

/// Serves `router` on `listener` until `stop` resolves; requests under way are finished.
///
/// # Errors
/// The listener fails for good.
pub async fn serve(
    router: Router,
    listener: TcpListener,
    tls: ServerConfig,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let listener = TlsListener::new(listener, tls)?;
    axum::serve(listener, router).with_graceful_shutdown(stop).await
}

/// Why the certificate and its key are not used. Each names the file to look at.
#[derive(Debug, thiserror::Error)]
pub enum TlsRefusal {
    #[error("the {what} file {file} cannot be read; give another, or let this user read it")]
    Unreadable { what: &'static str, file: String, source: std::io::Error },
    #[error("{file} holds no {what} in PEM form")]
    NotPem { what: &'static str, file: String },
    #[error("the key in {key} is not the key of the certificate in {cert}, or neither can serve TLS")]
    Apart { cert: String, key: String, source: rustls::Error },
}

/// Reads a certificate chain and its key from PEM files.
///
/// # Errors
/// See [`TlsRefusal`].
pub fn tls_config(cert: &Path, key: &Path) -> Result<ServerConfig, TlsRefusal> {
    let named = |file: &Path| file.display().to_string();
    let chain = CertificateDer::pem_file_iter(cert)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| pem_refusal("certificate", cert, error))?;
    if chain.is_empty() {
        return Err(TlsRefusal::NotPem { what: "certificate", file: named(cert) });
    }
    let secret = PrivateKeyDer::from_pem_file(key).map_err(|error| pem_refusal("private key", key, error))?;
    ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, secret)
        .map_err(|source| TlsRefusal::Apart { cert: named(cert), key: named(key), source })
}

fn pem_refusal(what: &'static str, file: &Path, error: pem::Error) -> TlsRefusal {
    let file = file.display().to_string();
    match error {
        pem::Error::Io(source) => TlsRefusal::Unreadable { what, file, source },
        _ => TlsRefusal::NotPem { what, file },
    }
}

struct TlsListener {
    ready: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
    local: SocketAddr,
}

impl TlsListener {
    fn new(listener: TcpListener, tls: ServerConfig) -> io::Result<Self> {
        let local = listener.local_addr()?;
        let (send, ready) = mpsc::channel(BACKLOG);
        let acceptor = TlsAcceptor::from(Arc::new(tls));
        tokio::spawn(async move {
            loop {
                let (stream, from) = match listener.accept().await {
                    Ok(accepted) => accepted,
                    Err(error) => {
                        // Out of file descriptors, most likely: give others time to close.
                        tracing::warn!(%error, "accept failed");
                        tokio::time::sleep(Duration::from_millis(100)).await;
                        continue;
                    }
                };
                if send.is_closed() {
                    return;
                }
                let (acceptor, send) = (acceptor.clone(), send.clone());
                tokio::spawn(async move {
                    let _ = stream.set_nodelay(true);
                    if let Ok(Ok(stream)) =
                        tokio::time::timeout(HANDSHAKE_LIMIT, acceptor.accept(stream)).await
                    {
                        let _ = send.send((stream, from)).await;
                    }
                });
            }
        });
        Ok(Self { ready, local })
    }
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.ready.recv().await {
            Some(accepted) => accepted,
            // The accepting task ended with the runtime: nothing more will come.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        Ok(self.local)
    }
}

//! What a listener on the line caught, sent again: refused by TLS; and whole signed requests,
//! caught where TLS ends, which change nothing the second time.

use crate::ground::{Ground, bytes, connector, raw};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::request::Parts;
use axum::middleware::{self, Next};
use journeys::counter::Listening;
use journeys::programs::WAIT;
use journeys::tls;
use sqlx::{AssertSqlSafe, Row};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

#[tokio::test]
async fn a_caught_stream_sent_again_is_refused_by_tls() {
    let ground = Ground::start().await;
    ground.register().await;
    ground.kiosk().exchange().await.unwrap();
    let (caught, before) = (ground.gate.sent(), everything(&ground.pool).await);
    assert!(caught.len() > 1_000, "a whole exchange was caught");
    // Central itself: it hangs up, and nothing has changed.
    let mut stream = TcpStream::connect(ground.counter.own.address).await.unwrap();
    stream.write_all(&caught).await.unwrap();
    let mut answer = Vec::new();
    let ended = tokio::time::timeout(WAIT, stream.read_to_end(&mut answer)).await;
    assert!(ended.is_ok(), "it hangs up");
    same(&everything(&ground.pool).await, &before);
    // Its certificate and its settings, where the reason is seen.
    let folder = ground.counter.folder.path();
    let config = central::serve::tls_config(&folder.join(tls::CERT), &folder.join(tls::KEY)).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut again = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    again.write_all(&caught).await.unwrap();
    let (stream, _) = listener.accept().await.unwrap();
    let refusal = TlsAcceptor::from(Arc::new(config)).accept(stream).await.map(drop).unwrap_err();
    assert!(refusal.to_string().contains("decrypt"), "{refusal}");
}

type Caught = Arc<Mutex<Vec<(Parts, Vec<u8>)>>>;

#[tokio::test]
async fn a_caught_signed_request_sent_again_changes_nothing() {
    let page = tempfile::tempdir().unwrap();
    std::fs::write(page.path().join("page.jpg"), crate::noise()).unwrap();
    let ground = Ground::with_scanner(Some(format!("file:{}", page.path().display()))).await;
    let caught = Caught::default();
    let lay = |router: Router| {
        let caught = Arc::clone(&caught);
        router.layer(middleware::from_fn(move |request, next| catch(Arc::clone(&caught), request, next)))
    };
    let listening = Listening::with(ground.pool.clone(), ground.counter.folder.path(), lay).await.unwrap();
    ground.turn_to(listening.address).await;
    for _ in 0..2 {
        let visit = ground.draft().await;
        ground.kiosk().scan_page(&visit).await.unwrap();
        ground.kiosk().confirm(&visit).await.unwrap();
        ground.kiosk().exchange().await.unwrap();
    }
    let before = everything(&ground.pool).await;
    let all = std::mem::take(&mut *caught.lock().unwrap());
    let paths: BTreeSet<&str> = all.iter().map(|(parts, _)| parts.uri.path().get(..9).unwrap()).collect();
    let every = ["/v1/change", "/v1/journa", "/v1/lease", "/v1/pieces", "/v1/regist"].map(|path| &path[..9]);
    assert_eq!(paths.into_iter().collect::<Vec<_>>(), every, "every kind of request was caught");
    let tls = connector(&ground.ca());
    // In the order they were, then backwards.
    for (parts, body) in all.iter().chain(all.iter().rev()) {
        let (status, answer) = raw(ground.counter.own.address, &tls, &bytes(parts, body)).await.unwrap();
        let said = String::from_utf8_lossy(&answer).into_owned();
        // An upload says that it stands elsewhere.
        assert!(status < 300 || status == 409, "{} {}: {status} {said}", parts.method, parts.uri);
    }
    same(&everything(&ground.pool).await, &before);
    ground.ends_with_what_was_printed().await;
}

async fn catch(caught: Caught, request: Request, next: Next) -> axum::response::Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 32 << 20).await.unwrap().to_vec();
    caught.lock().unwrap().push((parts.clone(), body.clone()));
    next.run(Request::from_parts(parts, Body::from(body))).await
}

/// The first difference is told, and not the whole.
#[track_caller]
fn same(now: &[String], before: &[String]) {
    let other = now.iter().find(|row| !before.contains(row));
    assert!(now == before, "{:.300}", other.map_or("rows are gone", String::as_str));
}

/// Every row of every table, as text.
async fn everything(pool: &central::Pool) -> Vec<String> {
    // Each time it is heard is an entry of its own in the audit journal, and rightly so.
    let tables = "SELECT table_name::text FROM information_schema.tables \
                  WHERE table_schema = 'public' AND table_name NOT LIKE 'audit%' ORDER BY 1";
    let mut all = Vec::new();
    for table in sqlx::query(tables).fetch_all(pool).await.unwrap() {
        let name: String = table.get(0);
        // When a kiosk was last heard is no more than that.
        let rows = format!("SELECT (to_jsonb(r) - 'heard_s')::text FROM \"{name}\" AS r ORDER BY 1");
        let rows = sqlx::query(AssertSqlSafe(rows)).fetch_all(pool).await.unwrap();
        all.extend(rows.iter().map(|row| format!("{name}: {}", row.get::<String, _>(0))));
    }
    all
}

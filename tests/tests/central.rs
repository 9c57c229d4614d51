#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test that fails here has failed
//! Central's router on a real PostgreSQL: what strangers get, and that the description it
//! serves is the one kept in docs/openapi.json.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use central::{Central, ROUTES};
use journeys::stand::postgres::Postgres;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use tower::ServiceExt as _;

async fn router(folder: &Path, postgres: &Postgres) -> Router {
    let pool = central::connect(&postgres.database("central").unwrap()).await.unwrap();
    central::migrate(&pool).await.unwrap();
    let keys = folder.join("keys");
    std::fs::create_dir_all(&keys).unwrap();
    let (clock, random) = (central::system_clock(), central::system_random());
    central::keys::make(&keys, clock(), &random).unwrap();
    let keys = central::keys::CentralKeys::load(&keys).unwrap();
    central::router(Central::new(pool, keys, clock, random).await.unwrap())
}

async fn ask(router: &Router, method: &str, target: &str, body: Vec<u8>) -> (StatusCode, Value) {
    let request = Request::builder().method(method).uri(target).body(Body::from(body)).unwrap();
    let response = router.clone().oneshot(request).await.unwrap();
    let status = response.status();
    let bytes = to_bytes(response.into_body(), 1 << 20).await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
}

#[tokio::test]
async fn strangers_are_refused_by_name_and_the_description_is_the_kept_one() {
    let folder = tempfile::tempdir().unwrap();
    let postgres = Postgres::start(folder.path()).unwrap();
    let router = router(folder.path(), &postgres).await;
    assert_eq!(ask(&router, "GET", "/healthz", Vec::new()).await.0, StatusCode::OK);

    let deep = "[".repeat(100_000).into_bytes();
    let bodies =
        [Vec::new(), vec![b'x'; 9 << 20], b"<html>".to_vec(), deep, br#"{"code":"' OR 1=1 --"}"#.to_vec()];
    for (target, methods) in ROUTES {
        if matches!(target, "/healthz" | "/v1/openapi.json" | "/v1/enrol") {
            continue;
        }
        for method in methods.iter().filter(|method| **method != "options") {
            let desk = target.starts_with("/v1/tasks");
            let target = target.replace("{page}", &"0".repeat(32)).replace("{sha256}", &"0".repeat(64));
            let (target, code) =
                (target.replace("{task}", "1"), if desk { "no_agent" } else { "not_enrolled" });
            for body in &bodies {
                let (status, problem) = ask(&router, &method.to_uppercase(), &target, body.clone()).await;
                assert_eq!(status, StatusCode::UNAUTHORIZED, "{method} {target}");
                assert!(*method == "head" || problem["code"] == code, "{method} {target} {problem}");
            }
        }
    }
    for body in bodies {
        let wanted = if body.len() > wire::limits::MESSAGE_BYTES { "too_large" } else { "bad_body" };
        assert_eq!(ask(&router, "POST", "/v1/enrol", body).await.1["code"], wanted);
    }

    let served = ask(&router, "GET", "/v1/openapi.json", Vec::new()).await.1;
    let paths: BTreeMap<&str, Vec<&str>> = served["paths"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(path, acts)| {
            let acts =
                acts.as_object().unwrap().keys().map(String::as_str).filter(|key| *key != "parameters");
            (path.as_str(), acts.collect())
        })
        .collect();
    for (path, methods) in ROUTES {
        let mut methods = methods.to_vec();
        methods.sort_unstable();
        assert_eq!(paths.get(path), Some(&methods), "{path}");
    }
    assert_eq!(paths.len(), ROUTES.len());
    let kept = Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("../docs/openapi.json");
    let text = serde_json::to_string_pretty(&served).unwrap();
    if std::env::var_os("JALON_KEEP").is_some() {
        std::fs::write(&kept, format!("{text}\n")).unwrap();
    }
    assert_eq!(
        std::fs::read_to_string(&kept).unwrap_or_default().trim_end(),
        text,
        "JALON_KEEP=1 keeps the new one"
    );
}

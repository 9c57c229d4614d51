//! Central held against its own OpenAPI description by schemathesis: what is described is
//! sent, as an enrolled kiosk would sign it, and every answer must be one that is described.

use crate::device::{Device, Service};
use crate::programs::{Failure, fail};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use clap::Args;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt as _, BufReader};

/// Longest run, in seconds: the fixed cases come first, then drawn ones until then.
const LONGEST_S: &str = "60";

/// Every path and method, but `OPTIONS`, which schemathesis does not send by itself.
const OPERATIONS: u64 = 13;

#[derive(Args)]
pub struct Described {
    /// The schemathesis program.
    #[arg(long)]
    program: PathBuf,
    /// Tries of each operation.
    #[arg(long, default_value = "20")]
    examples: u32,
}

/// Answers false when an answer was not as described. The last line counts operations.
///
/// # Errors
/// Central or schemathesis does not start.
pub fn run(asked: &Described) -> Result<bool, Failure> {
    tokio::runtime::Runtime::new()?.block_on(check(asked))
}

async fn check(asked: &Described) -> Result<bool, Failure> {
    let service = Service::start().await?;
    let device = Arc::new(service.device("ONE", 1).await?);
    let now = service.now();
    let sign = move |request: Request, next: Next| sign(Arc::clone(&device), now, request, next);
    let router: Router = service.router.clone().layer(middleware::from_fn(sign));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = format!("http://{}/v1/openapi.json", listener.local_addr()?);
    let serving = tokio::spawn(async move { axum::serve(listener, router).await });
    let examples = asked.examples.to_string();
    // It keeps what it did in the folder it runs in.
    let folder = tempfile::tempdir()?;
    let mut child = tokio::process::Command::new(&asked.program)
        .args(["run", &address, "--no-color", "--seed", "1", "--generation-deterministic"])
        .args(["--phases", "examples,coverage,fuzzing"])
        .args(["--max-examples", &examples, "--max-time", LONGEST_S, "--request-timeout", "20"])
        .args(["--continue-on-failure", "--warnings", "off"])
        .args(["--checks", "not_a_server_error,status_code_conformance,content_type_conformance"])
        .args(["--checks", "response_headers_conformance,response_schema_conformance"])
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let out = child.stdout.take().ok_or_else(|| fail("schemathesis says nothing"))?;
    let mut lines = BufReader::new(out).lines();
    let mut tested = 0_u64;
    while let Some(line) = lines.next_line().await? {
        if let Some(count) = line.trim().strip_prefix("Tested:").and_then(|text| text.trim().parse().ok()) {
            tested = count;
        }
        println!("{line}");
    }
    let status = child.wait().await?;
    serving.abort();
    // What schemathesis did not test is no pass.
    let failed = u64::from(!status.success() || tested < OPERATIONS);
    println!("{} passed, {failed} failed", if failed > 0 { 0 } else { tested });
    Ok(failed == 0)
}

/// Every request is this kiosk's, signed over what it says.
async fn sign(device: Arc<Device>, now: jiff::Timestamp, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, 64 << 20).await else {
        return axum::http::StatusCode::BAD_REQUEST.into_response();
    };
    let target = parts.uri.path_and_query().map_or("/", |target| target.as_str()).to_owned();
    if let Ok(signed) = device.request(now, parts.method.as_str(), &target, body.to_vec()) {
        for (name, value) in signed.headers() {
            parts.headers.insert(name, value.clone());
        }
    }
    next.run(Request::from_parts(parts, Body::from(body))).await
}

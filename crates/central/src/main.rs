//! `central serve | migrate | admin …`: runs what was typed, and nothing but it.

mod command_line;
mod database;
mod stop;

use central::admin::{self, NewSite};
use central::keys::{self, CentralKeys, KeysFailure};
use central::lease_log::{LeaseLog, LeaseLogFailure};
use central::{Central, system_clock, system_random};
use clap::Parser as _;
use command_line::{Act, Cli, Command};
use domain::calendar::{Closure, Pattern};
use std::io::{IsTerminal as _, Read as _, Write as _};
use std::path::Path;
use std::process::ExitCode;
use stop::{Stop, say};

/// Most bytes read as a PIN.
const PIN_BYTES: u64 = 64;

#[tokio::main]
async fn main() -> ExitCode {
    // First of all: the graph must never choose a provider by itself.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut filter = tracing_subscriber::EnvFilter::try_from_env("JALON_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info,sqlx=warn"));
    // sqlx repeats the parts of a URL that it does not know, and one may be a password.
    if let Ok(quiet) = "sqlx_postgres::options=off".parse() {
        filter = filter.add_directive(quiet);
    }
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false).init();
    match run(Cli::parse().command).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(stop) => stop.told(),
    }
}

async fn run(command: Command) -> Result<(), Stop> {
    match command {
        Command::Serve { listen, database, tls_cert, tls_key, keys, lease_log } => {
            let tls = central::serve::tls_config(&tls_cert, &tls_key).map_err(|refusal| {
                let stop = Stop::missing(refusal.to_string());
                match std::error::Error::source(&refusal) {
                    Some(cause) => stop.because(cause.to_string()),
                    None => stop,
                }
            })?;
            let keys = CentralKeys::load(&keys).map_err(|failure| no_keys(&keys, failure))?;
            let pool = database::ready(&database.url).await?;
            let central = Central::new(pool, keys, system_clock(), system_random())
                .await
                .map_err(|error| Stop::failed("the database failed").because(error))?;
            let central = match lease_log {
                Some(path) => follow(central, &path).await?,
                None => central,
            };
            let cannot = |error| {
                Stop::missing(format!("cannot listen on {listen}; choose another --listen")).because(error)
            };
            let listener = tokio::net::TcpListener::bind(listen).await.map_err(cannot)?;
            let local = listener.local_addr().map_err(cannot)?;
            // Kiosks are answered whether or not anybody reads this.
            let _ = say(&format!("listening on {local}"));
            central::serve::serve(central::router(central), listener, tls, ended())
                .await
                .map_err(|error| Stop::failed("central stopped answering").because(error))
        }
        Command::Migrate { database } => {
            let pool = database::open(&database.url).await?;
            Ok(central::migrate(&pool).await?)
        }
        Command::Admin { act } => say(&admin(act).await?.to_string()),
    }
}

async fn admin(act: Act) -> Result<serde_json::Value, Stop> {
    let today = || jiff::Zoned::now().date();
    let answer = match act {
        Act::Keys { out, add_delivery } => return make_keys(&out, add_delivery),
        Act::Import { database, file, keys } => return import(&database.url, &file, &keys).await,
        Act::Site { database, id, name, address, phone, zone, holidays, site_key, lease_slots, from } => {
            let from = from.unwrap_or_else(today);
            let site = NewSite { id, name, address, phone, zone, holidays, site_key, lease_slots, from };
            admin::site(&database::ready(&database.url).await?, &site).await?
        }
        Act::Counter { database, site, name, weekdays, opens, closes, every_minutes, from } => {
            let from = from.unwrap_or_else(today);
            let pattern = Pattern { weekdays, opens, closes, every_minutes, from, until: None };
            admin::counter(&database::ready(&database.url).await?, &site, &name, &[pattern]).await?
        }
        Act::Closure { database, site, first, last } => {
            let closure = Closure { first, last };
            admin::closure(&database::ready(&database.url).await?, &site, closure).await?
        }
        Act::Code { database, site } => {
            let pool = database::ready(&database.url).await?;
            admin::code(&pool, &site, jiff::Timestamp::now(), &system_random()).await?
        }
        Act::Mediator { database, site, id, name } => {
            let pool = database::ready(&database.url).await?;
            let pin = read_pin()?;
            admin::mediator(&pool, &site, &id, &name, pin.trim(), &system_random()).await?
        }
        Act::Kiosks { database, site, release, lost } => {
            let pool = database::ready(&database.url).await?;
            match (release, lost) {
                (Some(kiosk), _) => admin::release_kiosk(&pool, &site, &kiosk).await?,
                (None, Some(kiosk)) => {
                    admin::lose_kiosk(&pool, &site, &kiosk, system_clock()().as_second()).await?
                }
                (None, None) => admin::kiosks(&pool, &site).await?,
            }
        }
        Act::LeaseLog { database, accept } => {
            let pool = database::ready(&database.url).await?;
            if accept { admin::accept_lease_log(&pool).await? } else { admin::lease_log(&pool).await? }
        }
        Act::Durable { database, until } => {
            admin::durable(&database::ready(&database.url).await?, until, jiff::Timestamp::now()).await?
        }
        Act::Papers { database, site, recovery } => {
            let pool = database::ready(&database.url).await?;
            match recovery {
                Some(recovery) => admin::open_papers(&pool, &site, &recovery).await?,
                None => admin::papers(&pool, &site).await?,
            }
        }
        Act::Lease { database, site } => admin::leases(&database::ready(&database.url).await?, &site).await?,
        Act::Registrations { database, site } => {
            admin::registrations(&database::ready(&database.url).await?, &site).await?
        }
        Act::Pieces { database, code, out } => {
            admin::pieces(&database::ready(&database.url).await?, &code, &out).await?
        }
    };
    Ok(answer)
}

/// Never an argument: arguments are in the process list.
fn read_pin() -> Result<String, Stop> {
    let input = std::io::stdin();
    if input.is_terminal() {
        let _ =
            std::io::stderr().write_all(b"central: type the PIN (4 to 12 digits), then Enter and Ctrl-D\n");
    }
    let mut pin = Vec::new();
    input
        .take(PIN_BYTES)
        .read_to_end(&mut pin)
        .map_err(|error| Stop::failed("the PIN could not be read from standard input").because(error))?;
    // What is not text is not digits either: the act refuses it.
    Ok(String::from_utf8_lossy(&pin).into_owned())
}

/// Prints what became of every record before it says that some were refused.
async fn import(url: &str, file: &Path, keys: &Path) -> Result<serde_json::Value, Stop> {
    if !file.exists() {
        return Err(Stop::missing(format!("there is no file {}; correct its path", file.display())));
    }
    let keys = CentralKeys::load(keys).map_err(|failure| no_keys(keys, failure))?;
    let pool = database::ready(url).await?;
    let central = Central::new(pool, keys, system_clock(), system_random())
        .await
        .map_err(|error| Stop::failed("the database failed").because(error))?;
    let taken = admin::import(&central, file).await?;
    let [[_, _, records], [_, _, pages]] = taken.counts();
    let answer = serde_json::to_value(&taken)
        .map_err(|error| Stop::failed("the answer cannot be written").because(error))?;
    if records + pages == 0 {
        return Ok(answer);
    }
    say(&answer.to_string())?;
    Err(Stop::refused(format!(
        "{records} records and {pages} pages were refused, each with its reason; the rest is kept"
    )))
}

fn make_keys(out: &Path, add_delivery: bool) -> Result<serde_json::Value, Stop> {
    let shown = out.display();
    std::fs::create_dir_all(out)
        .map_err(|error| Stop::failed(format!("cannot make the folder {shown}")).because(error))?;
    let (now, random) = (jiff::Timestamp::now(), system_random());
    let made =
        if add_delivery { keys::add_delivery(out, now, &random) } else { keys::make(out, now, &random) };
    match made {
        Ok(()) => Ok(serde_json::json!({ "keys": shown.to_string() })),
        Err(KeysFailure::Io { source, .. }) if source.kind() == std::io::ErrorKind::AlreadyExists => {
            Err(Stop::refused(format!(
                "{shown} holds keys already, and keys are never overwritten; give another folder"
            )))
        }
        Err(failure) => Err(Stop::failed(format!("no keys were made in {shown}")).because(failure)),
    }
}

fn no_keys(folder: &Path, failure: KeysFailure) -> Stop {
    Stop::missing(format!(
        "{folder} is not a folder of central's keys; correct --keys, or make them with \
         central admin keys --out {folder}",
        folder = folder.display()
    ))
    .because(failure)
}

async fn follow(central: Central, path: &Path) -> Result<Central, Stop> {
    let named = path.display().to_string();
    let log = LeaseLog::open(path, &system_random()).map_err(|failure| match failure {
        LeaseLogFailure::Damaged(line) => Stop::failed(format!(
            "the lease log {named} is damaged at line {line}; keep the file, give --lease-log another one, and only \
             extra slots are given until central admin lease-log --accept"
        )),
        failure => {
            Stop::missing(format!("the lease log {named} cannot be used; correct --lease-log")).because(failure)
        }
    })?;
    central
        .following(log)
        .await
        .map_err(|refusal| Stop::failed("the lease log cannot be followed").because(refusal))
}

/// Resolves when the process is told to end.
async fn ended() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
        }
        Err(_) => {
            let _ = tokio::signal::ctrl_c().await;
        }
    }
}

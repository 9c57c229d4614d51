//! `central serve | migrate | admin …`: runs what was typed, and nothing but it.

mod annul_line;
mod audit_line;
mod calendar_line;
mod cancel_line;
mod command_line;
mod database;
mod desk_line;
mod key_files;
mod presence_line;
mod stop;

use audit_line::AuditAct;
use central::admin::{self, NewSite, SiteChange};
use central::keys::{CentralKeys, KeysFailure};
use central::lease_log::{LeaseLog, LeaseLogFailure};
use central::{Central, system_clock, system_random};
use clap::Parser as _;
use command_line::{Act, Cli, Command};
use domain::audit::AGENT_MAX;
use domain::calendar::{Closure, SiteKind};
use jiff::ToSpan as _;
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
        Command::Serve {
            listen,
            database,
            tls_cert,
            tls_key,
            keys,
            lease_log,
            lease_log_lost,
            keep_days,
        } => {
            let tls = central::serve::tls_config(&tls_cert, &tls_key).map_err(|refusal| {
                let stop = Stop::missing(refusal.to_string());
                match std::error::Error::source(&refusal) {
                    Some(cause) => stop.because(cause.to_string()),
                    None => stop,
                }
            })?;
            let folder = keys;
            let keys = CentralKeys::load(&folder).map_err(|failure| no_keys(&folder, failure))?;
            if !keys.sign_at(jiff::Timestamp::now()) {
                return Err(Stop::missing(format!(
                    "the time of a key in {folder} is over or has not begun; look at this machine's clock, or make \
                     the next key with central admin renew-key --keys {folder}",
                    folder = folder.display()
                )));
            }
            let pool = database::ready(&database.url).await?;
            let central = Central::new(pool, keys, system_clock(), system_random())
                .await
                .map_err(|error| Stop::failed("the database failed").because(error))?;
            own_kiosks(&central, &folder).await?;
            no_retired_key(&central, &folder).await?;
            // Before anything is changed: another central may be serving there.
            let cannot = |error| {
                Stop::missing(format!("cannot listen on {listen}; choose another --listen")).because(error)
            };
            let listener = tokio::net::TcpListener::bind(listen).await.map_err(cannot)?;
            let local = listener.local_addr().map_err(cannot)?;
            let central = match lease_log {
                Some(path) => follow(central, &path, lease_log_lost).await?,
                None => without_log(central).await?,
            };
            if central.extras_only() {
                warn(
                    "only extra slots are given: the lease log this database has followed is lost; see central admin \
                     lease-log. If it is there after all, start with it",
                );
            }
            central.keep_audit();
            central.keep_offering();
            central.keep_dating();
            central.keep_redating();
            if let Some(days) = keep_days {
                central.keep_for(days);
            }
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
        Command::Admin { agent, act } => {
            let agent = agent.map(|name| one_line(&name)).transpose()?;
            say(&central::audit::administered(agent, admin(act)).await?.to_string())
        }
    }
}

/// The agent's name as the audit journal has it.
fn one_line(name: &str) -> Result<String, Stop> {
    domain::text::one_line(name, AGENT_MAX).map_err(|_| {
        Stop::refused(format!(
            "--agent is not a name; write one plain line of at most {AGENT_MAX} characters"
        ))
    })
}

async fn admin(act: Act) -> Result<serde_json::Value, Stop> {
    let today = || jiff::Zoned::now().date();
    let answer = match act {
        Act::Keys { out, add_delivery } => return key_files::make(&out, add_delivery),
        Act::Import { database, file, keys } => return import(&database.url, &file, &keys).await,
        Act::Site {
            database,
            id,
            name,
            address,
            phone,
            zone,
            holidays,
            site_key,
            lease_slots,
            kind,
            until,
            from,
        } => {
            let kind = SiteKind::parse(&kind, until).ok_or_else(|| {
                Stop::refused(
                    "a site is fixed, mobile, or temporary with its last day; correct --kind and --until",
                )
            })?;
            // Slots begin the day after.
            let from = from.map_or_else(today, |first| first.saturating_sub(1.days()));
            let site =
                NewSite { id, name, address, phone, zone, holidays, site_key, lease_slots, kind, from };
            admin::site(&database::ready(&database.url).await?, &site).await?
        }
        Act::Counter { database, site, name, hours } => {
            let pattern = calendar_line::pattern(hours, today())?;
            admin::counter(&database::ready(&database.url).await?, &site, &name, pattern.as_slice()).await?
        }
        Act::CounterChange { database, site, name, hours, add, end, seen } => {
            let change = calendar_line::change(hours, add, end, today())?;
            let pool = database::ready(&database.url).await?;
            admin::counter_change(&pool, &site, &name, &change, &seen.ask()).await?
        }
        Act::Closure { database, site, counter, first, last, remove, seen } => {
            let (closure, counter, ask) = (Closure { first, last }, counter.as_deref(), seen.ask());
            let pool = database::ready(&database.url).await?;
            match remove {
                true => admin::remove_closure(&pool, &site, counter, closure, &ask).await?,
                false => admin::closure(&pool, &site, counter, closure, &ask).await?,
            }
        }
        Act::Opening { database, site, counter, day, hours, remove: true, seen } => {
            calendar_line::no_hours(&hours)?;
            let pool = database::ready(&database.url).await?;
            admin::remove_opening(&pool, &site, &counter, &day, &seen.ask()).await?
        }
        Act::Opening { database, site, counter, day, hours, remove: false, seen } => {
            let openings = calendar_line::openings(&hours, &day)?;
            let pool = database::ready(&database.url).await?;
            admin::opening(&pool, &site, &counter, &openings, &seen.ask()).await?
        }
        Act::SiteDays { database, site, until, seen } => {
            admin::site_days(&database::ready(&database.url).await?, &site, until, &seen.ask()).await?
        }
        Act::Calendar { database, site } => {
            admin::calendar(&database::ready(&database.url).await?, &site).await?
        }
        Act::Redate { database, site, seen } => {
            admin::redate(&database::ready(&database.url).await?, &site, &seen.ask()).await?
        }
        Act::NoShow(asked) => asked.run().await?,
        Act::Annul(asked) => asked.run().await?,
        Act::Cancel(asked) => asked.run().await?,
        Act::Redated { database, site } => {
            let pool = database::ready(&database.url).await?;
            admin::redated(&pool, &site, jiff::Timestamp::now()).await?
        }
        Act::Unconfirmed { database, site } => {
            let pool = database::ready(&database.url).await?;
            admin::unconfirmed(&pool, &site, jiff::Timestamp::now()).await?
        }
        Act::Code { database, site } => {
            let pool = database::ready(&database.url).await?;
            admin::code(&pool, &site, jiff::Timestamp::now(), &system_random()).await?
        }
        Act::Mediator { database, site, id, name, supervisor, replace } => {
            let pool = database::ready(&database.url).await?;
            let pin = read_pin()?;
            let now = jiff::Timestamp::now();
            let told = admin::NewMediator { id: &id, name: &name, pin: pin.trim(), supervisor, replace };
            admin::mediator(&pool, &site, &told, now, &system_random()).await?
        }
        Act::Mediators { database, site } => {
            admin::mediators(&database::ready(&database.url).await?, &site).await?
        }
        Act::RemoveMediator { database, site, id } => {
            let pool = database::ready(&database.url).await?;
            admin::remove_mediator(&pool, &site, &id, jiff::Timestamp::now()).await?
        }
        Act::Kiosks { database, site, release, lost, retire, preview } => {
            let pool = database::ready(&database.url).await?;
            let now = jiff::Timestamp::now();
            match (release, lost, retire) {
                (None, Some(kiosk), _) | (None, None, Some(kiosk)) if preview => {
                    admin::preview_kiosk(&pool, &site, &kiosk, now).await?
                }
                (Some(kiosk), ..) => admin::release_kiosk(&pool, &site, &kiosk).await?,
                (None, Some(kiosk), _) => admin::lose_kiosk(&pool, &site, &kiosk, now).await?,
                (None, None, Some(kiosk)) => admin::retire_kiosk(&pool, &site, &kiosk, now).await?,
                (None, None, None) => admin::kiosks(&pool, &site).await?,
            }
        }
        Act::SiteChange {
            database,
            site,
            name,
            address,
            phone,
            department,
            per_hour_kiosk,
            per_hour_mediator,
        } => {
            let change = SiteChange { name, address, phone, per_hour_kiosk, per_hour_mediator, department };
            let pool = database::ready(&database.url).await?;
            admin::change_site(&pool, &site, &change, jiff::Timestamp::now()).await?
        }
        Act::Desk(act) => act.run().await?,
        Act::Lists { database, site, keys, out } => {
            let keys = CentralKeys::load(&keys).map_err(|failure| no_keys(&keys, failure))?;
            admin::signed_lists(&database::ready(&database.url).await?, &keys, &site, &out).await?
        }
        Act::Queue { database, site, procedure, keys, out } => {
            let keys = CentralKeys::load(&keys).map_err(|failure| no_keys(&keys, failure))?;
            let pool = database::ready(&database.url).await?;
            admin::queue(&pool, &keys, (&site, &procedure), &out, jiff::Timestamp::now()).await?
        }
        Act::Audit { act } => return audit(act).await,
        Act::RenewKey { keys, root, role } => return key_files::renew(&keys, &root, &role),
        Act::RetireKey { database, keys, key } => {
            let keys = CentralKeys::load(&keys).map_err(|failure| no_keys(&keys, failure))?;
            let pool = database::ready(&database.url).await?;
            admin::retire_key(&pool, &keys, &key, jiff::Timestamp::now()).await?
        }
        Act::LeaseLog { database, accept } => {
            let pool = database::ready(&database.url).await?;
            if accept { admin::accept_lease_log(&pool).await? } else { admin::lease_log(&pool).await? }
        }
        Act::Erase { database, before } => {
            admin::erase(&database::ready(&database.url).await?, before, today()).await?
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

async fn audit(act: AuditAct) -> Result<serde_json::Value, Stop> {
    let (AuditAct::Seal { database, keys }
    | AuditAct::Export { database, keys, .. }
    | AuditAct::Erase { database, keys, .. }) = &act;
    let keys = CentralKeys::load(keys).map_err(|failure| no_keys(keys, failure))?;
    let central = beside(&database.url, keys).await?;
    Ok(match act {
        AuditAct::Seal { .. } => admin::audit_seal(&central).await?,
        AuditAct::Export { out, .. } => admin::audit_export(&central, &out).await?,
        AuditAct::Erase { before, .. } => {
            admin::audit_erase(&central, before, jiff::Zoned::now().date()).await?
        }
    })
}

/// A central for one act, beside the one that runs.
async fn beside(url: &str, keys: CentralKeys) -> Result<Central, Stop> {
    Central::new(database::ready(url).await?, keys, system_clock(), system_random())
        .await
        .map_err(|error| Stop::failed("the database failed").because(error))
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
    let central = beside(url, keys).await?;
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

fn no_keys(folder: &Path, failure: KeysFailure) -> Stop {
    Stop::missing(format!(
        "{folder} is not a folder of central's keys; correct --keys, or make them with \
         central admin keys --out {folder}",
        folder = folder.display()
    ))
    .because(failure)
}

/// On standard error, whatever the log's level; central goes on whether or not anybody reads it.
fn warn(sentence: &str) {
    let _ = std::io::stderr().write_all(format!("central: {sentence}\n").as_bytes());
}

/// With another ring every paper that comes in would be set aside for good.
async fn own_kiosks(central: &Central, folder: &Path) -> Result<(), Stop> {
    match central.knows_its_kiosks().await {
        Ok(true) => Ok(()),
        Ok(false) => Err(Stop::missing(format!(
            "the keys in {folder} are not those of the central that enrolled this database's kiosks; correct --keys or \
             the database",
            folder = folder.display()
        ))),
        Err(refusal) => Err(Stop::failed("the database failed").because(refusal)),
    }
}

/// A central whose key is retired would answer every question for a date with a failure.
async fn no_retired_key(central: &Central, folder: &Path) -> Result<(), Stop> {
    let retired = central
        .retired_keys()
        .await
        .map_err(|refusal| Stop::failed("the database failed").because(refusal))?;
    if retired.is_empty() {
        return Ok(());
    }
    Err(Stop::missing(format!(
        "the keys in {folder} are retired ({keys}): nothing they sign is believed; give --keys the folder with the \
         key that follows, or make it with central admin renew-key --keys {folder}",
        folder = folder.display(),
        keys = retired.join(", ")
    )))
}

/// A database that has followed a log goes on with none by a slip alone: a unit file without its
/// variable. One that never has may go without.
async fn without_log(central: Central) -> Result<Central, Stop> {
    let followed = central.has_followed_a_log().await;
    match followed.map_err(|refusal| Stop::failed("the database failed").because(refusal))? {
        false => Ok(central),
        true => Err(Stop::refused(
            "this database has followed a lease log, and none is given; give --lease-log (or JALON_LEASE_LOG) with it. \
             If that log is lost, give --lease-log a new file with --lease-log-lost: only extra slots are given then, \
             until central admin lease-log --accept",
        )),
    }
}

/// Another log than the one the database has followed, once, leaves it giving extra slots only:
/// so it is asked whether that is meant.
async fn follow(central: Central, path: &Path, lost: bool) -> Result<Central, Stop> {
    let named = path.display().to_string();
    let other = |what: &str| {
        Stop::refused(format!(
            "{named} {what} the lease log this database has followed; correct --lease-log: of a log and its copy it is \
             the one that was written last. If that log is lost, add --lease-log-lost: only extra slots are given \
             then, until central admin lease-log --accept"
        ))
    };
    let failed =
        |refusal: central::Refusal| Stop::failed("the lease log cannot be followed").because(refusal);
    if !lost && !path.exists() && central.has_followed_a_log().await.map_err(failed)? {
        return Err(other("is not there, and so is not"));
    }
    let log = LeaseLog::open(path, &system_random()).map_err(|failure| match failure {
        LeaseLogFailure::Damaged(0) => {
            Stop::refused(format!("{named} is no lease log; correct --lease-log. It is left as it is"))
        }
        LeaseLogFailure::Damaged(line) => Stop::failed(format!(
            "the lease log {named} is damaged at line {line}; keep the file, give --lease-log another one with \
             --lease-log-lost, and only extra slots are given until central admin lease-log --accept"
        )),
        failure => {
            Stop::missing(format!("the lease log {named} cannot be used; correct --lease-log")).because(failure)
        }
    })?;
    let to_make = central.sites_to_make(&log).await.map_err(failed)?;
    if !to_make.is_empty() {
        return Err(Stop::refused(format!(
            "the lease log {named} names sites this database does not know, or without a counter: {}. They came after \
             the backup: make each again, with its counters as they were (central admin site, central admin counter), \
             and start; what was given there is then given to nobody else",
            to_make.join(", ")
        )));
    }
    if lost {
        return central.following(log).await.map_err(failed);
    }
    central.following_its_own(log).await.map_err(failed)?.ok_or_else(|| other("is not"))
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

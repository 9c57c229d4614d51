//! `central serve | migrate | admin …`: the command line, and nothing but it.

use central::admin::{self, NewSite};
use central::{Central, keys, system_clock, system_random};
use clap::{Args, Parser, Subcommand};
use domain::calendar::{Closure, Pattern};
use jiff::civil::{Date, Time};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

/// The reference central service of Jalon.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Args)]
struct Database {
    /// PostgreSQL URL, e.g. postgres:///jalon?host=/run/postgresql
    #[arg(long = "database", env = "JALON_DATABASE_URL")]
    url: String,
}

#[derive(Subcommand)]
enum Command {
    /// Answer kiosks over TLS.
    Serve {
        #[arg(long)]
        listen: SocketAddr,
        #[command(flatten)]
        database: Database,
        #[arg(long)]
        tls_cert: PathBuf,
        #[arg(long)]
        tls_key: PathBuf,
        /// Folder made by `admin keys`.
        #[arg(long, env = "JALON_KEYS")]
        keys: PathBuf,
    },
    /// Bring the database's schema up to date.
    Migrate {
        #[command(flatten)]
        database: Database,
    },
    /// Administer sites, counters, codes and mediators; answers JSON.
    Admin {
        #[command(subcommand)]
        act: Act,
    },
}

#[derive(Subcommand)]
enum Act {
    /// Make root, recovery and central keys in a folder (demonstration and tests).
    Keys {
        #[arg(long)]
        out: PathBuf,
    },
    /// Add a site.
    Site {
        #[command(flatten)]
        database: Database,
        #[arg(long)]
        id: String,
        #[arg(long)]
        name: String,
        /// One line of the postal address; may be repeated.
        #[arg(long)]
        address: Vec<String>,
        #[arg(long)]
        phone: Option<String>,
        #[arg(long, default_value = "Europe/Paris")]
        zone: String,
        #[arg(long, default_value = "metropolitan")]
        holidays: String,
        /// age recipient of the site's agents.
        #[arg(long)]
        site_key: String,
        #[arg(long, default_value_t = 20)]
        lease_slots: i16,
        /// First day that may have slots.
        #[arg(long)]
        from: Option<Date>,
    },
    /// Add a counter with one weekly opening pattern.
    Counter {
        #[command(flatten)]
        database: Database,
        #[arg(long)]
        site: String,
        #[arg(long)]
        name: String,
        /// ISO weekdays, e.g. 1,2,3,4,5
        #[arg(long, value_delimiter = ',')]
        weekdays: Vec<u8>,
        #[arg(long)]
        opens: Time,
        #[arg(long)]
        closes: Time,
        #[arg(long)]
        every_minutes: u16,
        #[arg(long)]
        from: Option<Date>,
    },
    /// Close a site from a first to a last day.
    Closure {
        #[command(flatten)]
        database: Database,
        #[arg(long)]
        site: String,
        #[arg(long)]
        first: Date,
        #[arg(long)]
        last: Date,
    },
    /// Make a single-use enrolment code.
    Code {
        #[command(flatten)]
        database: Database,
        #[arg(long)]
        site: String,
    },
    /// Add a mediator, or change a mediator's PIN (read from standard input).
    Mediator {
        #[command(flatten)]
        database: Database,
        #[arg(long)]
        site: String,
        #[arg(long)]
        id: String,
        #[arg(long)]
        name: String,
    },
    /// List the slots lent to each kiosk.
    Lease {
        #[command(flatten)]
        database: Database,
        #[arg(long)]
        site: String,
    },
    /// List registrations and their dates.
    Registrations {
        #[command(flatten)]
        database: Database,
        #[arg(long)]
        site: String,
    },
    /// Write a registration's locked pages to a folder.
    Pieces {
        #[command(flatten)]
        database: Database,
        #[arg(long)]
        code: String,
        #[arg(long)]
        out: PathBuf,
    },
}

/// Exit codes every binary of Jalon shares.
const REFUSED: u8 = 1;
const FAILED: u8 = 4;

#[tokio::main]
async fn main() -> ExitCode {
    // First of all: the graph must never choose a provider by itself.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let filter = tracing_subscriber::EnvFilter::try_from_env("JALON_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info,sqlx=warn"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false).init();
    match run(Cli::parse().command).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("central: {failure}");
            let mut cause = failure.source();
            while let Some(inner) = cause {
                eprintln!("  because: {inner}");
                cause = inner.source();
            }
            ExitCode::from(if failure.is::<admin::AdminRefusal>() { REFUSED } else { FAILED })
        }
    }
}

type Outcome = Result<(), Box<dyn std::error::Error + Send + Sync>>;

async fn run(command: Command) -> Outcome {
    match command {
        Command::Serve { listen, database, tls_cert, tls_key, keys } => {
            let pool = central::connect(&database.url).await?;
            let keys = keys::CentralKeys::load(&keys)?;
            let central = Central::new(pool, keys, system_clock(), system_random()).await?;
            let tls = central::serve::tls_config(&tls_cert, &tls_key)?;
            let listener = tokio::net::TcpListener::bind(listen).await?;
            println!("listening on {}", listener.local_addr()?);
            central::serve::serve(central::router(central), listener, tls, stop()).await?;
        }
        Command::Migrate { database } => {
            let pool = central::connect(&database.url).await?;
            central::migrate(&pool).await?;
        }
        Command::Admin { act } => admin(act).await?,
    }
    Ok(())
}

async fn admin(act: Act) -> Outcome {
    let today = || jiff::Zoned::now().date();
    let answer = match act {
        Act::Keys { out } => {
            std::fs::create_dir_all(&out)?;
            keys::make(&out, jiff::Timestamp::now(), &system_random())?;
            serde_json::json!({ "keys": out.display().to_string() })
        }
        Act::Site { database, id, name, address, phone, zone, holidays, site_key, lease_slots, from } => {
            let from = from.unwrap_or_else(today);
            let site = NewSite { id, name, address, phone, zone, holidays, site_key, lease_slots, from };
            admin::site(&central::connect(&database.url).await?, &site).await?
        }
        Act::Counter { database, site, name, weekdays, opens, closes, every_minutes, from } => {
            let from = from.unwrap_or_else(today);
            let pattern = Pattern { weekdays, opens, closes, every_minutes, from, until: None };
            admin::counter(&central::connect(&database.url).await?, &site, &name, &[pattern]).await?
        }
        Act::Closure { database, site, first, last } => {
            let closure = Closure { first, last };
            admin::closure(&central::connect(&database.url).await?, &site, closure).await?
        }
        Act::Code { database, site } => {
            let pool = central::connect(&database.url).await?;
            admin::code(&pool, &site, jiff::Timestamp::now(), &system_random()).await?
        }
        Act::Mediator { database, site, id, name } => {
            // Never an argument: arguments are in the process list.
            let pin = std::io::read_to_string(std::io::stdin())?;
            let pool = central::connect(&database.url).await?;
            admin::mediator(&pool, &site, &id, &name, pin.trim(), &system_random()).await?
        }
        Act::Lease { database, site } => {
            admin::leases(&central::connect(&database.url).await?, &site).await?
        }
        Act::Registrations { database, site } => {
            admin::registrations(&central::connect(&database.url).await?, &site).await?
        }
        Act::Pieces { database, code, out } => {
            std::fs::create_dir_all(&out)?;
            admin::pieces(&central::connect(&database.url).await?, &code, &out).await?
        }
    };
    println!("{}", serde_json::to_string(&answer)?);
    Ok(())
}

async fn stop() {
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

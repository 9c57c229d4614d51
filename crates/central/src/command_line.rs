//! What may be typed after `central`, and what to type instead when it cannot be read.
//! Never acts.

use crate::calendar_line::{Hours, Seen, Weekly};
use clap::{Args, Parser, Subcommand};
use jiff::civil::Date;
use std::net::SocketAddr;
use std::path::PathBuf;

/// The reference central service of Jalon.
#[derive(Parser)]
#[command(version)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Args)]
pub(crate) struct Database {
    /// PostgreSQL URL, e.g. postgres:///jalon?host=/run/postgresql
    // Its value may hold a password: never shown in the help.
    #[arg(long = "database", value_name = "URL", env = "JALON_DATABASE_URL", hide_env_values = true)]
    pub url: String,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Answer kiosks over TLS.
    Serve {
        /// Address and port, e.g. 0.0.0.0:8443
        #[arg(long, value_name = "ADDRESS:PORT", value_parser = address)]
        listen: SocketAddr,
        #[command(flatten)]
        database: Database,
        /// The certificate and those it hangs on, as a PEM file.
        #[arg(long, value_name = "FILE")]
        tls_cert: PathBuf,
        /// Its private key, as a PEM file.
        #[arg(long, value_name = "FILE")]
        tls_key: PathBuf,
        /// Folder made by `admin keys`.
        #[arg(long, value_name = "FOLDER", env = "JALON_KEYS")]
        keys: PathBuf,
        /// Where every slot given or lent is written before it leaves, on other storage than
        /// the database. After a restore it says what must not be given again. A database that has
        /// followed one is not served without it.
        #[arg(long, value_name = "FILE", env = "JALON_LEASE_LOG")]
        lease_log: Option<PathBuf>,
        /// The log this database has followed is lost: go on with the one given. Only extra slots
        /// are given then, until every kiosk is heard and admin lease-log --accept is run. Found
        /// again before that, it is given as before and nothing was lost.
        #[arg(long, requires = "lease_log")]
        lease_log_lost: bool,
        /// Erase what is kept of a person so many days after the appointment, 35 at least.
        /// Without it nothing is erased: how long is the controller's to decide.
        #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u16).range(35..))]
        keep_days: Option<u16>,
    },
    /// Bring the database's schema up to date.
    Migrate {
        #[command(flatten)]
        database: Database,
    },
    /// Administer sites, counters, codes and mediators; answers JSON.
    Admin {
        /// Who does it, as the audit journal names them.
        #[arg(long, value_name = "NAME", env = "JALON_AGENT", global = true)]
        agent: Option<String>,
        #[command(subcommand)]
        act: Act,
    },
}

#[derive(Subcommand)]
pub(crate) enum Act {
    /// Make root, recovery and central keys in a folder (demonstration and tests).
    Keys {
        #[arg(long, value_name = "FOLDER")]
        out: PathBuf,
        /// Add a delivery key to a folder that has none yet, with the root that is in it.
        #[arg(long)]
        add_delivery: bool,
    },
    /// Take a kiosk's export file (jalonctl vault export) as if the kiosk had pushed it.
    Import {
        #[command(flatten)]
        database: Database,
        file: PathBuf,
        /// Folder made by `admin keys`.
        #[arg(long, value_name = "FOLDER", env = "JALON_KEYS")]
        keys: PathBuf,
    },
    /// Add a site.
    Site {
        #[command(flatten)]
        database: Database,
        /// 1 to 16 of A-Z, 0-9 and -
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
        /// metropolitan, alsace_moselle, guadeloupe, guyane, martinique, mayotte, reunion,
        /// saint_barthelemy, saint_martin, saint_pierre_et_miquelon or none
        #[arg(long, default_value = "metropolitan")]
        holidays: String,
        /// age recipient of the site's agents (age1…).
        #[arg(long)]
        site_key: String,
        /// Slots of a full lease, 0 to 400, for every kiosk of the site; without it each kiosk's is
        /// sized by the people it registers and how long it was ever away.
        #[arg(long)]
        lease_slots: Option<i16>,
        /// fixed; temporary (stands from --from to --until); mobile (open on the days of admin
        /// opening and on no other)
        #[arg(long, default_value = "fixed")]
        kind: String,
        /// The last day of a temporary site.
        #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
        until: Option<Date>,
        /// First day that may have slots; tomorrow if not given.
        #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
        from: Option<Date>,
    },
    /// Add a counter with one weekly opening pattern; at a mobile site with none.
    Counter {
        #[command(flatten)]
        database: Database,
        #[arg(long)]
        site: String,
        #[arg(long)]
        name: String,
        #[command(flatten)]
        hours: Weekly,
    },
    /// Change a counter's weekly hours from a day on. No date given is moved.
    CounterChange {
        #[command(flatten)]
        database: Database,
        #[arg(long)]
        site: String,
        #[arg(long)]
        name: String,
        #[command(flatten)]
        hours: Weekly,
        /// Beside the hours it has, instead of in their place.
        #[arg(long, conflicts_with = "end")]
        add: bool,
        /// No weekly hours any more, from this day on.
        #[arg(long, value_name = "YYYY-MM-DD", value_parser = day, conflicts_with = "weekdays")]
        end: Option<Date>,
        #[command(flatten)]
        seen: Seen,
    },
    /// Close a site, or one of its counters, from a first to a last day. No date given is moved.
    Closure {
        #[command(flatten)]
        database: Database,
        #[arg(long)]
        site: String,
        /// This counter alone.
        #[arg(long)]
        counter: Option<String>,
        #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
        first: Date,
        #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
        last: Date,
        /// Take this closure back.
        #[arg(long)]
        remove: bool,
        #[command(flatten)]
        seen: Seen,
    },
    /// Open a counter on single days, closed days and public holidays too.
    Opening {
        #[command(flatten)]
        database: Database,
        #[arg(long)]
        site: String,
        #[arg(long)]
        counter: String,
        /// May be repeated.
        #[arg(long, value_name = "YYYY-MM-DD", required = true, value_parser = day)]
        day: Vec<Date>,
        #[command(flatten)]
        hours: Hours,
        /// Take the openings of these days back, if nobody is dated there.
        #[arg(long)]
        remove: bool,
        #[command(flatten)]
        seen: Seen,
    },
    /// Change the last day of a temporary site.
    SiteDays {
        #[command(flatten)]
        database: Database,
        #[arg(long)]
        site: String,
        #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
        until: Date,
        #[command(flatten)]
        seen: Seen,
    },
    /// Tell a site's calendar: its days, closures, counters, their hours and openings.
    Calendar {
        #[command(flatten)]
        database: Database,
        #[arg(long)]
        site: String,
    },
    /// Give everybody whose date the calendar no longer has another one, time limits first, in rank
    /// order. The central that runs moves them.
    Redate {
        #[command(flatten)]
        database: Database,
        #[arg(long)]
        site: String,
        #[command(flatten)]
        seen: Seen,
    },
    /// List the dates that were moved and whom to call: those whose kiosk has not made the new paper.
    Redated {
        #[command(flatten)]
        database: Database,
        #[arg(long)]
        site: String,
    },
    /// List far dates that are asked about and not confirmed: silence loses nobody their place.
    Unconfirmed {
        #[command(flatten)]
        database: Database,
        #[arg(long)]
        site: String,
    },
    /// List who is not known to have come on a day, or mark them: a new date once, then the desk.
    NoShow(crate::presence_line::NoShow),
    /// Annul an appointment for fraud: one agent proposes, the person is heard, another decides.
    Annul(crate::annul_line::Annul),
    /// Write down a cancellation that came by the person's own telephone or mail: carried out a day later,
    /// unless taken back.
    Cancel(crate::cancel_line::Cancel),
    /// Make a single-use enrolment code.
    Code {
        #[command(flatten)]
        database: Database,
        #[arg(long)]
        site: String,
    },
    /// Add a mediator, or change a mediator's PIN (4 to 12 digits, read from standard input).
    Mediator {
        #[command(flatten)]
        database: Database,
        #[arg(long)]
        site: String,
        /// What the mediator signs in with.
        #[arg(long)]
        id: String,
        /// As shown on screen.
        #[arg(long)]
        name: String,
        /// May open drafts that other mediators began: true or false; as it was when not given.
        #[arg(long, num_args = 0..=1, default_missing_value = "true", value_name = "true|false")]
        supervisor: Option<bool>,
        /// Whoever has this id under another name gives it up.
        #[arg(long)]
        replace: bool,
    },
    /// List a site's mediators and who of them may open others' drafts. No PIN is told.
    Mediators {
        #[command(flatten)]
        database: Database,
        #[arg(long)]
        site: String,
    },
    /// Take a mediator off a site's roster; kiosks hear of it by themselves.
    RemoveMediator {
        #[command(flatten)]
        database: Database,
        #[arg(long)]
        site: String,
        #[arg(long)]
        id: String,
    },
    /// List a site's kiosks, how each stands and what is to be done with it.
    Kiosks {
        #[command(flatten)]
        database: Database,
        #[arg(long)]
        site: String,
        /// This kiosk has been looked at and may be lent dates again.
        #[arg(long, value_name = "KIOSK")]
        release: Option<String>,
        /// This kiosk is lost or stolen: it is heard no more.
        #[arg(long, value_name = "KIOSK", conflicts_with = "release")]
        lost: Option<String>,
        /// This kiosk is taken out of service: it is lent nothing more, its papers stay good.
        #[arg(long, value_name = "KIOSK", conflicts_with_all = ["release", "lost"])]
        retire: Option<String>,
        /// Only tell what hangs on that kiosk: --lost and --retire are not taken back.
        #[arg(long, conflicts_with = "release")]
        preview: bool,
    },
    /// Change what papers and kiosks say of a site; kiosks hear of it by themselves.
    SiteChange {
        #[command(flatten)]
        database: Database,
        #[arg(long)]
        site: String,
        #[arg(long)]
        name: Option<String>,
        /// One line of the postal address; may be repeated. Replaces all lines.
        #[arg(long)]
        address: Vec<String>,
        #[arg(long)]
        phone: Option<String>,
        /// The number of its département, such as 93: people who accept any site of it are given the
        /// earliest date of them all. Once given, it stays.
        #[arg(long, value_name = "NUMBER")]
        department: Option<String>,
        /// Registrations of one kiosk in an hour before the desk looks (usually 60).
        #[arg(long, value_name = "N")]
        per_hour_kiosk: Option<u16>,
        /// Registrations of one mediator at a kiosk in an hour before the desk looks (usually 40).
        #[arg(long, value_name = "N")]
        per_hour_mediator: Option<u16>,
    },
    /// What the desk of a site does.
    #[command(flatten)]
    Desk(crate::desk_line::Desk),
    /// Write a site's signed lists, for jalonctl seal verify --lists.
    Lists {
        #[command(flatten)]
        database: Database,
        #[arg(long)]
        site: String,
        /// Folder made by `admin keys`.
        #[arg(long, value_name = "FOLDER", env = "JALON_KEYS")]
        keys: PathBuf,
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Publish a site's queue for one procedure, for jalonctl rank explain: marks that only the
    /// holder of a paper can make, in rank order, signed.
    Queue {
        #[command(flatten)]
        database: Database,
        #[arg(long)]
        site: String,
        /// first_permit, renewal, duplicate, change_of_status …
        #[arg(long)]
        procedure: String,
        /// Folder made by `admin keys`.
        #[arg(long, value_name = "FOLDER", env = "JALON_KEYS")]
        keys: PathBuf,
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Make a new slot or acknowledgement key with the root key. Start every central again
    /// with it, then retire the old one.
    RenewKey {
        /// Folder made by `admin keys`.
        #[arg(long, value_name = "FOLDER", env = "JALON_KEYS")]
        keys: PathBuf,
        /// The root key file; take it away again afterwards.
        #[arg(long, value_name = "root.key")]
        root: PathBuf,
        /// slot or acknowledgement
        #[arg(long)]
        role: String,
    },
    /// A key signs no more: what it signed stays good, anything later is forged.
    RetireKey {
        #[command(flatten)]
        database: Database,
        /// Folder made by `admin keys`, already with the key that follows.
        #[arg(long, value_name = "FOLDER", env = "JALON_KEYS")]
        keys: PathBuf,
        /// The key's id, as renew-key told it.
        #[arg(long, value_name = "ID")]
        key: String,
    },
    /// Tell how far the database has followed the lease log.
    LeaseLog {
        #[command(flatten)]
        database: Database,
        /// Every kiosk has exchanged since the restore: ordinary slots may be given again
        /// from the next start of central.
        #[arg(long)]
        accept: bool,
    },
    /// Erase now what is kept of people whose appointment was before a day, 35 days ago at the
    /// latest.
    Erase {
        #[command(flatten)]
        database: Database,
        #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
        before: Date,
    },
    /// Say that a backup on other storage, read back, holds all received before a moment:
    /// kiosks may drop it after 35 days.
    Durable {
        #[command(flatten)]
        database: Database,
        /// When that backup was begun, RFC 3339, e.g. 2027-03-15T02:00:00Z.
        #[arg(long, value_name = "MOMENT")]
        until: jiff::Timestamp,
    },
    /// List papers of lost kiosks that were brought to a counter, or open what they lock.
    Papers {
        #[command(flatten)]
        database: Database,
        #[arg(long)]
        site: String,
        /// The recovery key, for as long as this takes: opens every locked paper of the site.
        #[arg(long, value_name = "FILE")]
        recovery: Option<PathBuf>,
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
    /// The journal of who read and did what: see jalonctl audit verify.
    Audit {
        #[command(subcommand)]
        act: crate::audit_line::AuditAct,
    },
    /// Write a registration's locked pages to a folder.
    Pieces {
        #[command(flatten)]
        database: Database,
        /// The follow-up code on the paper.
        #[arg(long)]
        code: String,
        #[arg(long, value_name = "FOLDER")]
        out: PathBuf,
    },
}

pub(crate) fn day(text: &str) -> Result<Date, &'static str> {
    Date::strptime("%Y-%m-%d", text)
        .map_err(|_| "write a day that exists as YYYY-MM-DD, for example 2027-03-15")
}

fn address(text: &str) -> Result<SocketAddr, &'static str> {
    text.parse().map_err(|_| "write an IP address and a port, for example 0.0.0.0:8443 or [::]:8443")
}

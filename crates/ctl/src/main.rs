//! `jalonctl`: for support staff and automation. The same core as the window, under the
//! same limits; says who holds the vault instead of taking it by force.

mod answer;
mod appointment;
mod audit;
mod enrol;
mod given_file;
mod kiosk;
mod person;
mod rank;
mod register;
mod seal_rebuild;
mod seal_verify;
mod signed_lists;

use clap::{Parser, Subcommand};
use enrol::Enrolment;
use std::path::PathBuf;
use std::process::ExitCode;

/// The kiosk's core on the command line.
#[derive(Parser)]
#[command(name = "jalonctl", version)]
struct Cli {
    /// The language of sentences: fr, en or ar. When not given, the terminal's (LC_ALL, LC_MESSAGES
    /// or LANG) if it is one of these, else French. What programs read is the same in each.
    #[arg(long, global = true, value_name = "LANG", value_parser = language)]
    lang: Option<l10n::Lang>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make this machine a kiosk of a site, with a single-use code.
    Enrol {
        /// Central's URL, e.g. https://central.example:8443
        #[arg(long, value_name = "URL", required_unless_present = "repair")]
        central: Option<String>,
        /// The code central admin code made; it lives 15 minutes.
        #[arg(long, required_unless_present = "repair")]
        code: Option<String>,
        /// The authority central's certificate is signed by, as a PEM file.
        #[arg(long, value_name = "FILE", required_unless_present = "repair")]
        ca: Option<PathBuf>,
        /// ipp(s)://…
        #[arg(long, value_name = "URL")]
        printer: Option<String>,
        /// sane:NAME | escl:URL | file:PATH
        #[arg(long, value_name = "ADDRESS")]
        scanner: Option<String>,
        /// This machine is a kiosk already: write its kiosk.json again, as the vault has kept it.
        /// No code is needed; what is given beside it counts more.
        #[arg(long, conflicts_with = "code")]
        repair: bool,
        /// Which kiosk it is, as central admin kiosks lists it: only when --repair asks for it.
        #[arg(long, value_name = "KIOSK", requires = "repair", value_parser = kiosk_id)]
        kiosk: Option<domain::ids::KioskId>,
    },
    /// What this kiosk holds, and how it stands with central.
    Status {
        #[arg(long)]
        json: bool,
    },
    /// Is this machine fit to be a kiosk? Exit 0 only when nothing fails.
    Doctor {
        #[arg(long)]
        json: bool,
    },
    /// What is left to do before this kiosk is switched off. Exit 1 when there is something.
    EndOfDay,
    /// Register a person as at the counter, and answer the date. Everything typed stands in the
    /// file; the PIN is read from standard input.
    Register {
        /// JSON with the names of the window's fields: family_names, birth, nationality, procedure …
        file: PathBuf,
        /// Who registers; the only mediator of the site when not given.
        #[arg(long, value_name = "ID")]
        mediator: Option<String>,
        /// A second mediator beside the first, where `renamed` says that the person's name is another
        /// than on the paper they bring. Their PIN is the second line.
        #[arg(long, value_name = "ID")]
        second: Option<String>,
    },
    /// Declare a time limit learnt after the registration, as at the counter: the same fields as
    /// `limit` of register, in a file of their own. The PIN is read from standard input. A new paper
    /// takes the old one's place; the answer says the date that stands and what is offered.
    Limit {
        /// The follow-up code on the paper.
        code: String,
        /// JSON: right, last_day or days, evidence.
        file: PathBuf,
        /// Who declares it; the only mediator of the site when not given.
        #[arg(long, value_name = "ID")]
        mediator: Option<String>,
    },
    /// Correct a mistyped name, birth date or nationality, or the language of the paper, as at the
    /// counter: the same fields as of register, in a file of their own; what is not there stays. The
    /// PIN is read from standard input. Date and place are not touched; a new paper takes the old
    /// one's place.
    Correct {
        /// The follow-up code on the paper.
        code: String,
        /// JSON: `family_names`, `given_names`, birth (whole), nationality, lang.
        file: PathBuf,
        /// Who corrects it; the only mediator of the site when not given.
        #[arg(long, value_name = "ID")]
        mediator: Option<String>,
    },
    /// A person who has moved here, or has another name, keeps the appointment made here, as at the
    /// counter: the one on the earlier paper is over. The PIN is read from standard input. To keep the other one, cancel
    /// the one here.
    Transfer {
        /// The follow-up code on the paper made here.
        code: String,
        /// Said so that nothing ends by a slip of the hand.
        #[arg(long, required = true)]
        accept: bool,
        /// Who says so; the only mediator of the site when not given.
        #[arg(long, value_name = "ID")]
        mediator: Option<String>,
    },
    /// A person comes back with their paper, as at the counter: tells the appointment and, with --say,
    /// does what they say. The PIN is read from standard input. Of a paper another kiosk made, central is
    /// asked, and does it at once or not at all.
    Appointment(appointment::Appointment),
    /// The person whose door code this is has come: noted as at the door, offline too. The PIN is read
    /// from standard input.
    Arrive {
        /// The door code as text (JALON1.…).
        #[arg(long, allow_hyphen_values = true)]
        text: String,
        /// Who is at the door; the only mediator of the site when not given.
        #[arg(long, value_name = "ID")]
        mediator: Option<String>,
    },
    /// Exchange with central once.
    Sync,
    /// Send another kiosk's export file to central. It stays locked.
    Deliver { file: PathBuf },
    /// Write the PDF of a kept paper: what a print sends, byte for byte. It names a person: only its
    /// owner may read the file. Or say that the paper was handed over. With --letter, the letter of a
    /// date after the person's time limit instead, as of now.
    Paper {
        /// Its follow-up code.
        code: String,
        /// A file that is not there yet.
        #[arg(long, value_name = "FILE", required_unless_present = "handed_over")]
        out: Option<PathBuf>,
        /// Write over a file that is there.
        #[arg(long, requires = "out")]
        force: bool,
        /// The letter of a time limit that no date serves, beside the paper.
        #[arg(long, requires = "out")]
        letter: bool,
        /// The paper, printed from its PDF, is in the person's hands: the visit is finished. The PIN
        /// is read from standard input.
        #[arg(long, conflicts_with = "out")]
        handed_over: bool,
        /// Who says so; the only mediator of the site when not given.
        #[arg(long, value_name = "ID", requires = "handed_over")]
        mediator: Option<String>,
    },
    /// The seals of papers.
    Seal {
        #[command(subcommand)]
        act: SealAct,
    },
    /// The ranking of places.
    Rank {
        #[command(subcommand)]
        act: RankAct,
    },
    /// Central's journal of who read and did what.
    Audit {
        #[command(subcommand)]
        act: AuditAct,
    },
    /// The vault itself.
    Vault {
        #[command(subcommand)]
        act: VaultAct,
    },
}

#[derive(Subcommand)]
enum SealAct {
    /// Verify a door code, offline. Exit 0 only when it is valid.
    Verify {
        /// The code as text (JALON1.…); `-` reads it from standard input.
        #[arg(long, required_unless_present_any = ["image", "stdin"], allow_hyphen_values = true)]
        text: Option<String>,
        /// `-`: the code as text from standard input.
        #[arg(value_name = "-", value_parser = ["-"], conflicts_with_all = ["text", "image"])]
        stdin: Option<String>,
        /// A picture of the paper, PNG or JPEG, at most 64 MiB.
        #[arg(long, value_name = "FILE", conflicts_with = "text")]
        image: Option<PathBuf>,
        /// The key ring file, root.pub.json out of the folder of central's keys.
        #[arg(long, value_name = "root.pub.json")]
        root: PathBuf,
        /// A site's signed lists, as central admin lists wrote them: papers replaced since, kiosks
        /// reported lost, keys retired.
        #[arg(long, value_name = "FILE")]
        lists: Option<PathBuf>,
        /// The moment the paper is shown, RFC 3339, e.g. 2027-03-15T09:00:00Z; now if not given.
        #[arg(long, value_name = "MOMENT")]
        at: Option<jiff::Timestamp>,
    },
    /// Read a paper back into its registration, with the recovery key.
    Rebuild {
        /// The door code as text (JALON1.…), with --rebuild beside it.
        #[arg(long, required_unless_present = "image", requires = "rebuild", allow_hyphen_values = true)]
        text: Option<String>,
        /// The rebuild code as text (JALON1.…).
        #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
        rebuild: Option<String>,
        /// A picture of the paper with both codes, PNG or JPEG, at most 64 MiB.
        #[arg(long, value_name = "FILE", conflicts_with_all = ["text", "rebuild"])]
        image: Option<PathBuf>,
        /// The key ring file, root.pub.json out of the folder of central's keys.
        #[arg(long, value_name = "root.pub.json")]
        root: PathBuf,
        /// The recovery key file; take it away again afterwards.
        #[arg(long, value_name = "recovery.key")]
        recovery: PathBuf,
        /// The site's time zone, for the day of the registration.
        #[arg(long, default_value = "Europe/Paris")]
        zone: String,
    },
}

#[derive(Subcommand)]
enum RankAct {
    /// Recompute a place from what its paper prints; with a published queue, where it stands.
    Explain(rank::Printed),
}

#[derive(Subcommand)]
enum AuditAct {
    /// Verify a journal central admin audit export wrote. Exit 0 only when nothing was changed in it.
    Verify {
        file: PathBuf,
        /// The key ring file, root.pub.json out of the folder of central's keys.
        #[arg(long, value_name = "root.pub.json")]
        root: PathBuf,
        /// What audit checkpoint printed at a kiosk: finds a journal that was cut or written anew
        /// with all that witnesses it at central. May be repeated.
        #[arg(long = "checkpoint", value_name = "FILE")]
        checkpoints: Vec<PathBuf>,
    },
    /// The checkpoint of central's journal this kiosk was shown last.
    Checkpoint,
}

#[derive(Subcommand)]
enum VaultAct {
    /// Open the vault and read it through; changes nothing.
    Check,
    /// Write what central has not received to a new file, locked to central.
    Export {
        /// A file that is not there yet, or a folder.
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
        /// All that is still readable here.
        #[arg(long)]
        all: bool,
    },
    /// Put the vault's key back into the keyring, with the recovery key.
    Recover {
        /// The recovery key file; take it away again afterwards.
        #[arg(long, value_name = "recovery.key")]
        recovery: PathBuf,
    },
    /// Set a vault that does not open aside, and put a fresh one in its place.
    SetAside,
}

fn language(text: &str) -> Result<l10n::Lang, &'static str> {
    l10n::Lang::parse(text).ok_or("write fr, en or ar")
}

fn kiosk_id(text: &str) -> Result<domain::ids::KioskId, &'static str> {
    domain::ids::KioskId::parse(text).ok_or("write the 32 hexadecimal digits of a kiosk's id")
}

#[tokio::main]
async fn main() -> ExitCode {
    // First of all: the graph must never choose a provider by itself.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let filter = tracing_subscriber::EnvFilter::try_from_env("JALON_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("error"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false).init();
    let cli = Cli::parse();
    answer::choose_lang(cli.lang);
    match cli.command {
        Command::Enrol { central, code, ca, printer, scanner, repair: _, kiosk } => {
            enrol::enrol(Enrolment { central, code, ca, printer, scanner, kiosk }).await
        }
        Command::Status { json } => kiosk::status(json).await,
        Command::Paper { code, out: Some(out), force, letter, .. } => {
            kiosk::paper(&code, (&out, force), letter).await
        }
        Command::Paper { code, out: None, mediator, .. } => {
            register::handed_over(&code, mediator.as_deref()).await
        }
        Command::Doctor { json } => kiosk::doctor(json).await,
        Command::EndOfDay => kiosk::end_of_day().await,
        Command::Register { file, mediator, second } => {
            register::register(&file, mediator.as_deref(), second.as_deref()).await
        }
        Command::Limit { code, file, mediator } => {
            register::declare_limit(&code, &file, mediator.as_deref()).await
        }
        Command::Correct { code, file, mediator } => {
            register::correct(&code, &file, mediator.as_deref()).await
        }
        Command::Transfer { code, accept: _, mediator } => {
            register::keep_transfer(&code, mediator.as_deref()).await
        }
        Command::Appointment(asked) => appointment::appointment(&asked).await,
        Command::Arrive { text, mediator } => appointment::arrive(&text, mediator.as_deref()).await,
        Command::Sync => kiosk::sync().await,
        Command::Rank { act: RankAct::Explain(printed) } => rank::explain(&printed),
        Command::Audit { act: AuditAct::Verify { file, root, checkpoints } } => {
            audit::verify(&file, &root, &checkpoints)
        }
        Command::Audit { act: AuditAct::Checkpoint } => audit::checkpoint().await,
        Command::Vault { act: VaultAct::Check } => kiosk::check().await,
        Command::Vault { act: VaultAct::Export { to, all } } => kiosk::export(&to, all).await,
        Command::Deliver { file } => kiosk::deliver(&file).await,
        Command::Vault { act: VaultAct::Recover { recovery } } => kiosk::recover(&recovery),
        Command::Vault { act: VaultAct::SetAside } => kiosk::set_aside().await,
        Command::Seal { act: SealAct::Verify { text, stdin: _, image, root, lists, at } } => {
            let against = seal_verify::Against {
                root: &root,
                lists: lists.as_deref(),
                at,
                now: jiff::Timestamp::now(),
            };
            seal_verify::verify(text.as_deref(), image.as_deref(), &against)
        }
        Command::Seal { act: SealAct::Rebuild { text, rebuild, image, root, recovery, zone } } => {
            let given = match image {
                Some(image) => seal_rebuild::Given::Image(image),
                None => seal_rebuild::Given::Text {
                    door: text.unwrap_or_default(),
                    rebuild: rebuild.unwrap_or_default(),
                },
            };
            seal_rebuild::run(&given, &root, &recovery, &zone)
        }
    }
}

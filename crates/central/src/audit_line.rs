//! What may be typed after `central admin audit`.

use crate::command_line::{Database, day};
use clap::Subcommand;
use jiff::civil::Date;
use std::path::PathBuf;

#[derive(Subcommand)]
pub(crate) enum AuditAct {
    /// Chain what waits and sign how far the chain goes; a central that runs does it by itself.
    Seal {
        #[command(flatten)]
        database: Database,
        /// Folder made by `admin keys`.
        #[arg(long, value_name = "FOLDER", env = "JALON_KEYS")]
        keys: PathBuf,
    },
    /// Write the whole journal to a file, for jalonctl audit verify.
    Export {
        #[command(flatten)]
        database: Database,
        /// Folder made by `admin keys`.
        #[arg(long, value_name = "FOLDER", env = "JALON_KEYS")]
        keys: PathBuf,
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Erase the bodies of entries from before a day, 180 days ago at the latest. The chain stays
    /// whole.
    Erase {
        #[command(flatten)]
        database: Database,
        /// Folder made by `admin keys`.
        #[arg(long, value_name = "FOLDER", env = "JALON_KEYS")]
        keys: PathBuf,
        #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
        before: Date,
    },
}

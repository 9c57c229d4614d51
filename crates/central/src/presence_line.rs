//! What may be typed after `central admin no-show`.

use crate::command_line::{Database, day};
use crate::database;
use crate::stop::Stop;
use central::admin;
use clap::Args;
use jiff::civil::Date;
use serde_json::Value;

#[derive(Args)]
pub(crate) struct NoShow {
    #[command(flatten)]
    database: Database,
    #[arg(long)]
    site: String,
    /// A day that is over.
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
    day: Date,
    /// The follow-up code of somebody who came though no kiosk says so; may be repeated. Of somebody who
    /// was marked as absent that day, it takes that back.
    #[arg(long, value_name = "CODE")]
    came: Vec<String>,
    /// Do not wait for this kiosk, which was not heard since; may be repeated.
    #[arg(long, value_name = "KIOSK")]
    although: Vec<String>,
    /// Mark them. Without it they are only listed.
    #[arg(long = "do", requires = "by")]
    act: bool,
    /// The agent who says it.
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
}

impl NoShow {
    pub async fn run(self) -> Result<Value, Stop> {
        let Self { database, site, day, came, although, act, by } = self;
        let ask = admin::NoShow { site, day, came, although, by: by.filter(|_| act) };
        let pool = database::ready(&database.url).await?;
        Ok(admin::no_show(&pool, &ask, jiff::Timestamp::now()).await?)
    }
}

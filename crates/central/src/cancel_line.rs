//! What may be typed after `central admin cancel`.

use crate::command_line::Database;
use crate::database;
use crate::stop::Stop;
use central::admin::{self, AskedCancel, CancelStep};
use central::system_random;
use clap::{Args, ValueEnum};
use domain::own_channel::Channel;
use serde_json::Value;

#[derive(Clone, Copy, ValueEnum)]
enum By {
    Phone,
    Email,
}

#[derive(Args)]
pub(crate) struct Cancel {
    #[command(flatten)]
    database: Database,
    /// The follow-up code on the paper, as the person says it.
    #[arg(long, value_name = "CODE")]
    code: String,
    /// The birth date as the person says it; the year alone where no more is known.
    #[arg(long, value_name = "YYYY[-MM-DD]", value_parser = birth)]
    birth: (i16, Option<i8>, Option<i8>),
    /// The contact of the registration by which it came.
    #[arg(long, required_unless_present = "withdraw", conflicts_with = "withdraw")]
    channel: Option<By>,
    /// Take a request back: it was not theirs, or they changed their mind.
    #[arg(long)]
    withdraw: bool,
    /// Do it. Without it, what would be done is checked and told.
    #[arg(long)]
    apply: bool,
}

impl Cancel {
    pub async fn run(self) -> Result<Value, Stop> {
        let Self { database, code, birth, channel, apply, .. } = self;
        let step = match channel {
            Some(By::Phone) => CancelStep::Ask(Channel::Phone),
            Some(By::Email) => CancelStep::Ask(Channel::Email),
            None => CancelStep::Withdraw,
        };
        let ask = AskedCancel { code, birth, step, apply };
        let pool = database::ready(&database.url).await?;
        Ok(admin::cancel(&pool, &ask, jiff::Timestamp::now(), &system_random()).await?)
    }
}

fn birth(text: &str) -> Result<(i16, Option<i8>, Option<i8>), &'static str> {
    let parts: Vec<&str> = text.split('-').collect();
    let number = |part: &str| part.parse::<i8>().ok().map(Some);
    let read = match parts[..] {
        [year] => year.parse().ok().map(|year| (year, None, None)),
        [year, month, day] => match (year.parse().ok(), number(month), number(day)) {
            (Some(year), Some(month), Some(day)) => Some((year, month, day)),
            _ => None,
        },
        _ => None,
    };
    read.ok_or("write it as 1990-03-14, or the year alone")
}

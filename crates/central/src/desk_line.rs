//! What may be typed after `central admin` for a site's desk: what it has to do, a question that came
//! in, an answer, and the keys of agents who do the same over the network.

use crate::command_line::Database;
use crate::database;
use crate::stop::Stop;
use central::admin;
use central::desk::Question;
use central::system_random;
use clap::{Subcommand, ValueEnum};
use domain::code::FollowUpCode;
use domain::task::Inbound;
use serde_json::Value;

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum By {
    Phone,
    Email,
    Postal,
    Counter,
}

#[derive(Subcommand)]
pub(crate) enum Desk {
    /// What the desk of a site has to do, the most urgent first.
    Tasks {
        #[command(flatten)]
        database: Database,
        #[arg(long)]
        site: String,
        /// Answered ones too.
        #[arg(long)]
        all: bool,
    },
    /// Answer a task in an agent's name; the answer to a request goes back to its kiosk.
    AnswerTask {
        #[command(flatten)]
        database: Database,
        #[arg(long, value_name = "N")]
        task: i64,
        /// The agent's name.
        #[arg(long)]
        by: String,
        /// One line, read to the person.
        #[arg(long)]
        answer: String,
    },
    /// Write down a question that came in about a registration: a task of the desk, with the contact by
    /// which the answer goes back.
    Question {
        #[command(flatten)]
        database: Database,
        #[arg(long)]
        site: String,
        /// The follow-up code on the paper, as the person says it.
        #[arg(long, value_name = "CODE", value_parser = code)]
        code: FollowUpCode,
        /// By which way it came.
        #[arg(long)]
        channel: By,
        /// One line.
        #[arg(long)]
        question: String,
    },
    /// Make a key for an agent of a site's desk, told this once: they read and answer its tasks over the
    /// network with it (docs/protocol.md).
    Agent {
        #[command(flatten)]
        database: Database,
        #[arg(long)]
        site: String,
        /// The agent's name, as it stands in the audit journal.
        #[arg(long)]
        name: String,
        /// Days the key is good for.
        #[arg(long, value_name = "N", default_value_t = 90)]
        days: u16,
    },
    /// Who of a site's desk has a key.
    Agents {
        #[command(flatten)]
        database: Database,
        #[arg(long)]
        site: String,
    },
    /// End an agent's key: they have left, or it was seen by somebody else.
    EndAgent {
        #[command(flatten)]
        database: Database,
        #[arg(long)]
        site: String,
        /// As `admin agents` numbers them.
        // Not `agent`: that is who acts, for every act.
        #[arg(long, value_name = "N")]
        number: i64,
    },
}

impl Desk {
    pub async fn run(self) -> Result<Value, Stop> {
        let now = jiff::Timestamp::now();
        Ok(match self {
            Self::Tasks { database, site, all } => {
                admin::tasks(&database::ready(&database.url).await?, &site, all).await?
            }
            Self::AnswerTask { database, task, by, answer } => {
                let pool = database::ready(&database.url).await?;
                admin::answer_task(&pool, task, (&by, &answer), now, &system_random()).await?
            }
            Self::Question { database, site, code, channel, question } => {
                let channel = match channel {
                    By::Phone => Inbound::Phone,
                    By::Email => Inbound::Email,
                    By::Postal => Inbound::Postal,
                    By::Counter => Inbound::Counter,
                };
                let asked = Question { code, channel, question: &question, key: None };
                admin::question(&database::ready(&database.url).await?, &site, &asked, now).await?
            }
            Self::Agent { database, site, name, days } => {
                let pool = database::ready(&database.url).await?;
                admin::add_agent(&pool, (&site, &name), days, now, &system_random()).await?
            }
            Self::Agents { database, site } => {
                admin::agents(&database::ready(&database.url).await?, &site).await?
            }
            Self::EndAgent { database, site, number } => {
                admin::end_agent(&database::ready(&database.url).await?, &site, number, now).await?
            }
        })
    }
}

fn code(text: &str) -> Result<FollowUpCode, &'static str> {
    FollowUpCode::parse(text).ok_or("this is no follow-up code: thirteen signs, as on the paper")
}

#[cfg(test)]
mod tests {
    use crate::command_line::Cli;
    use clap::Parser as _;

    /// A flag of an act that bears the name of one for all acts cannot be read, and ends the program.
    #[test]
    fn every_act_of_the_desk_can_be_typed_beside_who_does_it() {
        for act in [
            &["tasks", "--site", "S", "--all"][..],
            &["answer-task", "--task", "1", "--by", "A", "--answer", "B"],
            &["question", "--site", "S", "--code", "7K3Q9MZT4XW2P", "--channel", "phone", "--question", "Q"],
            &["agent", "--site", "S", "--name", "A", "--days", "3"],
            &["agents", "--site", "S"],
            &["end-agent", "--site", "S", "--number", "1"],
        ] {
            let words = [&["central", "admin", "--agent", "Chef"][..], act, &["--database", "postgres:///x"]];
            let code = |error: &clap::Error| error.kind() == clap::error::ErrorKind::ValueValidation;
            let read = Cli::try_parse_from(words.concat());
            assert!(read.as_ref().err().is_none_or(code), "{act:?}: {:?}", read.err());
        }
    }
}

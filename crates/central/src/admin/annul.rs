//! An appointment annulled for fraud, in two steps by two agents: one proposes it with reasons, the
//! person is told and heard, another decides. Here it is said; the central that runs carries it out.
//! Whatever is not certain, the date holds.

use super::{AdminRefusal, line, refused};
use crate::calendar::change::lock;
use crate::{Random, annulment, arrivals, audit, calendar, changes, dates, task};
use domain::annulment::{REASONS_MAX, UNDO_DAYS, earliest_answer_by, may_undo};
use domain::audit::{AGENT_MAX, Act, Who};
use domain::calendar::Holidays;
use domain::code::FollowUpCode;
use domain::ids::{AnnulmentId, KioskId, RegistrationId, SiteId};
use domain::task::TaskKind;
use jiff::civil::{Date, DateTime};
use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Value, json};
use sqlx::{PgConnection, PgPool, Row};
use wire::messages::Change;

/// Longest sum of what the person answered, in characters: they may write more than once.
const ANSWERS_MAX: usize = 5_000;

/// What an agent says of one person's appointment.
#[derive(Debug, Clone)]
pub struct Annul {
    /// The follow-up code on the paper.
    pub code: String,
    /// None to look only.
    pub step: Option<AnnulStep>,
    /// Without it what would be done is checked and told, and nothing is written.
    pub apply: bool,
}

#[derive(Debug, Clone)]
pub enum AnnulStep {
    Propose {
        reasons: String,
        answer_by: Date,
    },
    /// What the person answered; none when no answer came in time.
    Heard {
        answer: Option<String>,
    },
    Decide {
        annul: bool,
        reasons: String,
    },
    Undo {
        reasons: String,
    },
}

/// One person's appointment and what was proposed about it last.
struct Case {
    registration: RegistrationId,
    site: SiteId,
    kiosk: KioskId,
    /// No kiosk of theirs is there to tell them.
    out_of_reach: bool,
    kept: bool,
    given_up: bool,
    honoured: bool,
    slot_at: Option<DateTime>,
    last: Option<Proposed>,
}

struct Proposed {
    id: AnnulmentId,
    state: String,
    proposed_by: String,
    reasons: String,
    answer_by: Date,
    until: Option<Date>,
    heard: bool,
    answers: Option<String>,
    decided: Option<(String, Timestamp, String)>,
    undone_by: Option<String>,
}

/// Says the step, or only tells what stands.
///
/// # Errors
/// The code is nobody's, no agent is named, or the step cannot be taken; the sentence says why, and what
/// to do next.
pub async fn annul(
    pool: &PgPool,
    ask: &Annul,
    now: Timestamp,
    random: &Random,
) -> Result<Value, AdminRefusal> {
    let mut tx = pool.begin().await?;
    let (id, site) = find(&mut tx, &ask.code).await?;
    lock(&mut tx, &site).await?;
    let case = Case::read(&mut tx, (id, site)).await?;
    let today = dates::day(&mut tx, &case.site, now).await?;
    let Some(step) = &ask.step else {
        audit::by_us(&mut tx, Act::AnnulmentRead, Some(&case.registration), 1).await?;
        tx.commit().await?;
        return Ok(case.told());
    };
    let Who::Agent(agent) = audit::who() else {
        return Err(refused("an annulment is said by an agent; add --agent NAME"));
    };
    let agent = line("the agent's name", &agent, AGENT_MAX)?;
    let act = match step {
        AnnulStep::Propose { reasons, answer_by } => {
            let reasons = paragraph("the reasons", reasons)?;
            propose(&mut tx, &case, (&agent, &reasons, *answer_by), (now, today), random).await?
        }
        AnnulStep::Heard { answer } => {
            let answer = answer.as_deref().map(|text| paragraph("the answer", text)).transpose()?;
            heard(&mut tx, &case, (&agent, answer), (now, today)).await?
        }
        AnnulStep::Decide { annul, reasons } => {
            let reasons = paragraph("the reasons", reasons)?;
            decide(&mut tx, &case, (&agent, *annul, &reasons), (now, today), random).await?
        }
        AnnulStep::Undo { reasons } => {
            let reasons = paragraph("the reasons", reasons)?;
            undo(&mut tx, &case, (&agent, &reasons), (now, today)).await?
        }
    };
    audit::by_us(&mut tx, act, Some(&case.registration), 1).await?;
    let mut told = Case::read(&mut tx, (case.registration, case.site)).await?.told();
    if let Some(fields) = told.as_object_mut() {
        fields.insert("applied".to_owned(), json!(ask.apply));
    }
    if ask.apply {
        tx.commit().await?;
        return Ok(told);
    }
    tx.rollback().await?;
    let mut db = pool.acquire().await?;
    audit::by_us(&mut db, Act::AnnulmentRead, Some(&id), 1).await?;
    Ok(told)
}

async fn propose(
    db: &mut PgConnection,
    case: &Case,
    (agent, reasons, answer_by): (&str, &str, Date),
    (now, today): (Timestamp, Date),
    random: &Random,
) -> Result<Act, AdminRefusal> {
    if let Some(last) = &case.last {
        match last.state.as_str() {
            "proposed" => {
                return Err(refused(format!(
                    "it is proposed already, by {}; write the person's answer with --heard, then another agent decides",
                    last.proposed_by
                )));
            }
            "annulling" | "annulled" => {
                return Err(refused("it is annulled already; --undo takes that back"));
            }
            "undoing" => return Err(refused("its annulment is being undone; ask again in a minute")),
            _ => {}
        }
    }
    let at = case.standing(today)?;
    if case.out_of_reach {
        return Err(refused(
            "its kiosk is lost or out of service, so nobody can tell the person; the date holds: receive them, and \
             look into it then",
        ));
    }
    let row = sqlx::query("SELECT holidays FROM site WHERE id = $1")
        .bind(case.site.as_str())
        .fetch_one(&mut *db)
        .await?;
    let holidays =
        Holidays::parse(row.try_get(0)?).ok_or_else(|| refused("the site's holidays cannot be read"))?;
    let first = earliest_answer_by(today, holidays, &calendar::closures(&mut *db, &case.site).await?);
    if answer_by < first {
        return Err(refused(format!("the person needs time to answer; give --answer-by {first} or later")));
    }
    if answer_by >= at.date() {
        return Err(refused(format!(
            "the appointment is on {}, before the person would have to answer; the date holds: receive them, and look \
             into it then",
            at.date()
        )));
    }
    let mut id = AnnulmentId([0; 16]);
    random(&mut id.0);
    sqlx::query(
        "INSERT INTO annulment (id, registration, site, state, proposed_by, proposed_s, reasons, answer_by) \
         VALUES ($1, $2, $3, 'proposed', $4, $5, $6, $7::text::date)",
    )
    .bind(id.0.as_slice())
    .bind(case.registration.0.as_slice())
    .bind(case.site.as_str())
    .bind(agent)
    .bind(now.as_second())
    .bind(reasons)
    .bind(answer_by.to_string())
    .execute(&mut *db)
    .await?;
    task::write_by(&mut *db, &case.site, case.registration, TaskKind::Annulment, (now, answer_by)).await?;
    let (registration, reasons) = (case.registration, reasons.to_owned());
    let change = Change::AnnulmentProposed { registration, annulment: id, answer_by, reasons };
    changes::append_drawn(db, random, case.kiosk, &[change]).await?;
    Ok(Act::AnnulmentProposed)
}

async fn heard(
    db: &mut PgConnection,
    case: &Case,
    (agent, answer): (&str, Option<String>),
    (now, today): (Timestamp, Date),
) -> Result<Act, AdminRefusal> {
    let last = case.proposed()?;
    let answers = match (answer, &last.answers) {
        (Some(answer), Some(before)) => Some(format!("{before}\n{answer}")),
        (Some(answer), None) => Some(answer),
        (None, Some(_)) => return Err(refused("the person has answered; decide with --decide")),
        (None, None) => {
            let until = last.told_until()?;
            if today <= until {
                return Err(refused(format!(
                    "the person has until {until} to answer; say --no-answer the day after"
                )));
            }
            None
        }
    };
    if answers.as_ref().is_some_and(|text| text.chars().count() > ANSWERS_MAX) {
        return Err(refused(format!(
            "the answers are together longer than {ANSWERS_MAX} characters; write what matters of this one"
        )));
    }
    sqlx::query("UPDATE annulment SET heard_by = $2, heard_s = $3, answers = $4 WHERE id = $1")
        .bind(last.id.0.as_slice())
        .bind(agent)
        .bind(now.as_second())
        .bind(answers)
        .execute(db)
        .await?;
    Ok(Act::AnnulmentHeard)
}

async fn decide(
    db: &mut PgConnection,
    case: &Case,
    (agent, annul, reasons): (&str, bool, &str),
    (now, today): (Timestamp, Date),
    random: &Random,
) -> Result<Act, AdminRefusal> {
    let last = case.proposed()?;
    if last.proposed_by.to_lowercase() == agent.to_lowercase() {
        return Err(refused(format!("{agent} proposed it; another agent decides")));
    }
    if annul {
        // Given up since it was proposed, the registration time is what is annulled.
        if case.honoured || !case.given_up {
            case.standing(today)?;
        }
        let until = last.told_until()?;
        if !last.heard && today <= until {
            return Err(refused(format!(
                "the person was not heard, and has until {until} to answer; write their answer with --heard --answer \
                 FILE, or wait until that day is over"
            )));
        }
        if !last.heard {
            return Err(refused(format!(
                "the day to answer, {until}, is over; write the answer with --heard --answer FILE, or say that none \
                 came with --heard --no-answer"
            )));
        }
    }
    let (state, answer) = if annul { ("annulling", annulment::ANNULLED) } else { ("kept", "kept") };
    sqlx::query(
        "UPDATE annulment SET state = $2, decided_by = $3, decided_s = $4, decision = $5 WHERE id = $1",
    )
    .bind(last.id.0.as_slice())
    .bind(state)
    .bind(agent)
    .bind(now.as_second())
    .bind(reasons)
    .execute(&mut *db)
    .await?;
    sqlx::query(
        "UPDATE task SET answer = $3, answered_by = $4, answered_s = $5 \
         WHERE registration = $1 AND kind = $2 AND answer IS NULL",
    )
    .bind(case.registration.0.as_slice())
    .bind(TaskKind::Annulment.key())
    .bind(answer)
    .bind(agent)
    .bind(now.as_second())
    .execute(&mut *db)
    .await?;
    if annul {
        return Ok(Act::AnnulmentDecided);
    }
    let over =
        Change::AnnulmentOver { registration: case.registration, annulment: last.id, date_follows: false };
    changes::append_drawn(db, random, case.kiosk, &[over]).await?;
    Ok(Act::AnnulmentRefused)
}

async fn undo(
    db: &mut PgConnection,
    case: &Case,
    (agent, reasons): (&str, &str),
    (now, today): (Timestamp, Date),
) -> Result<Act, AdminRefusal> {
    let last =
        case.last.as_ref().ok_or_else(|| refused("no annulment was proposed; nothing is to be undone"))?;
    match (last.state.as_str(), &last.decided) {
        ("annulled", Some((_, decided, _))) => {
            let row = sqlx::query("SELECT zone FROM site WHERE id = $1")
                .bind(case.site.as_str())
                .fetch_one(&mut *db)
                .await?;
            let zone =
                TimeZone::get(row.try_get(0)?).map_err(|_| refused("the site's time zone cannot be read"))?;
            if !may_undo(zone.to_datetime(*decided).date(), today) {
                return Err(refused(format!(
                    "it was annulled more than {UNDO_DAYS} days ago; register the person anew"
                )));
            }
        }
        ("annulling", _) => return Err(refused("it is not carried out yet; ask again in a minute")),
        ("undoing" | "undone", _) => return Err(refused("it is undone already")),
        _ => return Err(refused("it is not annulled; nothing is to be undone")),
    }
    sqlx::query(
        "UPDATE annulment SET state = 'undoing', undone_by = $2, undone_s = $3, undoing = $4 WHERE id = $1",
    )
    .bind(last.id.0.as_slice())
    .bind(agent)
    .bind(now.as_second())
    .bind(reasons)
    .execute(db)
    .await?;
    Ok(Act::AnnulmentUndone)
}

/// The registration a code is of, and its site.
async fn find(db: &mut PgConnection, code: &str) -> Result<(RegistrationId, SiteId), AdminRefusal> {
    let bits = FollowUpCode::parse(code).and_then(|code| i64::try_from(code.to_bits()).ok());
    let bits =
        bits.ok_or_else(|| refused(format!("{code} is no follow-up code; write it as on the paper")))?;
    let row = sqlx::query("SELECT id, site FROM registration WHERE code = $1")
        .bind(bits)
        .fetch_optional(db)
        .await?
        .ok_or_else(|| {
            refused("nobody registered here has this code; central admin registrations lists them")
        })?;
    let id = row.try_get::<&[u8], _>(0)?.try_into().map_err(|_| refused("a stored id cannot be read"))?;
    let site = SiteId::parse(row.try_get(1)?).ok_or_else(|| refused("a stored site id cannot be read"))?;
    Ok((RegistrationId(id), site))
}

impl Case {
    async fn read(
        db: &mut PgConnection,
        (registration, site): (RegistrationId, SiteId),
    ) -> Result<Self, AdminRefusal> {
        let row = sqlx::query(
            "SELECT kiosk.id, lost_s IS NOT NULL OR retired_s IS NOT NULL, state = 'kept', cancelled_s IS NOT NULL \
             FROM registration JOIN kiosk ON kiosk.id = registration.kiosk \
             WHERE registration.id = $1 FOR UPDATE OF registration",
        )
        .bind(registration.0.as_slice())
        .fetch_one(&mut *db)
        .await?;
        let kiosk = row.try_get::<&[u8], _>(0)?.try_into();
        Ok(Self {
            registration,
            site,
            kiosk: KioskId(kiosk.map_err(|_| refused("a stored id cannot be read"))?),
            out_of_reach: row.try_get(1)?,
            kept: row.try_get(2)?,
            given_up: row.try_get(3)?,
            honoured: arrivals::is_honoured(&mut *db, registration).await?,
            slot_at: dates::slot_of(&mut *db, registration).await?.map(|(_, at)| at),
            last: Proposed::last(db, registration).await?,
        })
    }

    /// The hour of the appointment, where there is one to come that can be annulled.
    fn standing(&self, today: Date) -> Result<DateTime, AdminRefusal> {
        if self.honoured {
            return Err(refused("the person was received; there is no appointment left to annul"));
        }
        if self.given_up {
            return Err(refused("the appointment was given up; there is none to annul"));
        }
        let at = self.slot_at.filter(|_| self.kept);
        let at = at.ok_or_else(|| {
            refused("there is no date on a paper to annul; ask again once the person has one")
        })?;
        if at.date() <= today {
            return Err(refused(format!(
                "the appointment is on {}, today or past; receive the person, and look into it then",
                at.date()
            )));
        }
        Ok(at)
    }

    /// What is to be decided.
    fn proposed(&self) -> Result<&Proposed, AdminRefusal> {
        match &self.last {
            Some(last) if last.state == "proposed" => Ok(last),
            Some(last) => Err(refused(format!(
                "nothing is proposed now, the last proposal stands as {}; propose it anew with --propose",
                last.state
            ))),
            None => Err(refused("nothing is proposed; propose it with --propose")),
        }
    }

    fn told(&self) -> Value {
        let last = self.last.as_ref();
        json!({
            "code_of": self.registration.to_string(),
            "given_up": self.given_up,
            "slot_at": self.slot_at.map(|at| at.strftime("%Y-%m-%dT%H:%M").to_string()),
            "state": last.map(|last| &last.state),
            "proposed_by": last.map(|last| &last.proposed_by),
            "reasons": last.map(|last| &last.reasons),
            "answer_by": last.map(|last| last.answer_by),
            "told": last.is_some_and(|last| last.until.is_some()),
            "until": last.and_then(|last| last.until),
            "heard": last.is_some_and(|last| last.heard),
            "answers": last.and_then(|last| last.answers.as_ref()),
            "decided_by": last.and_then(|last| last.decided.as_ref()).map(|(by, ..)| by),
            "decision": last.and_then(|last| last.decided.as_ref()).map(|(.., why)| why),
            "undone_by": last.and_then(|last| last.undone_by.as_ref()),
        })
    }
}

impl Proposed {
    async fn last(db: &mut PgConnection, registration: RegistrationId) -> Result<Option<Self>, AdminRefusal> {
        let row = sqlx::query(
            "SELECT id, state, proposed_by, reasons, answer_by::text, until::text, heard_s IS NOT NULL, answers, \
                    decided_by, decided_s, decision, undone_by \
             FROM annulment WHERE registration = $1 ORDER BY proposed_s DESC, state = 'proposed' DESC, id LIMIT 1",
        )
        .bind(registration.0.as_slice())
        .fetch_optional(db)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let day = |text: &str| text.parse().map_err(|_| refused("a stored day cannot be read"));
        let id = row.try_get::<&[u8], _>(0)?.try_into().map_err(|_| refused("a stored id cannot be read"))?;
        let decided = match (row.try_get(8)?, row.try_get::<Option<i64>, _>(9)?, row.try_get(10)?) {
            (Some(by), Some(at), Some(why)) => {
                let at = Timestamp::from_second(at).map_err(|_| refused("a stored moment cannot be read"))?;
                Some((by, at, why))
            }
            _ => None,
        };
        Ok(Some(Self {
            id: AnnulmentId(id),
            state: row.try_get(1)?,
            proposed_by: row.try_get(2)?,
            reasons: row.try_get(3)?,
            answer_by: day(row.try_get(4)?)?,
            until: row.try_get::<Option<&str>, _>(5)?.map(day).transpose()?,
            heard: row.try_get(6)?,
            answers: row.try_get(7)?,
            decided,
            undone_by: row.try_get(11)?,
        }))
    }

    /// The last day to answer, of somebody who was told.
    fn told_until(&self) -> Result<Date, AdminRefusal> {
        self.until.ok_or_else(|| {
            refused(
                "the person was not told: their kiosk has not said that they have the notice; nothing is annulled \
                 until they come back to it",
            )
        })
    }
}

/// Text of a file as one paragraph: it is printed, and read at a desk.
fn paragraph(what: &str, text: &str) -> Result<String, AdminRefusal> {
    let text: Vec<&str> = text.split_whitespace().collect();
    line(what, &text.join(" "), REASONS_MAX)
}

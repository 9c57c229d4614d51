//! A person stands at this kiosk with another's paper and gives the appointment up, takes that back, or
//! says that they will come. Central does it at once, or nothing is done: nothing is promised without
//! a network. What is done stands in this kiosk's journal too.

use crate::contract::{BirthFields, Problem, WordKind, WordView};
use crate::follow_up;
use crate::kiosk::Kiosk;
use crate::sync::transfer::RemoteFailure;
use domain::code::FollowUpCode;
use domain::ids::WordId;
use domain::offer::UNDO_DAYS;
use domain::word::Word;
use jiff::civil::DateTime;
use std::time::Duration;
use wire::body::{Body, Said, WordNoted};
use wire::messages::{WordAnswer, WordRequest, WordState};

/// How long the counter waits for central's word.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);

impl Kiosk {
    /// Says it for whoever has this paper and birth date. `slot_at` is the appointment they were told
    /// here; with another one by now, nothing is done. To give up and to take back are said of somebody
    /// whose document the mediator has seen.
    ///
    /// # Errors
    /// Nobody has unlocked, no document was seen, no paper has this code and birth date, the appointment is another, was
    /// honoured, is annulled or was left for one at another site, the days to take it back are over, or central cannot be asked.
    pub async fn say_elsewhere(
        &self,
        code: &str,
        birth: BirthFields,
        word: WordKind,
        slot_at: Option<String>,
        document_seen: bool,
    ) -> Result<WordView, Problem> {
        let mediator = self
            .off(|inner| {
                inner.day_is_known()?;
                inner.session().map(|session| session.mediator)
            })
            .await?;
        let code = FollowUpCode::parse(code).ok_or_else(|| Problem::new("bad_follow_up_code"))?;
        let asked = follow_up::asked(code, &birth).ok_or_else(|| Problem::new("follow_up_unknown"))?;
        let appointment = slot_at.as_deref().map(|at| at.parse::<DateTime>()).transpose();
        let appointment = appointment.map_err(|_| Problem::new("word_otherwise"))?;
        let says = says(word);
        if says.needs_a_document() && !document_seen {
            return Err(Problem::new("document_not_seen"));
        }
        let request = WordRequest {
            word: WordId(self.inner.world.bytes()),
            code,
            year: asked.year,
            month: asked.month,
            day: asked.day,
            says,
            appointment,
            mediator,
            document_seen,
        };
        let answer = self.say(&request).await?;
        done(&answer)?;
        self.off(move |inner| {
            let Some(registration) = answer.registration else { return Ok(()) };
            let WordRequest { word: id, mediator, .. } = request;
            let (kiosk, at) = (inner.identity.kiosk, inner.now());
            let said = Said { id, registration, code, says, appointment, kiosk, mediator, at };
            inner.vault.transact(|tx| inner.append(tx, &Body::Word(WordNoted { said, at }), at))
        })
        .await?;
        self.inner.wake.notify_one();
        let slot_at = answer.at.map(|at| at.strftime("%Y-%m-%dT%H:%M").to_string());
        Ok(WordView { word, slot_at, until: answer.until.map(|until| until.to_string()) })
    }

    async fn say(&self, request: &WordRequest) -> Result<WordAnswer, Problem> {
        let inner = &self.inner;
        match tokio::time::timeout(ANSWER_LIMIT, inner.remote.say(inner.caller(), request)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(RemoteFailure::Unreachable)) | Err(_) => Err(Problem::new("word_offline")),
            Ok(Err(failure)) => Err(failure.into()),
        }
    }
}

fn says(word: WordKind) -> Word {
    match word {
        WordKind::Cancel => Word::Cancel,
        WordKind::TakeBack => Word::TakeBack,
        WordKind::Come => Word::Come,
    }
}

fn done(answer: &WordAnswer) -> Result<(), Problem> {
    match answer.state {
        Some(WordState::Done) => Ok(()),
        None => Err(Problem::new("follow_up_unknown")),
        Some(WordState::Otherwise) => Err(Problem::new("word_otherwise")),
        Some(WordState::Honoured) => Err(Problem::new("word_honoured")),
        Some(WordState::Annulled) => Err(Problem::new("annulled")),
        Some(WordState::Transferred) => Err(Problem::new("word_transferred")),
        Some(WordState::TooLate) => Err(Problem::new("cancelled_too_long").with("days", UNDO_DAYS)),
        Some(WordState::PaperAlone) => Err(Problem::new("word_paper_alone")),
    }
}

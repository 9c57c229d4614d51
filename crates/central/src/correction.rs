//! A detail corrected at the kiosk that made the paper: taken when the same rule as there says that
//! it names the same person, else left to the desk. Never touches a place, a date or a slot.

use crate::device::Device;
use crate::{Central, Refusal, dates, nearby, registered, task};
use domain::correction::{self, CorrectionRefusal, Details};
use domain::ids::RegistrationId;
use domain::registration::Registration;
use domain::set_aside::Reason;
use domain::task::TaskKind;
use jiff::Timestamp;
use sqlx::{PgConnection, Row};
use wire::body::Correction;
use wire::messages::ListKind;

/// Longest code of a language (RFC 5646 has none longer in use), in characters.
const LANG_MAX: usize = 35;

/// Why a correction is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotTaken {
    /// No such registration of this kiosk, or no paper has named it yet.
    Unknown,
    /// Nobody could have typed it.
    Unsound,
    /// It names somebody else, or is one too many.
    Beyond(CorrectionRefusal),
}

impl NotTaken {
    /// Why the record is set aside.
    pub(crate) fn reason(self) -> Reason {
        match self {
            Self::Unknown => Reason::RegistrationUnknown,
            Self::Unsound => Reason::ValueRefused,
            Self::Beyond(_) => Reason::CorrectionRefused,
        }
    }
}

/// Takes what was corrected. Again it changes nothing; of two the later said stands.
pub(crate) async fn apply(
    db: &mut PgConnection,
    central: &Central,
    device: &Device,
    said: &Correction,
) -> Result<Result<(), NotTaken>, Refusal> {
    let row = sqlx::query(
        "SELECT body::text, (first_details -> 'applicant')::text, details_said_s FROM registration \
         WHERE id = $1 AND kiosk = $2 AND state = 'kept' FOR NO KEY UPDATE",
    )
    .bind(said.registration.0.as_slice())
    .bind(device.kiosk.0.as_slice())
    .fetch_optional(&mut *db)
    .await?;
    let Some(row) = row else { return Ok(Err(NotTaken::Unknown)) };
    let mut registration: Registration =
        serde_json::from_str(row.try_get(0)?).map_err(|_| Refusal::Stored("registration"))?;
    let stands = Details::of(&registration.applicant);
    let first = match row.try_get::<Option<&str>, _>(1)? {
        Some(text) => Details::of(&serde_json::from_str(text).map_err(|_| Refusal::Stored("applicant"))?),
        None => stands.clone(),
    };
    let before: Option<i64> = row.try_get(2)?;
    // No clock that is ahead makes a later correction wait.
    let at = said.at.min(central.now());
    let day = dates::day(&mut *db, &device.site, at).await?;
    if !said.details.is_sound(day) || !is_lang(&said.lang) {
        return Ok(Err(NotTaken::Unsound));
    }
    let later = before.is_none_or(|before| at.as_second() >= before);
    if said.details != stands {
        let taken = taken(&mut *db, said.registration).await?;
        // The same record of the kiosk's other chain.
        if taken.iter().any(|(said_s, details)| *said_s == at.as_second() && *details == said.details) {
            return Ok(Ok(()));
        }
        let since: Vec<Details> = taken.into_iter().map(|(_, details)| details).collect();
        if let Err(refusal) = correction::judge(&first, &since, &said.details) {
            return Ok(Err(NotTaken::Beyond(refusal)));
        }
        note(&mut *db, said, at).await?;
    } else if said.lang == registration.lang {
        return Ok(Ok(()));
    }
    if later {
        said.details.clone().stand_in(&mut registration.applicant);
        registration.lang.clone_from(&said.lang);
        stand(&mut *db, central, &registration, at).await?;
    }
    tell_doors(db, central, device).await?;
    Ok(Ok(()))
}

/// What a kiosk of ours would never have said is the desk's to look at: the place stands as it did.
pub(crate) async fn tell_desk(
    db: &mut PgConnection,
    central: &Central,
    device: &Device,
    said: &Correction,
    why: NotTaken,
) -> Result<(), Refusal> {
    let NotTaken::Beyond(refusal) = why else { return Ok(()) };
    let what = (TaskKind::CorrectionCheck, refusal.field_and_code().1);
    task::write(db, central, &device.site, said.registration, what, central.now().as_second()).await
}

async fn taken(db: &mut PgConnection, id: RegistrationId) -> Result<Vec<(i64, Details)>, Refusal> {
    let rows =
        sqlx::query("SELECT said_s, details::text FROM correction WHERE registration = $1 ORDER BY number")
            .bind(id.0.as_slice())
            .fetch_all(db)
            .await?;
    rows.iter()
        .map(|row| {
            let details = serde_json::from_str(row.try_get(1)?).map_err(|_| Refusal::Stored("correction"))?;
            Ok((row.try_get(0)?, details))
        })
        .collect()
}

async fn note(db: &mut PgConnection, said: &Correction, at: Timestamp) -> Result<(), Refusal> {
    sqlx::query(
        "INSERT INTO correction (registration, number, said_s, details) \
         SELECT $1, count(*) + 1, $2, $3::text::jsonb FROM correction WHERE registration = $1",
    )
    .bind(said.registration.0.as_slice())
    .bind(at.as_second())
    .bind(serde_json::to_string(&said.details).map_err(|_| Refusal::BadRecord)?)
    .execute(db)
    .await?;
    Ok(())
}

/// The registration is told with it from now on, and looked for by it.
async fn stand(
    db: &mut PgConnection,
    central: &Central,
    registration: &Registration,
    at: Timestamp,
) -> Result<(), Refusal> {
    sqlx::query(
        "UPDATE registration SET details_said_s = $2, \
         first_details = coalesce(first_details, jsonb_build_object('applicant', body -> 'applicant', 'lang', body -> 'lang')), \
         body = body || jsonb_build_object('applicant', $3::text::jsonb, 'lang', $4::text) WHERE id = $1",
    )
    .bind(registration.id.0.as_slice())
    .bind(at.as_second())
    .bind(serde_json::to_string(&registration.applicant).map_err(|_| Refusal::BadRecord)?)
    .bind(&registration.lang)
    .execute(&mut *db)
    .await?;
    registered::known_as(db, central, registration).await
}

/// The papers of a lost kiosk that are good are listed by the name on them.
async fn tell_doors(db: &mut PgConnection, central: &Central, device: &Device) -> Result<(), Refusal> {
    let lost = sqlx::query("SELECT 1 FROM kiosk WHERE id = $1 AND lost_s IS NOT NULL")
        .bind(device.kiosk.0.as_slice())
        .fetch_optional(&mut *db)
        .await?;
    if lost.is_some() {
        nearby::raise(db, &device.site, ListKind::Issuers, central.now()).await?;
    }
    Ok(())
}

fn is_lang(code: &str) -> bool {
    (2..=LANG_MAX).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

//! The people of one seed: few, so that some register twice; some with an AGDREF number
//! (certain duplicates), some without (never linked), names now and then written otherwise.

use super::chance::Dice;
use app::contract::{BirthFields, ContactFields, DraftFields, LimitFields};

/// Who registered for what, as far as *certain* goes: a number, a name, a birth date, a
/// procedure. None for somebody without a number.
pub(super) type Certain = Option<(u64, &'static str)>;

const PEOPLE: u64 = 7;
/// People up to here have an AGDREF number.
const NUMBERED: u64 = 4;
const NAMES: [(&str, &str); 7] = [
    ("Diallo", "DIALLÔ"),
    ("Nguyễn", "NGUYEN"),
    ("O'Brien", "OBRIEN"),
    ("El Amrani", "EL  AMRANI"),
    ("Traoré", "Traore"),
    ("Kovač", "KOVAC"),
    ("Silva", "SILVA"),
];
/// Everybody's own telephone: without one nobody cancels by it.
const PHONE: &str = "0612345678";
const PROCEDURES: [&str; 2] = ["renewal", "duplicate"];

/// Somebody at the counter, on some day of the site `seed`.
pub(super) fn somebody(dice: &mut Dice, seed: u64) -> (DraftFields, Certain) {
    let who = dice.below(PEOPLE);
    let at = usize::try_from(who).unwrap_or(0);
    let (written, otherwise) = NAMES.get(at).copied().unwrap_or(("Silva", "SILVA"));
    let procedure = PROCEDURES.get(dice.index(PROCEDURES.len())).copied().unwrap_or("renewal");
    let numbered = who < NUMBERED;
    // Numbers are national: no two seeds of one database may share one.
    let agdref = format!("{:010}", (seed % 999_999_999) * 10 + who);
    let limit = dice.chance(30).then(|| LimitFields {
        right: "court_injunction".to_owned(),
        last_day: String::new(),
        days: dice.between(1, 60).to_string(),
        evidence: "TA 2027-0001".to_owned(),
    });
    let fields = DraftFields {
        lang: "fr".to_owned(),
        family_names: if dice.chance(30) { otherwise } else { written }.to_owned(),
        given_names: "Awa".to_owned(),
        birth: BirthFields {
            day: "9".into(),
            month: "4".into(),
            year: (1960 + who).to_string(),
            ..Default::default()
        },
        nationality: "MLI".to_owned(),
        contact: ContactFields { phone: PHONE.to_owned(), ..Default::default() },
        agdref: if numbered { agdref } else { String::new() },
        procedure: procedure.to_owned(),
        limit,
        ..Default::default()
    };
    (fields, numbered.then_some((who, procedure)))
}

/// The same name as another clerk writes it; none for one that nobody of a seed has.
pub(super) fn otherwise(name: &str) -> Option<&'static str> {
    let is = |other: &str| other.split_whitespace().eq(name.split_whitespace());
    let (one, other) = NAMES.iter().find(|(one, other)| is(one) || is(other))?;
    Some(if is(one) { other } else { one })
}

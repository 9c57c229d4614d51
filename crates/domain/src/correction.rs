//! What may be corrected on a registration that is kept: a slip of the hand, another
//! transliteration. A place never changes hands by it: every writing that ever stood on one of its
//! papers is near every other, so small steps lead nowhere. A change beyond that is a new registration.

use crate::applicant::{self, Applicant, NAME_MAX, Nationality};
use crate::birth::{Birth, OLDEST_YEAR};
use crate::likeness::{self, POINTS_MAX};
use crate::text;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// Corrections of one registration: each makes a paper, and all of them stay good at a door.
pub const CORRECTIONS_MAX: usize = 3;
/// Years a mistyped year may be away: a parent of the same name was born further off.
const YEARS_MAX: i16 = 10;
/// Points of a part of the birth date, or of the nationality.
const OTHER_PART: u8 = 2;
/// Points where the day was not known, or is not.
const OTHER_FORM: u8 = 3;

/// What a door and the desk know a person by, as far as a counter may correct it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Details {
    pub family_names: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_names: Option<String>,
    pub birth: Birth,
    pub nationality: Nationality,
}

/// Why a change is none of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CorrectionRefusal {
    AnotherName,
    AnotherBirth,
    /// Each alone could be a slip; not all of them.
    Together,
    /// [`CORRECTIONS_MAX`] were made.
    TooMany,
}

impl CorrectionRefusal {
    /// The field and the code of the sentence.
    #[must_use]
    pub fn field_and_code(self) -> (&'static str, &'static str) {
        match self {
            Self::AnotherName => ("family_names", "correction_name"),
            Self::AnotherBirth => ("birth.year", "correction_birth"),
            Self::Together => ("family_names", "correction_together"),
            Self::TooMany => ("family_names", "correction_too_many"),
        }
    }
}

/// May this registration be corrected so? `first` is what it came with, `since` every correction in
/// the order made.
///
/// # Errors
/// See [`CorrectionRefusal`].
pub fn judge(first: &Details, since: &[Details], said: &Details) -> Result<(), CorrectionRefusal> {
    if since.len() >= CORRECTIONS_MAX {
        return Err(CorrectionRefusal::TooMany);
    }
    std::iter::once(first).chain(since).try_for_each(|stood| near(stood, said))
}

/// Could these be one person's, one of them mistyped? The same both ways round.
///
/// # Errors
/// What is too far apart; never `TooMany`.
pub fn near(one: &Details, other: &Details) -> Result<(), CorrectionRefusal> {
    let name = one.names_apart(other).ok_or(CorrectionRefusal::AnotherName)?;
    let birth = births_apart(one.birth, other.birth).ok_or(CorrectionRefusal::AnotherBirth)?;
    let nationality = if one.nationality == other.nationality { 0 } else { OTHER_PART };
    if name + birth + nationality > POINTS_MAX { Err(CorrectionRefusal::Together) } else { Ok(()) }
}

impl Details {
    #[must_use]
    pub fn of(applicant: &Applicant) -> Self {
        Self {
            family_names: applicant.family_names.clone(),
            given_names: applicant.given_names.clone(),
            birth: applicant.birth,
            nationality: applicant.nationality,
        }
    }

    /// The name as a paper prints it.
    #[must_use]
    pub fn name_as_printed(&self) -> String {
        applicant::printed(&self.family_names, self.given_names.as_deref())
    }

    /// The applicant with these; all else stays.
    pub fn stand_in(self, applicant: &mut Applicant) {
        let Self { family_names, given_names, birth, nationality } = self;
        applicant.family_names = family_names;
        applicant.given_names = given_names;
        applicant.birth = birth;
        applicant.nationality = nationality;
    }

    /// Could they have been typed on `today`, written as this program writes them?
    #[must_use]
    pub fn is_sound(&self, today: Date) -> bool {
        let line = |name: &str| text::one_line(name, NAME_MAX).is_ok_and(|line| line == name);
        let born = match self.birth {
            Birth::Whole { date } => date.year() >= OLDEST_YEAR && date <= today,
            Birth::Year { year } | Birth::Customary { year } => (OLDEST_YEAR..=today.year()).contains(&year),
        };
        born && line(&self.family_names) && self.given_names.as_deref().is_none_or(line)
    }

    /// Points between the two names; none when they are not one.
    pub(crate) fn names_apart(&self, other: &Self) -> Option<u8> {
        let [one, other] = [self, other].map(|of| (of.family_names.as_str(), of.given_names.as_deref()));
        if one == other { Some(0) } else { likeness::apart(one, other) }
    }
}

/// One part mistyped, day and month the other way round, or a day that was not known; none when two
/// people were born then.
fn births_apart(one: Birth, other: Birth) -> Option<u8> {
    if one == other {
        return Some(0);
    }
    match (one, other) {
        (Birth::Whole { date: one }, Birth::Whole { date: other }) => {
            let same_year = one.year() == other.year();
            let turned = same_year && one.day() == other.month() && one.month() == other.day();
            let (day, month) = (one.day() != other.day(), one.month() != other.month());
            let slip = match (same_year, day, month) {
                (true, true, false) | (true, false, true) => true,
                (false, false, false) => is_year_slip(one.year(), other.year()),
                _ => turned,
            };
            slip.then_some(OTHER_PART)
        }
        (Birth::Year { year: one }, Birth::Year { year: other })
        | (Birth::Customary { year: one }, Birth::Customary { year: other }) => {
            is_year_slip(one, other).then_some(OTHER_PART)
        }
        _ => (one.said().0 == other.said().0).then_some(OTHER_FORM),
    }
}

/// One digit, or the last two the other way round.
fn is_year_slip(one: i16, other: i16) -> bool {
    let digits = |year: i16| [year / 1_000 % 10, year / 100 % 10, year / 10 % 10, year % 10];
    let ([a, b, c, d], [e, f, g, h]) = (digits(one), digits(other));
    let others = [a != e, b != f, c != g, d != h].into_iter().filter(|other| *other).count();
    let turned = (a, b, c, d) == (e, f, h, g);
    (others == 1 || turned) && (one - other).abs() <= YEARS_MAX
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use proptest::prelude::*;

    fn named(family: &str, given: &str) -> Details {
        Details {
            family_names: family.into(),
            given_names: (!given.is_empty()).then(|| given.into()),
            birth: Birth::Whole { date: date(1991, 3, 14) },
            nationality: Nationality::parse("MAR").unwrap(),
        }
    }

    #[test]
    fn a_slip_or_another_transliteration_is_the_same_person() {
        for (one, other) in [
            (("DIALLO", "Mohamed"), ("DIALLO", "Mohammed")),
            (("Diallo", "Mohamed"), ("DIALLO", "Muhammad")),
            (("EL AMRANI", "Youssef"), ("ELAMRANI", "Yusuf")),
            (("EL AMRANI", "Youssef"), ("AMRANI", "Youssef")),
            (("BEN ALI", "Mohamed"), ("BENALI", "Mohammed")),
            (("ABDELKADER", "Karim"), ("ABD EL KADER", "Karim")),
            (("ABDELKADER", "Karim"), ("Abdulqadir", "Karim")),
            // Order of family and given names; a hyphen; marks.
            (("NGUYỄN", "Văn Minh"), ("VAN MINH", "Nguyen")),
            (("Nguyễn", "Thị-Hoa"), ("NGUYEN THI HOA", "")),
            (("Đặng", "Thu"), ("DANG", "Thu")),
            (("N'DIAYE", "Aïssatou"), ("NDIAYE", "Aissatou")),
            (("TRAORÉ", "Fatoumata"), ("TRAORE", "Fatoumatta")),
            // Cyrillic, Ethiopic, Armenian, Georgian; and the same in two transliterations.
            (("ИВАНОВ", "Сергей"), ("IVANOV", "Sergey")),
            (("ИВАНОВ", "Сергей"), ("IVANOFF", "Serguei")),
            (("Жуков", "Евгений"), ("JOUKOV", "Evgueni")),
            (("Шевченко", "Олександр"), ("CHEVTCHENKO", "Oleksandr")),
            (("ሃይለ", "ተስፋዬ"), ("HAILE", "Tesfaye")),
            (("Մարտիրոսյան", "Արմեն"), ("MARTIROSYAN", "Armen")),
            (("ბერიძე", "გიორგი"), ("BERIDZE", "Giorgi")),
            // Arabic, whose vowels are not written.
            (("بن علي", "محمد"), ("BEN ALI", "Mohamed")),
            (("القادري", "يوسف"), ("EL KADIRI", "Youssef")),
            (("شريف", "خالد"), ("CHERIF", "Khaled")),
            (("محمّد", "خالد"), ("محمد", "خالد")),
            // A given name that was left out, or one too many.
            (("DIALLO", ""), ("DIALLO", "Awa")),
            (("SANTOS SILVA", "Maria"), ("DOS SANTOS DA SILVA", "Maria José")),
            (("BEN ALI", "Abd El Kader"), ("BENALI", "Abdelkader")),
            (("VAN DAM", "Jan"), ("DAM", "Jan")),
            (("LE", "Van Dung"), ("LÊ", "Văn Dũng")),
            (("BAH", "Aissatou"), ("BA", "Aissatou")),
            (("PARK", "Min"), ("BARK", "Min")),
            (("MARTINEZ", "Ana"), ("MATRINEZ", "Ana")),
            // A letter struck wrongly, left out, or two the other way round.
            (("OUEDRAOGO", "Salimata"), ("OUEDRAGO", "Salimata")),
            (("KONATE", "Ibrahim"), ("KONATE", "Ibrahmi")),
            (("DURAND", "Karim"), ("DURAND", "Farim")),
        ] {
            let (one, other) = (named(one.0, one.1), named(other.0, other.1));
            assert_eq!(near(&one, &other), Ok(()), "{one:?} {other:?}");
            assert_eq!(near(&other, &one), Ok(()), "{other:?} {one:?}");
        }
    }

    #[test]
    fn another_person_is_another_name() {
        for (one, other) in [
            (("DIALLO", "Mohamed"), ("DIALLO", "Ahmed")),
            (("DIALLO", "Mohamed"), ("DIALLO", "Mamadou")),
            (("DIALLO", "Hassan"), ("DIALLO", "Hussein")),
            (("DIALLO", "Awa"), ("DIALLO", "Adama")),
            (("DIALLO", "Amina"), ("DIALLO", "Imane")),
            (("DIALLO", "Lina"), ("DIALLO", "Dina")),
            (("DIALLO", "Karim"), ("DIALLO", "Salim")),
            (("DIALLO", "Mohamed"), ("TRAORE", "Mohamed")),
            (("NGUYEN", "Van Minh"), ("NGUYEN", "Van Dung")),
            (("LI", "Wei"), ("LU", "Wei")),
            (("BA", "Oumar"), ("SY", "Oumar")),
            // Names elsewhere, particles here.
            (("LÊ", "Dung"), ("ĐỖ", "Dung")),
            (("LÊ", "Dung Hoa"), ("TRẦN", "Dung Hoa")),
            (("LÊ", "Thi Hoa Mai"), ("ĐỖ", "Thi Hoa Mai")),
            (("LE VAN DUNG", ""), ("DO VAN DUNG", "")),
            (("DE SILVA", "Ana Maria"), ("LA SILVA", "Ana Maria")),
            (("ИВАНОВ", "Сергей"), ("ИВАНОВ", "Андрей")),
            (("ИВАНОВ", "Сергей"), ("PETROV", "Sergey")),
            (("محمد", "خالد"), ("محمد", "سالم")),
            (("محمد", "خالد"), ("MOHAMED", "Salem")),
            (("علي", "خالد"), ("ELA", "Khaled")),
            (("DIALLO", "Awa"), ("DIALLO", "Binta Awa Mariam Fanta")),
            (("DIALLO", ""), ("", "")),
            (("--", ""), ("DIALLO", "")),
            (("BEN", ""), ("LE", "")),
        ] {
            let (one, other) = (named(one.0, one.1), named(other.0, other.1));
            assert_eq!(near(&one, &other), Err(CorrectionRefusal::AnotherName), "{one:?} {other:?}");
            assert_eq!(near(&other, &one), Err(CorrectionRefusal::AnotherName), "{other:?} {one:?}");
        }
    }

    fn born(birth: Birth) -> Details {
        Details { birth, ..named("DIALLO", "Awa") }
    }

    #[test]
    fn one_part_of_a_birth_date_may_be_wrong_and_no_more() {
        let whole = |y, m, d| Birth::Whole { date: date(y, m, d) };
        let (year, customary) = (|year| Birth::Year { year }, |year| Birth::Customary { year });
        for (one, other) in [
            (whole(1991, 3, 14), whole(1991, 3, 4)),
            (whole(1991, 3, 14), whole(1991, 8, 14)),
            (whole(1991, 3, 14), whole(1990, 3, 14)),
            (whole(1991, 3, 14), whole(1981, 3, 14)),
            (whole(1989, 3, 14), whole(1998, 3, 14)),
            (whole(1991, 3, 4), whole(1991, 4, 3)),
            (year(1991), whole(1991, 5, 2)),
            (customary(1991), whole(1991, 5, 2)),
            (customary(1991), year(1991)),
            (year(1991), year(1997)),
        ] {
            assert_eq!(near(&born(one), &born(other)), Ok(()), "{one} {other}");
            assert_eq!(near(&born(other), &born(one)), Ok(()), "{other} {one}");
        }
        for (one, other) in [
            (whole(1991, 3, 14), whole(1991, 4, 15)),
            (whole(1991, 3, 14), whole(1992, 3, 15)),
            (whole(1991, 3, 4), whole(1992, 4, 3)),
            // A father of the same name.
            (whole(1991, 3, 14), whole(1961, 3, 14)),
            (customary(1970), customary(1990)),
            (whole(1958, 3, 14), whole(1985, 3, 14)),
            (whole(1991, 3, 14), whole(2000, 3, 14)),
            (whole(1991, 3, 14), whole(1986, 3, 14)),
            (year(1991), whole(1992, 1, 1)),
        ] {
            let refused = Err(CorrectionRefusal::AnotherBirth);
            assert_eq!(near(&born(one), &born(other)), refused, "{one} {other}");
            assert_eq!(near(&born(other), &born(one)), refused, "{other} {one}");
        }
    }

    #[test]
    fn never_all_at_once() {
        let first = named("DIALLO", "Mohamed");
        let other = Nationality::parse("DZA").unwrap();
        let day = Birth::Whole { date: date(1991, 3, 4) };
        let change = |name: &str, birth, nationality| Details {
            given_names: Some(name.into()),
            birth,
            nationality,
            ..first.clone()
        };
        let (as_is, stays) = (first.birth, first.nationality);
        assert_eq!(near(&first, &change("Mohamed", as_is, other)), Ok(()));
        assert_eq!(near(&first, &change("Mohamed", day, other)), Ok(()));
        assert_eq!(near(&first, &change("Muhammad", day, stays)), Ok(()));
        // Only written otherwise: no point of it.
        assert_eq!(near(&first, &change("MOHAMMED", day, other)), Ok(()));
        let together = Err(CorrectionRefusal::Together);
        assert_eq!(near(&first, &change("Muhammad", day, other)), together);
        // A day that was not known is more than a slip.
        let year = Details { birth: Birth::Year { year: 1991 }, ..first.clone() };
        assert_eq!(near(&year, &change("Mohamet", as_is, stays)), Ok(()));
        assert_eq!(near(&year, &change("Muhammad", as_is, stays)), together);
        assert_eq!(near(&year, &change("Mohamed", as_is, other)), together);
        // One name alone names many: nothing else may be wrong with it.
        let one_name = Details { given_names: None, ..first.clone() };
        assert_eq!(near(&one_name, &first), Ok(()));
        assert_eq!(near(&one_name, &change("Mohamed", day, stays)), together);
        assert_eq!(near(&one_name, &change("Mohamed", as_is, other)), together);
    }

    /// Of one part alone its particle is half of what is known.
    #[test]
    fn a_particle_is_free_beside_two_other_parts() {
        let day = Birth::Whole { date: date(1991, 3, 4) };
        for (with, without, free) in
            [(("EL AMRANI", "Awa"), ("AMRANI", "Awa"), true), (("EL AMRANI", ""), ("AMRANI", ""), false)]
        {
            let (one, other) = (named(with.0, with.1), named(without.0, without.1));
            assert_eq!(near(&one, &other), Ok(()));
            let both = near(&one, &Details { birth: day, ..other });
            assert_eq!(both, if free { Ok(()) } else { Err(CorrectionRefusal::Together) });
        }
    }

    #[test]
    fn corrections_add_up_and_end() {
        let first = named("DIALLO", "");
        let (awa, binta) = (named("DIALLO", "Awa"), named("DIALLO", "Binta"));
        assert_eq!(judge(&first, &[], &awa), Ok(()));
        assert_eq!(judge(&first, &[], &binta), Ok(()));
        // Back to the first, and from there to somebody else: no.
        let since = [awa.clone(), first.clone()];
        assert_eq!(judge(&first, &since, &binta), Err(CorrectionRefusal::AnotherName));
        assert_eq!(judge(&first, &since, &awa), Ok(()));
        let all = [awa.clone(), first.clone(), awa];
        assert_eq!(judge(&first, &all, &first), Err(CorrectionRefusal::TooMany));
        for (refusal, told) in [
            (CorrectionRefusal::AnotherName, ("family_names", "correction_name")),
            (CorrectionRefusal::AnotherBirth, ("birth.year", "correction_birth")),
            (CorrectionRefusal::Together, ("family_names", "correction_together")),
            (CorrectionRefusal::TooMany, ("family_names", "correction_too_many")),
        ] {
            assert_eq!(refusal.field_and_code(), told);
        }
    }

    #[test]
    fn what_nobody_could_have_typed_is_not_sound() {
        let today = date(2027, 3, 1);
        let good = named("DIALLO", "Awa");
        assert!(good.is_sound(today));
        for wrong in [
            named("", ""),
            named(" DIALLO", ""),
            named("a\u{202e}b", ""),
            named("DIALLO", "a\nb"),
            named(&"x".repeat(NAME_MAX + 1), ""),
            Details { given_names: Some(String::new()), ..good.clone() },
            Details { birth: Birth::Whole { date: date(2027, 3, 2) }, ..good.clone() },
            Details { birth: Birth::Year { year: 1899 }, ..good.clone() },
            Details { birth: Birth::Customary { year: 2028 }, ..good.clone() },
        ] {
            assert!(!wrong.is_sound(today), "{wrong:?}");
        }
    }

    fn name() -> impl Strategy<Value = String> {
        prop_oneof![
            "[A-Za-z]{1,9}( [a-z]{1,9}){0,3}",
            "(ben|el|mohamed|mohammed|ali|amina|imane|awa|diallo|dialo){1}( (ben|el|ali|awa|mohamed)){0,3}",
            "[ا-ي]{2,7}( [ا-ي]{2,7}){0,2}",
            "[а-я]{2,7}( [а-я]{2,7}){0,2}",
            "\\PC{0,30}",
        ]
    }

    fn details() -> impl Strategy<Value = Details> {
        let nationality = prop_oneof![Just("MAR"), Just("DZA")];
        let birth = prop_oneof![
            (1985i16..1995, 1i8..=12, 1i8..=28).prop_map(|(y, m, d)| Birth::Whole { date: date(y, m, d) }),
            (1985i16..1995).prop_map(|year| Birth::Year { year }),
            (1985i16..1995).prop_map(|year| Birth::Customary { year }),
        ];
        (name(), proptest::option::of(name()), birth, nationality).prop_map(|(family, given, birth, code)| {
            Details {
                family_names: family,
                given_names: given,
                birth,
                nationality: Nationality::parse(code).unwrap(),
            }
        })
    }

    proptest! {
        #[test]
        fn the_rule_is_the_same_both_ways_round(one in details(), other in details()) {
            prop_assert_eq!(near(&one, &other), near(&other, &one));
            prop_assert_eq!(near(&one, &one), Ok(()));
        }

        /// Case, accents, hyphens and the order of the names are free, whatever else is corrected.
        #[test]
        fn how_a_name_is_written_costs_nothing(one in details(), other in details()) {
            let mut turned = one.clone();
            if let Some(given) = turned.given_names.as_mut() {
                std::mem::swap(given, &mut turned.family_names);
            }
            turned.family_names = turned.family_names.to_uppercase().replace(' ', "-");
            prop_assume!(!one.family_names.chars().chain(turned.family_names.chars()).any(|c| !c.is_ascii()));
            prop_assume!(turned.given_names.as_ref().is_none_or(|given| given.is_ascii()));
            let letters = |of: &Details| of.family_names.chars().any(|c| c.is_ascii_alphabetic());
            prop_assume!(letters(&one) && letters(&turned));
            let birth = Details { birth: other.birth, nationality: other.nationality, ..one.clone() };
            let both = Details { birth: other.birth, nationality: other.nationality, ..turned.clone() };
            prop_assert_eq!(near(&one, &turned), Ok(()));
            prop_assert_eq!(near(&one, &birth), near(&one, &both));
        }

        /// However the steps are chosen, everything that ever stood on a paper of one place is near
        /// everything else, and there are few of them.
        #[test]
        fn small_steps_never_lead_to_somebody_else(first in details(), steps in proptest::collection::vec((0usize..4, 0usize..9, "[a-z]", 1i8..=28), 0..40)) {
            let mut since: Vec<Details> = Vec::new();
            for (what, at, letter, day) in steps {
                let mut said = since.last().unwrap_or(&first).clone();
                let changed: String =
                    said.family_names.chars().enumerate().map(|(n, c)| if n == at { letter.chars().next().unwrap() } else { c }).collect();
                match what {
                    0 => said.family_names = changed,
                    1 => said.given_names = Some(letter.repeat(3)),
                    2 => said.birth = Birth::Whole { date: date(said.birth.said().0, 5, day) },
                    _ => said.given_names = None,
                }
                if judge(&first, &since, &said).is_ok() {
                    since.push(said);
                }
            }
            prop_assert!(since.len() <= CORRECTIONS_MAX);
            let all: Vec<_> = std::iter::once(&first).chain(&since).collect();
            for one in &all {
                for other in &all {
                    prop_assert_eq!(near(one, other), Ok(()));
                }
            }
        }

        #[test]
        fn no_name_takes_long_or_panics(one in "\\PC{0,200}", other in "\\PC{0,200}") {
            let _ = near(&named(&one, ""), &named(&other, &one));
        }
    }
}

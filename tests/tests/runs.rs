#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test that fails here has failed
//! Records that arrive together are applied together; whatever stands among them, it comes to
//! the same as one by one. Random journals are pushed at once at one site, record by record
//! at another, and everything central then knows and tells is compared. Some of their people moved
//! from a third site, whose papers they name.

use central::admin::NewSite;
use domain::birth::Birth;
use domain::bytes::Hash;
use domain::code::FollowUpCode;
use domain::ids::{AttemptId, KioskId, LeaseId, MediatorId, RegistrationId, SiteId, WordId};
use domain::limit::{Right, TimeLimit};
use domain::token::SignedToken;
use domain::word::Word;
use jiff::civil::{Date, date};
use jiff::{Timestamp, ToSpan as _};
use journeys::device::{Device, Service, site};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;
use sqlx::Row as _;
use std::sync::atomic::Ordering;
use wire::body::{
    Body as Says, Cancellation, Outcome, Print, PrintOutcome, Registered, Reinstatement, Release, Said,
    Transfer, WordNoted,
};
use wire::bytes::Bytes;
use wire::messages::{Change, Told};
use wire::record::Record;

const TODAY: Date = date(2027, 3, 9);
/// Records of a journal: one each second of a minute.
const RECORDS_MAX: usize = 30;
/// Papers of the third site; the last of them was given up before anybody named it.
const LEFT: u8 = 3;
/// Their numbers among those of a side, after its own records'.
const LEFT_FROM: u8 = 200;

/// Who is registered.
#[derive(Debug, Clone, Copy, Default)]
struct Someone {
    /// One of three people known by their number, or nobody else.
    number: Option<u8>,
    limit: Option<i32>,
    /// The paper of the third site they name; one more than there are is nobody's.
    moved: Option<u8>,
}

/// What the next record says. Numbers are counted round.
#[derive(Debug, Clone)]
enum Act {
    Ranked(Someone),
    /// A date out of the lease, which another may have been given too.
    Leased(usize, Someone),
    /// A token nobody signed.
    Forged,
    Elsewhere,
    /// The registration of an earlier record, told in another way.
    Again(usize),
    /// Slots go back that may have been given.
    Released(usize),
    Printed(usize),
    /// The appointment at the new site is kept, and the one left behind is over.
    Moved(usize),
    GivenUp(usize),
    TakenBack(usize),
    /// A word of somebody registered before, said here or at the third site's kiosk; the last one is
    /// of somebody nobody knows.
    Word(Option<usize>, Word, bool),
    Unknown,
}

fn act() -> impl Strategy<Value = Act> {
    let number = prop::option::weighted(0.4, 0u8..3);
    let limit = prop::option::weighted(0.2, 0i32..6);
    let moved = prop::option::weighted(0.3, 0u8..=LEFT);
    let someone = (number, limit, moved).prop_map(|(number, limit, moved)| Someone { number, limit, moved });
    let word =
        (prop::option::weighted(0.9, 0usize..20), prop::sample::select(Word::ALL.to_vec()), any::<bool>());
    prop_oneof![
        12 => someone.clone().prop_map(Act::Ranked),
        12 => (0usize..14, someone).prop_map(|(nth, someone)| Act::Leased(nth, someone)),
        1 => Just(Act::Forged),
        1 => Just(Act::Elsewhere),
        1 => (0usize..20).prop_map(Act::Again),
        1 => (0usize..14).prop_map(Act::Released),
        3 => (0usize..20).prop_map(Act::Printed),
        3 => (0usize..20).prop_map(Act::Moved),
        2 => (0usize..20).prop_map(Act::GivenUp),
        2 => (0usize..20).prop_map(Act::TakenBack),
        4 => word.prop_map(|(of, says, here)| Act::Word(of, says, here)),
        1 => Just(Act::Unknown),
    ]
}

/// A site of its own with an enrolled device that has a lease.
struct Side {
    device: Device,
    /// A kiosk of the site whose papers some of them name.
    left: Device,
    lease: LeaseId,
    tokens: Vec<Bytes>,
    /// Of the case and the side: ids, codes and numbers of all of them share one table.
    mark: u16,
}

impl Side {
    async fn set_up(service: &Service, mark: u16) -> Self {
        let device = enrolled(service, &format!("SIDE-{mark}"), (mark, 1)).await;
        let left = enrolled(service, &format!("LEFT-{mark}"), (mark, 2)).await;
        let asked = json!({ "today": TODAY.to_string(), "incarnation": 1 });
        assert_eq!(device.say(service, "POST", "/v1/lease", &asked).await.unwrap().status, 200);
        let pulled = device.pull(service, 0).await.unwrap();
        let lent = pulled.changes.iter().find_map(|told| match told {
            Told::Known(Change::Lease { lease, slots, .. }) => {
                Some((*lease, slots.iter().map(|slot| slot.token.clone()).collect()))
            }
            _ => None,
        });
        let (lease, tokens) = lent.unwrap();
        let mut side = Self { device, left, lease, tokens, mark };
        side.register_left(service).await;
        side
    }

    /// Whoever some of them say they were, at the third site.
    async fn register_left(&mut self, service: &Service) {
        let ago = |seconds: i64| service.now().saturating_sub(seconds.seconds()).unwrap();
        let mut records = Vec::new();
        for n in 0..LEFT {
            let at = ago(i64::from(100 - n));
            let mut registration = self.left.registration_at(at, self.own(LEFT_FROM + n), "A").unwrap();
            registration.code = self.left_code(n);
            let outcome = Outcome::Rank { held: None, told: None, busy: None };
            let told = Registered { registration, outcome, at, day_declared: false };
            records.push(self.left.says(&Says::Registration(Box::new(told))).unwrap());
        }
        let (mediator, at) = (demo(), ago(50));
        let registration = RegistrationId(self.own(LEFT_FROM + LEFT - 1));
        let over = Cancellation { registration, mediator, at };
        records.push(self.left.says(&Says::Cancellation(over)).unwrap());
        assert_eq!(self.left.push(service, records).await.unwrap().status, 200);
    }

    /// The code of a paper of the third site.
    fn left_code(&self, n: u8) -> FollowUpCode {
        FollowUpCode::from_random(self.own(LEFT_FROM + n)[..8].try_into().unwrap())
    }

    fn journal(&mut self, service: &Service, story: &[Act]) -> Vec<Record> {
        let mut told: Vec<Registered> = Vec::new();
        story.iter().enumerate().map(|(n, act)| self.record(service, n, act, &mut told)).collect()
    }

    fn record(&mut self, service: &Service, n: usize, act: &Act, told: &mut Vec<Registered>) -> Record {
        let n = u8::try_from(n).unwrap();
        let at = said_at(service, n);
        let mediator = demo();
        let of = |earlier: &usize| {
            let told = told.get(earlier % told.len().max(1));
            told.map_or(RegistrationId([0; 16]), |told| told.registration.id)
        };
        let rank = Outcome::Rank { held: None, told: None, busy: None };
        let leased = |token: Bytes| Outcome::Lease { lease: self.lease, token };
        let body = match act {
            Act::Ranked(someone) => self.registered(service, n, *someone, rank),
            Act::Leased(nth, someone) => {
                let token = self.tokens[nth % self.tokens.len()].clone();
                self.registered(service, n, *someone, leased(token))
            }
            Act::Forged => {
                let mut token = self.tokens[0].clone();
                *token.0.last_mut().unwrap() ^= 1;
                self.registered(service, n, Someone::default(), leased(token))
            }
            Act::Elsewhere => {
                let mut told = self.registered(service, n, Someone::default(), rank);
                told.registration.site = SiteId::parse("TWO").unwrap();
                told
            }
            Act::Again(earlier) => match told.get(earlier % told.len().max(1)) {
                Some(earlier) => {
                    let mut told = earlier.clone();
                    told.registration.applicant.family_names.push('X');
                    told
                }
                None => self.registered(service, n, Someone::default(), rank),
            },
            Act::Released(nth) => {
                let token = SignedToken::from_bytes(&self.tokens[nth % self.tokens.len()].0).unwrap();
                let slots = vec![token.token.slot];
                return self.device.says(&Says::Release(Release { lease: self.lease, slots, at })).unwrap();
            }
            Act::Printed(earlier) => {
                let said = Print {
                    registration: of(earlier),
                    attempt: AttemptId(self.own(n)),
                    state: PrintOutcome::Printed,
                    sha256: Hash([0; 32]),
                    mediator,
                    at,
                };
                return self.device.says(&Says::Print(said)).unwrap();
            }
            Act::Moved(earlier) => {
                let said = Transfer { registration: of(earlier), mediator, at };
                return self.device.says(&Says::Transfer(said)).unwrap();
            }
            Act::GivenUp(earlier) => {
                let said = Cancellation { registration: of(earlier), mediator, at };
                return self.device.says(&Says::Cancellation(said)).unwrap();
            }
            Act::TakenBack(earlier) => {
                let said = Reinstatement { registration: of(earlier), mediator, at };
                return self.device.says(&Says::Reinstatement(said)).unwrap();
            }
            Act::Word(earlier, says, here) => {
                let of = earlier.and_then(|earlier| told.get(earlier % told.len().max(1)));
                let said = self.word(n, of, (*says, *here), at);
                return self.device.says(&Says::Word(WordNoted { said, at })).unwrap();
            }
            Act::Unknown => return self.device.record("from_the_future", b"{}".to_vec()).unwrap(),
        };
        told.push(body.clone());
        self.device.says(&Says::Registration(Box::new(body))).unwrap()
    }

    fn own(&self, n: u8) -> [u8; 16] {
        let mut own = [0; 16];
        own[..2].copy_from_slice(&self.mark.to_be_bytes());
        own[7] = n;
        own[15] = 1;
        own
    }

    /// What somebody said, at this kiosk or at the third site's.
    fn word(&self, n: u8, of: Option<&Registered>, (says, here): (Word, bool), at: Timestamp) -> Said {
        let token = of.and_then(|told| SignedToken::from_bytes(told.outcome.token()?));
        let kiosk: KioskId = if here { self.device.kiosk } else { self.left.kiosk };
        Said {
            id: WordId(self.own(n)),
            registration: of.map_or(RegistrationId(self.own(n)), |told| told.registration.id),
            code: of.map_or(self.left_code(n), |told| told.registration.code),
            says,
            appointment: token.map(|signed| signed.token.at),
            kiosk,
            mediator: demo(),
            at,
        }
    }

    fn registered(&self, service: &Service, n: u8, someone: Someone, outcome: Outcome) -> Registered {
        let at = said_at(service, n);
        let mut registration = self.device.registration_at(at, self.own(n), "A").unwrap();
        registration.code = FollowUpCode::from_random(self.own(n)[..8].try_into().unwrap());
        registration.moved = someone.moved.map(|paper| self.left_code(paper));
        if let Some(person) = someone.number {
            registration.applicant.birth = Birth::Whole { date: date(1990, 1, 2) };
            let number = format!("{:09}", u32::from(self.mark) * 10 + u32::from(person));
            registration.applicant.agdref = Some(domain::applicant::Agdref::parse(&number).unwrap());
        }
        registration.limit = someone.limit.map(|days| TimeLimit {
            right: Right::CourtInjunction,
            last_day: TODAY.saturating_add(days.days()),
            evidence: "TA".into(),
        });
        Registered { registration, outcome, at, day_declared: false }
    }

    /// All that central knows of these records, in words that name neither site nor id.
    async fn known(&self, service: &Service) -> Vec<String> {
        let pulled = self.device.pull(service, 0).await.unwrap();
        let left = self.left.pull(service, 0).await.unwrap();
        let rows = sqlx::query(
            "SELECT jsonb_build_array(record.kiosk = $1, record.seq, record.kind, record.state, record.reason, \
                    slot.at, slot.extra <> 0, slot.lease IS NOT NULL, \
                    registration.state, registration.after_limit, registration.cancelled_s, registration.ranked_s, \
                    first.registered_s, transfer.earlier IS NOT NULL, transfer.kept_s, transfer.over, \
                    (SELECT string_agg(reason, ' ' ORDER BY reason) FROM escalation WHERE registration = registration.id), \
                    (SELECT string_agg(kind || due || coalesce(answer, ''), ' ' ORDER BY kind, id) FROM task \
                     WHERE registration = registration.id), \
                    (SELECT string_agg(says || said_s || coalesce(done_s, 0), ' ' ORDER BY said_s) FROM word \
                     WHERE registration = record.registration))::text \
             FROM record LEFT JOIN registration ON registration.id = record.registration \
             LEFT JOIN slot ON slot.registration = registration.id \
             LEFT JOIN transfer ON transfer.registration = registration.id \
             LEFT JOIN merge_link ON later = registration.id LEFT JOIN registration AS first ON first.id = merge_link.earlier \
             WHERE record.kiosk IN ($1, $2) ORDER BY record.kiosk = $1, record.seq",
        )
        .bind(self.device.kiosk.0.as_slice())
        .bind(self.left.kiosk.0.as_slice())
        .fetch_all(&service.pool)
        .await
        .unwrap();
        let mut known: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        let free: i64 = sqlx::query(
            "SELECT count(*) FROM slot WHERE site = $1 AND registration IS NULL AND lease IS NULL AND NOT withheld",
        )
        .bind(self.device.site.as_str())
        .fetch_one(&service.pool)
        .await
        .unwrap()
        .get(0);
        known.push(format!("{free} free"));
        known.push(format!("quarantined: {}", pulled.quarantined));
        known.extend(pulled.changes.iter().chain(&left.changes).filter_map(|told| match told {
            Told::Known(Change::Dated { token, .. }) => {
                Some(format!("dated {}", SignedToken::from_bytes(&token.0).unwrap().token.at))
            }
            Told::Known(Change::Result { seq, result, .. }) => Some(format!("{seq}: {result:?}")),
            _ => None,
        }));
        // Told at once, or with the records they follow from: in whatever order beside those, and what
        // changes nothing for whoever heard it perhaps a second time.
        let mut beside: Vec<String> = pulled
            .changes
            .iter()
            .chain(&left.changes)
            .filter_map(|told| match told {
                Told::Known(Change::Moved { from, token, because, .. }) => {
                    let at = SignedToken::from_bytes(&token.0).unwrap().token.at;
                    Some(format!("moved {from} {at} {because}"))
                }
                Told::Known(Change::Ended { at, because, .. }) => Some(format!("ended {at} {because}")),
                Told::Known(Change::Transfer { transfer, .. }) => {
                    Some(format!("{:?} {:?}", transfer.ranked_at, transfer.earlier))
                }
                Told::Known(Change::Word { said }) => Some(format!("{:?} {}", said.says, said.at)),
                _ => None,
            })
            .collect();
        beside.sort();
        beside.dedup();
        known.extend(beside);
        known
    }
}

/// An enrolled device of a new site with one counter.
async fn enrolled(service: &Service, id: &str, (mark, of): (u16, u8)) -> Device {
    let site = NewSite { lease_slots: Some(8), ..site(id, TODAY) };
    central::admin::site(&service.pool, &site).await.unwrap();
    let pattern = serde_json::from_value(json!({
        "weekdays": [1, 2, 4], "opens": "09:00:00", "closes": "12:00:00", "every_minutes": 30, "from": "2027-01-01",
    }))
    .unwrap();
    central::admin::counter(&service.pool, id, "A", &[pattern]).await.unwrap();
    let mut seed = [of; 32];
    seed[..2].copy_from_slice(&mark.to_be_bytes());
    service.device_of(id, seed).await.unwrap()
}

fn demo() -> MediatorId {
    MediatorId::parse("demo").unwrap()
}

/// A second apart: nothing is decided by an id, which differs between the sides.
fn said_at(service: &Service, n: u8) -> Timestamp {
    service.now().saturating_add(i64::from(n).seconds()).unwrap()
}

async fn tell(service: &Service, case: u16, story: Vec<Act>) -> Result<(), TestCaseError> {
    service.clock.store(Service::NOON, Ordering::SeqCst);
    let mut together = Side::set_up(service, case * 2).await;
    let mut apart = Side::set_up(service, case * 2 + 1).await;
    let (all, each) = (together.journal(service, &story), apart.journal(service, &story));
    // Nobody's word is of a moment to come.
    service.clock.fetch_add(60, Ordering::SeqCst);
    prop_assert_eq!(together.device.push(service, all).await.unwrap().status, 200);
    for record in each {
        prop_assert_eq!(apart.device.push(service, vec![record]).await.unwrap().status, 200);
    }
    let (together, apart) = (together.known(service).await, apart.known(service).await);
    prop_assert_eq!(together, apart);
    Ok(())
}

#[test]
fn what_arrives_together_comes_to_the_same_as_one_by_one() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let service = runtime.block_on(Service::start()).unwrap();
    let case = std::cell::Cell::new(0);
    TestRunner::new(Config { cases: 48, failure_persistence: None, ..Config::default() })
        .run(&prop::collection::vec(act(), 1..RECORDS_MAX), |story| {
            case.set(case.get() + 1);
            runtime.block_on(tell(&service, case.get(), story))
        })
        .unwrap();
}

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test that fails here has failed
//! Records that arrive together are applied together; whatever stands among them, it comes to
//! the same as one by one. Random journals are pushed at once at one site, record by record
//! at another, and everything central then knows and tells is compared.

use central::admin::NewSite;
use domain::birth::Birth;
use domain::bytes::Hash;
use domain::code::FollowUpCode;
use domain::ids::{AttemptId, LeaseId, MediatorId, RegistrationId, SiteId};
use domain::limit::{Right, TimeLimit};
use domain::token::SignedToken;
use jiff::ToSpan as _;
use jiff::civil::{Date, date};
use journeys::device::{Device, Service, site};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;
use sqlx::Row as _;
use std::sync::atomic::Ordering;
use wire::body::{Body as Says, Outcome, Print, PrintOutcome, Registered, Release};
use wire::bytes::Bytes;
use wire::messages::{Change, Told};
use wire::record::Record;

const TODAY: Date = date(2027, 3, 9);

/// What the next record says. Numbers are counted round.
#[derive(Debug, Clone)]
enum Act {
    /// A rank: of one of three people known by their number, or of nobody else; with a limit.
    Ranked(Option<u8>, Option<i32>),
    /// A date out of the lease, which another may have been given too.
    Leased(usize, Option<u8>, Option<i32>),
    /// A token nobody signed.
    Forged,
    Elsewhere,
    /// The registration of an earlier record, told in another way.
    Again(usize),
    /// Slots go back that may have been given.
    Released(usize),
    Printed(usize),
    Unknown,
}

fn act() -> impl Strategy<Value = Act> {
    let person = prop::option::weighted(0.4, 0u8..3);
    let limit = prop::option::weighted(0.2, 0i32..6);
    prop_oneof![
        12 => (person.clone(), limit.clone()).prop_map(|(person, limit)| Act::Ranked(person, limit)),
        12 => (0usize..14, person, limit).prop_map(|(nth, person, limit)| Act::Leased(nth, person, limit)),
        1 => Just(Act::Forged),
        1 => Just(Act::Elsewhere),
        1 => (0usize..20).prop_map(Act::Again),
        1 => (0usize..14).prop_map(Act::Released),
        3 => (0usize..20).prop_map(Act::Printed),
        1 => Just(Act::Unknown),
    ]
}

/// A site of its own with an enrolled device that has a lease.
struct Side {
    device: Device,
    lease: LeaseId,
    tokens: Vec<Bytes>,
    /// Of the case and the side: ids, codes and numbers of all of them share one table.
    mark: u16,
}

impl Side {
    async fn set_up(service: &Service, mark: u16) -> Self {
        let id = format!("SIDE-{mark}");
        let site = NewSite { lease_slots: Some(8), ..site(&id, TODAY) };
        central::admin::site(&service.pool, &site).await.unwrap();
        let pattern = serde_json::from_value(json!({
            "weekdays": [1, 2, 4], "opens": "09:00:00", "closes": "12:00:00", "every_minutes": 30, "from": "2027-01-01",
        }))
        .unwrap();
        central::admin::counter(&service.pool, &id, "A", &[pattern]).await.unwrap();
        let mut seed = [1; 32];
        seed[..2].copy_from_slice(&mark.to_be_bytes());
        let device = service.device_of(&id, seed).await.unwrap();
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
        Self { device, lease, tokens, mark }
    }

    fn journal(&mut self, service: &Service, story: &[Act]) -> Vec<Record> {
        let mut told: Vec<Registered> = Vec::new();
        story.iter().enumerate().map(|(n, act)| self.record(service, n, act, &mut told)).collect()
    }

    fn record(&mut self, service: &Service, n: usize, act: &Act, told: &mut Vec<Registered>) -> Record {
        let at = service.now();
        let rank = Outcome::Rank { held: None, told: None, busy: None };
        let leased = |token: Bytes| Outcome::Lease { lease: self.lease, token };
        let body = match act {
            Act::Ranked(person, limit) => self.registered(service, n, (*person, *limit), rank),
            Act::Leased(nth, person, limit) => {
                let token = self.tokens[nth % self.tokens.len()].clone();
                self.registered(service, n, (*person, *limit), leased(token))
            }
            Act::Forged => {
                let mut token = self.tokens[0].clone();
                *token.0.last_mut().unwrap() ^= 1;
                self.registered(service, n, (None, None), leased(token))
            }
            Act::Elsewhere => {
                let mut told = self.registered(service, n, (None, None), rank);
                told.registration.site = SiteId::parse("TWO").unwrap();
                told
            }
            Act::Again(earlier) => match told.get(earlier % told.len().max(1)) {
                Some(earlier) => {
                    let mut told = earlier.clone();
                    told.registration.applicant.family_names.push('X');
                    told
                }
                None => self.registered(service, n, (None, None), rank),
            },
            Act::Released(nth) => {
                let token = SignedToken::from_bytes(&self.tokens[nth % self.tokens.len()].0).unwrap();
                let slots = vec![token.token.slot];
                return self.device.says(&Says::Release(Release { lease: self.lease, slots, at })).unwrap();
            }
            Act::Printed(earlier) => {
                let registration = told
                    .get(earlier % told.len().max(1))
                    .map_or(RegistrationId([0; 16]), |told| told.registration.id);
                let said = Print {
                    registration,
                    attempt: AttemptId(self.own(n)),
                    state: PrintOutcome::Printed,
                    sha256: Hash([0; 32]),
                    mediator: MediatorId::parse("demo").unwrap(),
                    at,
                };
                return self.device.says(&Says::Print(said)).unwrap();
            }
            Act::Unknown => return self.device.record("from_the_future", b"{}".to_vec()).unwrap(),
        };
        told.push(body.clone());
        self.device.says(&Says::Registration(Box::new(body))).unwrap()
    }

    fn own(&self, n: usize) -> [u8; 16] {
        let mut own = [0; 16];
        own[..2].copy_from_slice(&self.mark.to_be_bytes());
        own[7] = u8::try_from(n).unwrap();
        own[15] = 1;
        own
    }

    fn registered(
        &self,
        service: &Service,
        n: usize,
        (person, limit): (Option<u8>, Option<i32>),
        outcome: Outcome,
    ) -> Registered {
        // A second apart: nothing is decided by an id, which differs between the sides.
        let at = service.now().saturating_add(i64::try_from(n).unwrap().seconds()).unwrap();
        let mut registration = self.device.registration_at(at, self.own(n), "A").unwrap();
        registration.code = FollowUpCode::from_random(self.own(n)[..8].try_into().unwrap());
        if let Some(person) = person {
            registration.applicant.birth = Birth::Whole { date: date(1990, 1, 2) };
            let number = format!("{:09}", u32::from(self.mark) * 10 + u32::from(person));
            registration.applicant.agdref = Some(domain::applicant::Agdref::parse(&number).unwrap());
        }
        registration.limit = limit.map(|days| TimeLimit {
            right: Right::CourtInjunction,
            last_day: TODAY.saturating_add(days.days()),
            evidence: "TA".into(),
        });
        Registered { registration, outcome, at, day_declared: false }
    }

    /// All that central knows of these records, in words that name neither site nor id.
    async fn known(&self, service: &Service) -> Vec<String> {
        let rows = sqlx::query(
            "SELECT record.seq, record.state, record.reason, slot.at::text, slot.extra <> 0, slot.lease IS NOT NULL, \
                    registration.state, registration.after_limit, first.registered_s, \
                    (SELECT string_agg(reason, ' ' ORDER BY reason) FROM escalation WHERE registration = registration.id), \
                    (SELECT string_agg(kind || due, ' ' ORDER BY kind) FROM task WHERE registration = registration.id) \
             FROM record LEFT JOIN registration ON registration.id = record.registration \
             LEFT JOIN slot ON slot.registration = registration.id \
             LEFT JOIN merge_link ON later = registration.id LEFT JOIN registration AS first ON first.id = earlier \
             WHERE record.kiosk = $1 ORDER BY record.seq",
        )
        .bind(self.device.kiosk.0.as_slice())
        .fetch_all(&service.pool)
        .await
        .unwrap();
        let mut known: Vec<String> = rows
            .iter()
            .map(|row| {
                let seq: i64 = row.get(0);
                let texts: Vec<Option<String>> = [1, 2, 3, 6, 9, 10].map(|n| row.get(n)).into();
                let facts: Vec<Option<bool>> = [4, 5, 7].map(|n| row.get(n)).into();
                let first: Option<i64> = row.get(8);
                format!("{seq} {texts:?} {facts:?} {first:?}")
            })
            .collect();
        let free: i64 = sqlx::query(
            "SELECT count(*) FROM slot WHERE site = $1 AND registration IS NULL AND lease IS NULL AND NOT withheld",
        )
        .bind(self.device.site.as_str())
        .fetch_one(&service.pool)
        .await
        .unwrap()
        .get(0);
        known.push(format!("{free} free"));
        let pulled = self.device.pull(service, 0).await.unwrap();
        known.push(format!("quarantined: {}", pulled.quarantined));
        known.extend(pulled.changes.iter().filter_map(|told| match told {
            Told::Known(Change::Dated { token, .. }) => {
                Some(format!("dated {}", SignedToken::from_bytes(&token.0).unwrap().token.at))
            }
            Told::Known(Change::Result { seq, result, .. }) => Some(format!("{seq}: {result:?}")),
            _ => None,
        }));
        known
    }
}

async fn tell(service: &Service, case: u16, story: Vec<Act>) -> Result<(), TestCaseError> {
    service.clock.store(Service::NOON, Ordering::SeqCst);
    let mut together = Side::set_up(service, case * 2).await;
    let mut apart = Side::set_up(service, case * 2 + 1).await;
    let all = together.journal(service, &story);
    prop_assert_eq!(together.device.push(service, all).await.unwrap().status, 200);
    for record in apart.journal(service, &story) {
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
        .run(&prop::collection::vec(act(), 1..30), |story| {
            case.set(case.get() + 1);
            runtime.block_on(tell(&service, case.get(), story))
        })
        .unwrap();
}

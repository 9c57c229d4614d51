#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test that fails here has failed
//! Leases sized by what central has seen of a kiosk: how many slots, where, until when; what comes
//! back unused and who is lent it then.

use domain::ids::{LeaseId, SlotId};
use domain::lease::{COVER_DAYS, LeaseShape, Seen, Stratum};
use jiff::ToSpan as _;
use jiff::civil::{Date, DateTime, date};
use jiff::tz::TimeZone;
use journeys::device::{Device, Service, site};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;
use wire::body::{Body, Outcome, Registered, Release};
use wire::messages::{Change, LentSlot, Told};

/// A Monday.
const MONDAY: Date = date(2027, 3, 8);
const ASKS: &str = "/v1/lease?procedures=1&back=1";

struct Story {
    service: Service,
    kiosks: Vec<Kiosk>,
    people: u8,
}

struct Kiosk {
    device: Device,
    heard: BTreeSet<LeaseId>,
    /// What it was lent and has neither given nor given back.
    idle: BTreeMap<SlotId, (LeaseId, LentSlot)>,
}

impl Story {
    /// A counter open Monday to Friday from 9 to 12, twelve people a day, and two kiosks.
    async fn begin() -> Self {
        let service = Service::start().await.unwrap();
        let mut story = Self { service, kiosks: Vec::new(), people: 0 };
        story.is(MONDAY);
        let new = central::admin::NewSite { lease_slots: None, ..site("SIZED", MONDAY) };
        central::admin::site(&story.service.pool, &new).await.unwrap();
        let pattern = serde_json::from_value(json!({
            "weekdays": [1, 2, 3, 4, 5], "opens": "09:00:00", "closes": "12:00:00", "every_minutes": 15,
            "from": "2027-03-08",
        }));
        central::admin::counter(&story.service.pool, "SIZED", "A", &[pattern.unwrap()]).await.unwrap();
        for seed in [1, 2] {
            let device = story.service.device("SIZED", seed).await.unwrap();
            story.kiosks.push(Kiosk { device, heard: BTreeSet::new(), idle: BTreeMap::new() });
        }
        story
    }

    /// Noon of that day at the site.
    fn is(&self, day: Date) {
        let noon = TimeZone::get("Europe/Paris").unwrap().to_timestamp(day.at(12, 0, 0, 0)).unwrap();
        self.service.clock.store(noon.as_second(), Ordering::SeqCst);
    }

    fn today(&self) -> Date {
        self.service.now().to_zoned(TimeZone::get("Europe/Paris").unwrap()).date()
    }

    /// A kiosk asks for its lease and pulls: the new slots.
    async fn asks(&mut self, kiosk: usize, target: &str) -> Vec<LentSlot> {
        let today = self.today();
        let kiosk = &mut self.kiosks[kiosk];
        let asked = json!({ "today": today, "incarnation": 1 });
        let said = kiosk.device.say(&self.service, "POST", target, &asked).await.unwrap();
        assert_eq!(said.status, 200, "{}", said.json);
        let pulled = kiosk.device.pull(&self.service, 0).await.unwrap();
        assert!(!pulled.more);
        let mut new = Vec::new();
        for told in pulled.changes {
            if let Told::Known(Change::Lease { lease, slots, .. }) = told
                && kiosk.heard.insert(lease)
            {
                kiosk.idle.extend(slots.iter().map(|slot| (slot.slot, (lease, slot.clone()))));
                new.extend(slots);
            }
        }
        assert_eq!(said.json["lent"], new.len());
        new
    }

    /// It gives back what is due today: how many of each stratum.
    async fn gives_back(&mut self, kiosk: usize) -> BTreeMap<Stratum, usize> {
        let (today, at) = (self.today(), self.service.now());
        let kiosk = &mut self.kiosks[kiosk];
        let due =
            |_: &SlotId, (_, slot): &mut (LeaseId, LentSlot)| slot.back.is_some_and(|back| back <= today);
        let mut by_lease: BTreeMap<LeaseId, Vec<SlotId>> = BTreeMap::new();
        let mut strata = BTreeMap::new();
        for (slot, (lease, lent)) in kiosk.idle.extract_if(.., due) {
            by_lease.entry(lease).or_default().push(slot);
            *strata.entry(lent.stratum).or_default() += 1;
        }
        for (lease, slots) in by_lease {
            let record = kiosk.device.says(&Body::Release(Release { lease, slots, at })).unwrap();
            assert_eq!(kiosk.device.push(&self.service, vec![record]).await.unwrap().status, 200);
        }
        strata
    }

    /// So many register with this kiosk today and keep their dates.
    async fn register(&mut self, kiosk: usize, people: u8) -> Vec<DateTime> {
        let mut dates = Vec::new();
        for _ in 0..people {
            self.people += 1;
            let kiosk = &mut self.kiosks[kiosk];
            let registration = kiosk.device.registration(&self.service, self.people, "A").unwrap();
            let asked = json!({ "registration": registration });
            let said = kiosk.device.say(&self.service, "POST", "/v1/registrations", &asked).await.unwrap();
            let token: wire::bytes::Bytes = serde_json::from_value(said.json["token"].clone()).unwrap();
            dates.push(domain::token::SignedToken::from_bytes(&token.0).unwrap().token.at);
            let (outcome, at) = (Outcome::Online { token }, self.service.now());
            let body = Registered { registration, outcome, at, day_declared: false };
            let record = kiosk.device.says(&Body::Registration(Box::new(body))).unwrap();
            assert_eq!(kiosk.device.push(&self.service, vec![record]).await.unwrap().status, 200);
        }
        dates
    }
}

fn of(slots: &[LentSlot], stratum: Stratum) -> Vec<&LentSlot> {
    slots.iter().filter(|slot| slot.stratum == stratum).collect()
}

fn shape(slots: &[LentSlot]) -> LeaseShape {
    let [near, front, tail, backstop] =
        Stratum::ALL.map(|stratum| u16::try_from(of(slots, stratum).len()).unwrap());
    LeaseShape { near, front, tail, backstop }
}

#[tokio::test]
async fn a_new_kiosk_is_lent_some_and_gives_back_what_nobody_takes() {
    let mut story = Story::begin().await;
    let lent = story.asks(0, ASKS).await;
    assert_eq!(shape(&lent), LeaseShape::sized(Seen::default()));
    assert!(story.asks(0, ASKS).await.is_empty(), "it is full");

    // Near and front from five days on, kept for two days; the tail four weeks beyond, kept for two weeks.
    let near = of(&lent, Stratum::Near)[0];
    assert_eq!((near.at, near.back), (date(2027, 3, 15).at(9, 0, 0, 0), Some(date(2027, 3, 10))));
    assert_eq!(of(&lent, Stratum::Front)[0].at, date(2027, 3, 15).at(9, 15, 0, 0));
    let tail = of(&lent, Stratum::Tail)[0];
    assert_eq!((tail.at.date(), tail.back), (date(2027, 4, 12), Some(date(2027, 3, 22))));
    let backstop = of(&lent, Stratum::Backstop)[0];
    assert_eq!((backstop.at.date(), backstop.back), (date(2027, 5, 10), Some(date(2027, 4, 5))));

    // Newer ones are lent before the old ones are back; then those are for people, not for leases.
    story.is(date(2027, 3, 10));
    let newer = story.asks(0, ASKS).await;
    assert_eq!(newer.iter().map(|slot| slot.at.time().minute()).collect::<Vec<_>>(), [30, 45]);
    assert!(newer.iter().all(|slot| slot.at.date() == date(2027, 3, 15)));
    assert_eq!(story.gives_back(0).await, BTreeMap::from([(Stratum::Near, 1), (Stratum::Front, 1)]));
    assert!(story.asks(0, ASKS).await.is_empty());
    let other = story.asks(1, ASKS).await;
    assert_eq!(of(&other, Stratum::Near)[0].at, date(2027, 3, 15).at(10, 0, 0, 0));
    let dates = story.register(0, 25).await;
    assert_eq!(dates[23], date(2027, 3, 12).at(11, 45, 0, 0));
    assert_eq!(dates[24], date(2027, 3, 15).at(9, 0, 0, 0), "what came back is the next person's");

    // Two weeks on the tail goes back, and as much of it is lent anew.
    story.is(date(2027, 3, 22));
    let newer = story.asks(0, ASKS).await;
    let back = story.gives_back(0).await;
    let shape = shape(&newer);
    assert_eq!(back.get(&Stratum::Tail), Some(&59));
    let seen = Seen { people: 25, open_days: 9, longest_away: 0 };
    assert_eq!(
        shape,
        LeaseShape { backstop: 0, ..LeaseShape::sized(seen) },
        "its backstops stay for two more"
    );
    assert!(story.asks(0, ASKS).await.is_empty());
}

#[tokio::test]
async fn a_kiosk_that_gives_nothing_back_is_lent_no_third_lease() {
    let mut story = Story::begin().await;
    let first = story.asks(0, ASKS).await;
    story.asks(1, "/v1/lease?procedures=1").await;
    story.is(date(2027, 3, 10));
    // One that knows of no days to give back is lent nothing for them.
    assert!(story.asks(1, "/v1/lease?procedures=1").await.is_empty());
    // One that says it knows, and keeps them.
    assert_eq!(story.asks(0, ASKS).await.len(), 2);
    story.is(date(2027, 3, 12));
    assert!(story.asks(0, ASKS).await.is_empty());
    assert_eq!(story.kiosks[0].idle.len(), first.len() + 2);
}

#[tokio::test]
async fn a_lease_grows_with_people_and_with_absences() {
    let mut story = Story::begin().await;
    // Three people on each of ten working days, on the first of which nobody is received yet; every
    // day it asks.
    for day in MONDAY.series(1.day()).take(14) {
        story.is(day);
        if day.weekday().to_monday_one_offset() <= 5 {
            story.register(0, 3).await;
        }
        story.asks(0, ASKS).await;
        story.gives_back(0).await;
    }
    let idle = |story: &Story, kiosk: usize| {
        let slots: Vec<_> = story.kiosks[kiosk].idle.values().map(|(_, slot)| slot.clone()).collect();
        shape(&slots)
    };
    story.is(date(2027, 3, 22));
    let seen = LeaseShape::sized(Seen { people: 30, open_days: 9, longest_away: 0 });
    story.asks(0, ASKS).await;
    story.gives_back(0).await;
    let backstop = LeaseShape::sized(Seen::default()).backstop;
    assert_eq!(
        idle(&story, 0),
        LeaseShape { backstop, ..seen },
        "what it has of backstops stays for four weeks"
    );
    assert!(story.asks(0, ASKS).await.is_empty());

    // Away from then on until the 22nd of April: twenty-three open days (Easter Monday is none),
    // the first and the last among them.
    story.is(date(2027, 4, 22));
    story.asks(0, ASKS).await;
    story.gives_back(0).await;
    let open_days = 9 + 22;
    let away = LeaseShape::sized(Seen { people: 30, open_days, longest_away: 23 });
    assert_eq!(idle(&story, 0), away);
    let short = LeaseShape::sized(Seen { people: 30, open_days, longest_away: COVER_DAYS });
    assert!(away.total() > short.total());

    // The other one has been open as long and nobody came.
    story.asks(1, ASKS).await;
    assert_eq!(idle(&story, 1), LeaseShape::sized(Seen { people: 0, open_days, longest_away: 0 }));
}

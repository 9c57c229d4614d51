#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test that fails here has failed
//! What a site keeps for near time limits, at central: who gets it, what is lent of it, what a
//! change of the calendar does to it; and each declared limit looked at by the desk.

use domain::calendar::Closure;
use domain::lease::Stratum;
use domain::limit::{Right, TimeLimit};
use domain::token::SignedToken;
use jiff::civil::{Date, DateTime, date};
use jiff::tz::TimeZone;
use journeys::device::{Device, Service, site};
use serde_json::json;
use std::sync::atomic::Ordering;
use wire::body::{Body, Outcome, Registered};
use wire::messages::{Change, LentSlot, Told};

/// A Monday.
const MONDAY: Date = date(2027, 3, 8);

struct Story {
    service: Service,
    device: Device,
    people: u8,
}

impl Story {
    /// A counter open Monday to Friday from 9 to 11, six people a day.
    async fn begin() -> Self {
        let service = Service::start().await.unwrap();
        set(&service, MONDAY);
        central::admin::site(&service.pool, &site("KEPT", MONDAY)).await.unwrap();
        let pattern = serde_json::from_value(json!({
            "weekdays": [1, 2, 3, 4, 5], "opens": "09:00:00", "closes": "11:00:00", "every_minutes": 20,
            "from": "2027-03-08",
        }));
        central::admin::counter(&service.pool, "KEPT", "A", &[pattern.unwrap()]).await.unwrap();
        let device = service.device("KEPT", 1).await.unwrap();
        Self { service, device, people: 0 }
    }

    /// Somebody registers and keeps their date: when it is, and whether it is after their limit.
    async fn registers(&mut self, limit: Option<(Right, Date)>) -> (DateTime, bool) {
        self.people += 1;
        let mut registration = self.device.registration(&self.service, self.people, "A").unwrap();
        registration.limit =
            limit.map(|(right, last_day)| TimeLimit { right, last_day, evidence: "TA 2700123".into() });
        let asked = json!({ "registration": registration });
        let said = self.device.say(&self.service, "POST", "/v1/registrations", &asked).await.unwrap();
        let token: wire::bytes::Bytes = serde_json::from_value(said.json["token"].clone()).unwrap();
        let at = SignedToken::from_bytes(&token.0).unwrap().token.at;
        let outcome = Outcome::Online { token };
        let at_s = self.service.now();
        let body = Registered { registration, outcome, at: at_s, day_declared: false };
        let record = self.device.says(&Body::Registration(Box::new(body))).unwrap();
        self.device.push(&self.service, vec![record]).await.unwrap();
        (at, said.json["after_limit"].as_bool().unwrap())
    }

    /// So many without a limit: their dates.
    async fn ordinary(&mut self, people: usize) -> Vec<DateTime> {
        let mut dates = Vec::new();
        for _ in 0..people {
            dates.push(self.registers(None).await.0);
        }
        dates
    }

    async fn lent(&self, today: Date) -> Vec<LentSlot> {
        let asked = json!({ "today": today, "incarnation": 1 });
        let said = self.device.say(&self.service, "POST", "/v1/lease?procedures=1", &asked).await.unwrap();
        assert_eq!(said.status, 200, "{}", said.json);
        let pulled = self.device.pull(&self.service, 0).await.unwrap();
        let slots = pulled.changes.into_iter().filter_map(|told| match told {
            Told::Known(Change::Lease { slots, .. }) => Some(slots),
            _ => None,
        });
        slots.flatten().collect()
    }
}

fn set(service: &Service, day: Date) {
    let noon = day.at(12, 0, 0, 0);
    let at = TimeZone::get("Europe/Paris").unwrap().to_timestamp(noon).unwrap();
    service.clock.store(at.as_second(), Ordering::SeqCst);
}

fn march(day: i8, hour: i8, minute: i8) -> DateTime {
    date(2027, 3, day).at(hour, minute, 0, 0)
}

#[tokio::test]
async fn what_is_kept_is_theirs_whose_limit_is_near() {
    let mut story = Story::begin().await;
    let injunction = |day: i8| Some((Right::CourtInjunction, date(2027, 3, day)));
    // Nothing has been seen yet, so nothing is kept.
    assert_eq!(story.ordinary(12).await.last(), Some(&march(10, 10, 40)));
    assert_eq!(story.registers(injunction(11)).await, (march(11, 9, 0), false));

    // One near limit on the open day or two seen: one slot of each day, from the fourth on.
    set(&story.service, date(2027, 3, 10));
    let dates = story.ordinary(17).await;
    assert_eq!(dates[10], march(12, 10, 40), "three days ahead nothing is kept");
    assert_eq!((dates[15], dates[16]), (march(15, 10, 20), march(16, 9, 0)));
    // A limit takes what is not kept while that serves, and else what is kept.
    let stands = central::admin::calendar(&story.service.pool, "KEPT").await.unwrap();
    let kept = ["counted_on", "a_day"].map(|key| stands["kept"][key].clone());
    assert_eq!(
        (kept, &stands["kept"]["count"]["near"]),
        ([json!("2027-03-10"), json!(1)], &json!({ "renewal": 1 }))
    );
    assert_eq!(story.registers(injunction(31)).await, (march(16, 9, 20), false));
    assert_eq!(story.registers(injunction(15)).await, (march(15, 10, 40), false));
    // No more is kept than one: the next is received beside the others, as early as can be.
    assert_eq!(story.registers(injunction(15)).await, (march(11, 9, 0), false));
    assert_eq!(story.ordinary(1).await, [march(16, 9, 40)]);
    // Due as soon as possible, whatever its end.
    assert_eq!(story.ordinary(3).await.last(), Some(&march(17, 9, 0)));
    let order = Some((Right::ProtectionOrder, date(2027, 9, 1)));
    assert_eq!(story.registers(order).await, (march(16, 10, 40), false));

    // A kiosk is lent a kept slot for near limits, and none for whoever comes.
    assert_eq!(story.ordinary(4).await.last(), Some(&march(17, 10, 20)));
    let lent = story.lent(date(2027, 3, 10)).await;
    let of = |stratum| -> Vec<DateTime> {
        lent.iter().filter(|slot| slot.stratum == stratum).map(|slot| slot.at).collect()
    };
    assert_eq!(of(Stratum::Near), [march(17, 10, 40)]);
    assert_eq!(of(Stratum::Front), [march(18, 9, 0), march(18, 9, 20)]);

    // Three days before, what is left of a day is anybody's.
    set(&story.service, date(2027, 3, 15));
    let dates = story.ordinary(5).await;
    assert_eq!((dates[3], dates[4]), (march(18, 10, 40), march(19, 9, 0)));
}

#[tokio::test]
async fn a_day_is_counted_once_and_anew_when_the_calendar_changes() {
    let mut story = Story::begin().await;
    story.registers(Some((Right::CourtInjunction, date(2027, 3, 10)))).await;
    set(&story.service, date(2027, 3, 9));
    let counts = async |story: &Story| -> Vec<i64> {
        sqlx::query_scalar("SELECT (body ->> 'ahead')::bigint FROM reserve WHERE site = 'KEPT' ORDER BY day")
            .fetch_all(&story.service.pool)
            .await
            .unwrap()
    };
    story.ordinary(2).await;
    let before = counts(&story).await;
    assert_eq!(before.len(), 2, "a count a day");
    let closure = Closure { first: date(2027, 3, 22), last: date(2027, 3, 26) };
    let ask = central::admin::Ask::at(story.service.now(), central::system_random());
    central::admin::closure(&story.service.pool, "KEPT", None, closure, &ask).await.unwrap();
    story.ordinary(1).await;
    // Five days fewer; the front, and with it the last day looked at, is one further.
    let after = counts(&story).await;
    assert_eq!((after.len(), after[0], after[1]), (2, before[0], before[1] - 5 + 1));
}

#[tokio::test]
async fn each_declared_limit_is_looked_at_by_the_desk_once() {
    let mut story = Story::begin().await;
    story.ordinary(1).await;
    story.registers(Some((Right::PermitExpiry, date(2027, 5, 1)))).await;
    let listed = central::admin::tasks(&story.service.pool, "KEPT", false).await.unwrap();
    let tasks = listed["tasks"].as_array().unwrap();
    assert_eq!(tasks.len(), 1, "{listed}");
    let told = ["kind", "reason", "due", "last_day", "evidence"].map(|key| tasks[0][key].as_str().unwrap());
    assert_eq!(told, ["limit_check", "permit_expiry", "2027-03-10", "2027-05-01", "TA 2700123"]);
    let task = tasks[0]["task"].as_i64().unwrap();
    let answer = ("A. Martin", "permis vu");
    let random = central::system_random();
    central::admin::answer_task(&story.service.pool, task, answer, story.service.now(), &random)
        .await
        .unwrap();
    let listed = central::admin::tasks(&story.service.pool, "KEPT", false).await.unwrap();
    assert_eq!(listed["tasks"], json!([]));
}

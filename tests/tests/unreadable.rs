#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test that fails here has failed
//! Stored rows that cannot be read, more than one transaction carries out: whoever stands behind them has
//! their turn all the same, whatever it is that central carries out.

use domain::registration::Registration;
use domain::token::{SignedToken, SlotToken};
use journeys::device::{Device, Service};
use serde_json::json;
use std::sync::atomic::Ordering;
use wire::body::{Body, Outcome, Registered};

/// More than central looks at in one transaction.
const UNREADABLE: i64 = 60;

async fn registers(service: &Service, device: &mut Device, n: u8) -> (Registration, SlotToken) {
    service.clock.fetch_add(1, Ordering::SeqCst);
    let told = device.registration(service, n, "A").unwrap();
    let asked = json!({ "registration": told });
    let said = device.say(service, "POST", "/v1/registrations", &asked).await.unwrap();
    let token: wire::bytes::Bytes = serde_json::from_value(said.json["token"].clone()).unwrap();
    let slot = SignedToken::from_bytes(&token.0).unwrap().token;
    let (registration, at) = (told.clone(), service.now());
    let kept = Registered { registration, outcome: Outcome::Online { token }, at, day_declared: false };
    let record = device.says(&Body::Registration(Box::new(kept))).unwrap();
    assert_eq!(device.push(service, vec![record]).await.unwrap().status, 200);
    (told, slot)
}

async fn count(service: &Service, query: &'static str) -> i64 {
    sqlx::query_scalar(query).fetch_one(&service.pool).await.unwrap()
}

/// People of before all others whose kiosk's key and whose registrations are not what they should be.
async fn spoil(service: &Service, device: &Device) {
    for statement in [
        "INSERT INTO kiosk SELECT (jsonb_populate_record(kiosk, jsonb_build_object('id', '\\x' || repeat('ee', 16), 'key', '\\x00'))).* \
         FROM kiosk WHERE id = $1 AND $2 > 0",
        "INSERT INTO registration (id, code, site, kiosk, procedure, class, registered_s, ranked_s, tie_break, body, state, waits_on) \
         SELECT decode(md5('person' || n), 'hex'), -n, site, decode(repeat('ee', 16), 'hex'), 'renewal', 'ordinary', 0, 0, n, '{}', 'kept', 1 \
         FROM kiosk, generate_series(1, $2) AS n WHERE kiosk.id = $1",
        "INSERT INTO word (id, registration, code, says, kiosk, mediator, said_s, state, brought_by) \
         SELECT decode(md5('word' || n), 'hex'), decode(md5('person' || n), 'hex'), 'no code', 'cancel', $1, 'demo', n, 'waits', $1 \
         FROM generate_series(1, $2) AS n",
        "INSERT INTO asked_cancel (id, registration, site, channel, asked_s, asked_by, state) \
         SELECT decode(md5('asked' || n), 'hex'), decode(md5('person' || n), 'hex'), site, 'phone', n, 'A', 'open' \
         FROM kiosk, generate_series(1, $2) AS n WHERE kiosk.id = $1",
        "INSERT INTO missed (registration, at, site, slot, said_s, said_by) \
         SELECT decode(md5('person' || n), 'hex'), '2027-03-08T09:00:00', site, n, 0, 'A' \
         FROM kiosk, generate_series(1, $2) AS n WHERE kiosk.id = $1",
        "INSERT INTO annulment (id, registration, site, state, proposed_by, proposed_s, reasons, answer_by, until, told_s, \
                                heard_by, heard_s, answers, decided_by, decided_s, decision) \
         SELECT decode(md5('annulment' || n), 'hex'), decode(md5('person' || n), 'hex'), site, 'annulling', 'A', 1, 'x', \
                '2027-03-01', '2027-03-01', 1, 'A', 2, 'y', 'B', 3, 'z' \
         FROM kiosk, generate_series(1, $2) AS n WHERE kiosk.id = $1",
    ] {
        sqlx::query(statement)
            .bind(device.kiosk.0.as_slice())
            .bind(UNREADABLE)
            .execute(&service.pool)
            .await
            .unwrap();
    }
}

/// Behind them somebody each who gave up elsewhere, telephoned, did not come, is annulled, and waits for
/// the desk.
async fn due(service: &Service, device: &Device, people: &[(Registration, SlotToken)]) {
    for (statement, (told, slot)) in [
        "INSERT INTO word (id, registration, code, says, kiosk, mediator, said_s, state, brought_by) \
         SELECT $1, $1, $4, 'cancel', $2, 'demo', registered_s + 1, 'waits', $2 FROM registration WHERE id = $1 AND $3 <> 0",
        "INSERT INTO asked_cancel (id, registration, site, channel, asked_s, asked_by, state) \
         SELECT $1, $1, 'ONE', 'phone', registered_s - 90000, 'A', 'open' FROM registration \
         WHERE id = $1 AND kiosk = $2 AND $3 <> 0 AND $4 <> ''",
        "INSERT INTO missed (registration, at, site, slot, said_s, said_by) \
         SELECT $1, at, 'ONE', $3, 0, 'A' FROM slot WHERE slot.id = $3 AND $2 <> '' AND $4 <> ''",
        "INSERT INTO annulment (id, registration, site, state, proposed_by, proposed_s, reasons, answer_by, until, told_s, \
                                heard_by, heard_s, answers, decided_by, decided_s, decision) \
         SELECT $1, $1, 'ONE', 'annulling', 'A', 1, 'x', '2027-03-01', '2027-03-01', 1, 'A', 2, 'y', 'B', 4, 'z' \
         WHERE $2 <> '' AND $3 <> 0 AND $4 <> ''",
        "UPDATE registration SET waits_on = 1 WHERE id = $1 AND kiosk = $2 AND $3 <> 0 AND $4 <> ''",
    ]
    .into_iter()
    .zip(people)
    {
        let done = sqlx::query(statement)
            .bind(told.id.0.as_slice())
            .bind(device.kiosk.0.as_slice())
            .bind(i64::try_from(slot.slot.0).unwrap())
            .bind(told.code.to_string())
            .execute(&service.pool)
            .await
            .unwrap();
        assert_eq!(done.rows_affected(), 1, "{statement}");
    }
}

#[tokio::test]
async fn sixty_rows_that_cannot_be_read_hold_nobody_up() {
    let service = Service::start().await.unwrap();
    let mut device = service.device("ONE", 1).await.unwrap();
    let mut people = Vec::new();
    for n in 1..=5 {
        people.push(registers(&service, &mut device, n).await);
    }
    spoil(&service, &device).await;
    due(&service, &device, &people).await;
    let central = &service.central;
    assert_eq!(central.carry_out_words().await.unwrap(), 1);
    assert_eq!(central.carry_out_cancellations().await.unwrap(), 1);
    assert_eq!(central.date_missed().await.unwrap(), 1);
    assert_eq!(central.carry_out_annulments().await.unwrap(), 1);
    assert_eq!(central.date_waiting().await.unwrap(), 1);
    // What cannot be read is there as before, and nothing of the others is left.
    for query in [
        "SELECT count(*) FROM word WHERE state = 'waits'",
        "SELECT count(*) FROM asked_cancel WHERE state = 'open'",
        "SELECT count(*) FROM missed WHERE done_s IS NULL",
        "SELECT count(*) FROM annulment WHERE state = 'annulling'",
        "SELECT count(*) FROM registration WHERE waits_on IS NOT NULL",
    ] {
        assert_eq!(count(&service, query).await, UNREADABLE, "{query}");
    }
    let given_up = "SELECT count(*) FROM registration WHERE cancelled_s IS NOT NULL";
    assert_eq!(count(&service, given_up).await, 3, "given up elsewhere, by telephone, and annulled");
}

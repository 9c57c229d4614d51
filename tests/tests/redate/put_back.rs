//! A database that is put back to before dates were moved.

use super::*;
use journeys::archive::SiteRows;
use sim::simulation::Archive as _;

/// The database is put back to before the dates were moved: its log says what has left it, and
/// the kiosk's own record which date each has.
#[tokio::test]
async fn a_database_put_back_keeps_the_new_dates() {
    let mut service = Service::start().await.unwrap();
    service.start_with_lease_log().await.unwrap();
    let mut device = service.device("ONE", 9).await.unwrap();
    for n in 1..=4 {
        let one = person(&device, &service, n, None);
        registered(&mut device, &service, one).await;
    }
    close(&service).await;
    let rows = SiteRows(service.pool.clone());
    let backup = rows.back_up("ONE").await.unwrap();
    assert_eq!(redate(&service).await, 4);
    let told = moved(&device, &service).await;
    // Three of the four papers are made before the loss.
    let mut records = Vec::new();
    for (registration, _, token) in &told[..3] {
        let says = Dated { registration: *registration, token: token.to_bytes().into(), at: service.now() };
        records.push(device.says(&Body::Dated(says)).unwrap());
    }
    assert_eq!(device.push(&service, records.clone()).await.unwrap().status, 200);
    let stood = dates(&service).await;

    rows.restore("ONE", &backup).await.unwrap();
    service.start_with_lease_log().await.unwrap();
    assert_eq!(device.push(&service, records).await.unwrap().status, 200);
    device.pull(&service, 0).await.unwrap();
    let stands = dates(&service).await;
    for (id, _, _) in &told[..3] {
        assert_eq!(stands[&id.0.to_vec()], stood[&id.0.to_vec()]);
    }
    assert_eq!(tasks(&service, "date_outside", "").await, 1, "the one whose paper nobody has made");
    // What had left is given to nobody else.
    assert_eq!(redate(&service).await, 1);
    device.pull(&service, 0).await.unwrap();
    let one = person(&device, &service, 9, None);
    registered(&mut device, &service, one).await;
    let left: BTreeSet<i64> =
        told.iter().map(|(_, _, new)| i64::try_from(new.token.slot.0).unwrap()).collect();
    let held: Vec<i64> =
        dates(&service).await.values().map(|(slot, _)| *slot).filter(|slot| left.contains(slot)).collect();
    assert_eq!(held.len(), 3, "those of the three papers");
}

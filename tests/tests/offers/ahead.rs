//! Any earlier date accepted in advance: a slot that comes to such a person, with the notice they
//! said, is theirs at once; with less they are asked, as everybody.

use super::*;
use domain::offer::NoticeDays;

impl Story {
    /// So many people, one of them taking any earlier date with some days' notice.
    async fn queue_with(&mut self, count: usize, ahead: &[(usize, &str)]) -> Vec<Person> {
        let mut people = Vec::new();
        for n in 0..count {
            self.count += 1;
            self.service.clock.fetch_add(1, Ordering::SeqCst);
            let mut told = self.device.registration(&self.service, self.count, "A").unwrap();
            let notice = ahead.iter().find(|(one, _)| *one == n).map(|(_, days)| days);
            told.accepts_earlier = notice.and_then(|days| NoticeDays::parse(days).unwrap());
            people.push(dated_as(&self.service, &mut self.device, told).await.0);
        }
        people
    }
}

#[tokio::test]
async fn it_is_given_at_once_with_the_notice_that_was_said_and_the_next_is_asked() {
    let mut story = Story::begin().await;
    // Six a day: the first of their days, so that they are the next in rank for the day before.
    let people = story.queue_with(100, &[(84, "14"), (24, "14"), (60, "3")]).await;
    let (far, near) = (&people[84], &people[24]);
    let freed = &people[83];
    assert!(freed.at.date() >= today(&story).saturating_add(jiff::ToSpan::days(14)));
    story.cancels(freed).await;
    story.told().await;
    assert_eq!(story.service.central.offer_freed().await.unwrap(), 1);
    assert_eq!(story.date_of(far).await, Some(freed.at));
    let told = story.told().await;
    assert_eq!(moved(&told, far), [(freed.at, "accepted_ahead".to_owned())]);
    let asked = |told: &[Change]| told.iter().any(|change| matches!(change, Change::Offered { .. }));
    assert!(!asked(&told), "nobody was asked");
    // Their own slot goes on, to the first of the next day.
    let next = story.offered().await;
    assert_eq!((next.len(), next[0].0, next[0].1.at), (1, people[90].told.id, far.at));
    // A record of the paper before comes late: the date given since stands.
    let late =
        wire::body::Dated { registration: far.told.id, token: far.token.clone(), at: story.service.now() };
    story.says(&Body::Dated(late)).await;
    assert_eq!(story.date_of(far).await, Some(freed.at));
    let said = json!({ "code": far.told.code, "year": 1990 });
    let found = story.device.say(&story.service, "POST", "/v1/follow-up", &said).await.unwrap().json;
    assert_eq!(found["found"]["at"], json!(freed.at.strftime("%Y-%m-%dT%H:%M:%S").to_string()));

    // Less notice than they said: asked, and the date they have holds.
    assert!(people[23].at.date() < today(&story).saturating_add(jiff::ToSpan::days(14)));
    story.cancels(&people[23]).await;
    let offers = story.offered().await;
    assert_eq!((offers.len(), offers[0].0, offers[0].1.at), (1, near.told.id, people[23].at));
    assert_eq!(story.date_of(near).await, Some(near.at));
    // Nobody comes before the first in rank by it.
    story.cancels(&people[47]).await;
    let offers = story.offered().await;
    assert_eq!((offers.len(), offers[0].0), (1, people[48].told.id));
    assert_eq!(story.date_of(&people[60]).await, Some(people[60].at));
}

/// Somebody was registered after them to come with them: they are asked, and nobody is left to come alone.
#[tokio::test]
async fn whoever_is_followed_is_asked() {
    let mut story = Story::begin().await;
    let people = story.queue_with(100, &[(84, "14")]).await;
    let (first, freed) = (&people[84], &people[83]);
    story.count += 1;
    story.service.clock.fetch_add(1, Ordering::SeqCst);
    let mut child = story.device.registration(&story.service, story.count, "A").unwrap();
    child.party = domain::party::Party::after((first.told.id, None), Some(first.at), 1);
    dated_as(&story.service, &mut story.device, child).await;
    story.cancels(freed).await;
    let offers = story.offered().await;
    assert_eq!((offers.len(), offers[0].0, offers[0].1.at), (1, first.told.id, freed.at));
    assert_eq!(story.date_of(first).await, Some(first.at));
}

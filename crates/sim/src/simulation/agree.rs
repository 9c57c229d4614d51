//! What central must agree with in the end: everything kept, with the very slot that was shown, the
//! certain duplicates linked, and nobody beside them.

use super::ledger::{Fault, Kept, Ledger, said};
use jiff::civil::DateTime;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

impl Ledger {
    /// Everything kept is at central, with the very slot that was shown.
    /// `soon` is a civil moment surely after every kiosk's own.
    pub fn against_central(&self, listed: &Value, soon: &str) -> Result<(), Fault> {
        self.settled()?;
        let text = |row: &Value, key: &str| match row.get(key) {
            Some(Value::String(text)) => Some(text.clone()),
            Some(Value::Number(number)) => Some(number.to_string()),
            _ => None,
        };
        let rows = listed.get("registrations").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let mut slots = BTreeSet::new();
        let mut at_central = BTreeMap::new();
        for row in rows {
            if let Some(slot) = text(row, "slot")
                && !slots.insert(slot)
            {
                return Err((
                    "I1",
                    format!("central has {} twice", text(row, "slot_at").unwrap_or_default()),
                ));
            }
            at_central.insert(text(row, "code").unwrap_or_default(), row);
        }
        let clashed = self.clashed(listed);
        let due = |(code, kept): &(&String, &Kept)| !kept.paper_only && !clashed.contains(*code);
        for (code, kept) in self.kept.iter().filter(due) {
            let Some(row) = at_central.get(code) else {
                return Err((
                    "I6",
                    format!("central does not know the registration dated {}", said(&kept.date)),
                ));
            };
            if text(row, "state").as_deref() != Some("kept") {
                return Err((
                    "I6",
                    format!("central has not applied the registration dated {}", said(&kept.date)),
                ));
            }
            let learnt = kept.limit.as_ref().filter(|_| !kept.put_back && !kept.gone);
            if learnt.is_some_and(|limit| text(row, "limit").as_ref() != Some(limit)) {
                return Err((
                    "I6",
                    format!("{code} is due by {learnt:?}, central says {:?}", text(row, "limit")),
                ));
            }
            if kept.given_up {
                // What a disk forgot that was put back, the person says again.
                match text(row, "slot_at").filter(|_| !kept.put_back && !kept.gone) {
                    Some(at) => {
                        return Err(("I3", format!("{code} was given up, and central has {at} for it")));
                    }
                    None => continue,
                }
            }
            if kept.gone
                && kept.date.is_none()
                && text(row, "slot_at").is_some_and(|at| Some(at) <= kept.bound)
            {
                // The disk that could have shown the date was put back to before the rank.
                continue;
            }
            let day = kept.date.as_ref().and_then(|date| date.1.parse::<DateTime>().ok());
            let outside = self.closed.is_some_and(|closed| day.is_some_and(|at| closed.covers(at.date())));
            let over = text(row, "slot_at").is_some_and(|at| at.as_str() < soon);
            if outside && (kept.gone || over) {
                // Moved, and no disk is there to hear of it before the new date: the desk calls them.
                continue;
            }
            if kept.date.is_none() && text(row, "slot_at").is_some_and(|at| at.as_str() < soon) {
                // Its day came before the kiosk heard of it: the receipt stands.
                continue;
            }
            let elsewhere = kept.returned && (kept.gone || kept.put_back);
            let moved = kept.returned || self.ahead.contains(&kept.visit);
            let unheard = moved && text(row, "slot_at").is_some_and(|at| at.as_str() < soon);
            if kept.absent && (kept.gone || kept.put_back) {
                // No disk is there to show the other date.
                continue;
            }
            if elsewhere || unheard {
                // No disk is there to show the date they came back to; or it came before the kiosk heard.
                continue;
            }
            if kept.date.is_none() {
                return Err(("I5", "somebody still has no date".to_owned()));
            }
            // The second paper of a doubled vault has an extra slot at the same hour.
            // Two machines of one vault may have dated one ranked person twice, a central restored
            // between: both dates stand.
            let doubled = self.doubled.contains(&kept.counter);
            let extra = doubled
                && (kept.ranked || text(row, "slot_at") == kept.date.as_ref().map(|date| date.1.clone()));
            if text(row, "slot") != kept.date.as_ref().map(|date| date.0.clone()) && !extra {
                let central = text(row, "slot_at").unwrap_or_else(|| "nothing".to_owned());
                return Err(("I6", format!("the paper says {}, central says {central}", said(&kept.date))));
            }
        }
        Ok(())
    }

    /// Certain duplicates are linked to one registration, and nobody else is.
    pub fn duplicates(&self, listed: &Value, links: &Value) -> Result<(), Fault> {
        let codes = listed.get("registrations").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let mut groups: BTreeMap<(u64, &str), Vec<&str>> = BTreeMap::new();
        for row in codes {
            let code = row.get("code").and_then(Value::as_str).unwrap_or_default();
            if let Some(certain) = self.kept.get(code).and_then(|kept| kept.certain) {
                // The list stands in rank order: the first of a group is the earliest.
                groups.entry(certain).or_default().push(code);
            }
        }
        let mut wanted = BTreeMap::new();
        for group in groups.values() {
            for later in group.iter().skip(1) {
                wanted.insert((*later).to_owned(), group.first().copied().unwrap_or_default().to_owned());
            }
        }
        let mut found = BTreeMap::new();
        for link in links.get("links").and_then(Value::as_array).map_or(&[][..], Vec::as_slice) {
            let text = |key| link.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
            found.insert(text("later"), text("earlier"));
        }
        // Central may know a registration that was asked about and never kept, on a disk that
        // was put back since: whom it is linked with, nobody here can tell.
        let unknown: Vec<String> = found
            .iter()
            .filter(|(later, earlier)| !self.kept.contains_key(*later) || !self.kept.contains_key(*earlier))
            .map(|(later, _)| later.clone())
            .collect();
        for later in &unknown {
            found.remove(later);
            wanted.remove(later);
        }
        if wanted == found {
            return Ok(());
        }
        let missing = wanted.iter().filter(|(later, earlier)| found.get(*later) != Some(*earlier)).count();
        let wrong = found.iter().filter(|(later, earlier)| wanted.get(*later) != Some(*earlier)).count();
        Err((
            "I2",
            format!("{missing} links missing or to another than the earliest, {wrong} that should not be"),
        ))
    }

    /// Nobody has a second, forgotten place beside the one they were shown.
    pub fn nobody_twice(&self, listed: &Value) -> Result<(), Fault> {
        let rows = listed.get("registrations").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        match rows.iter().find(|row| row.get("state").and_then(Value::as_str) != Some("kept")) {
            Some(_) => Err(("I2", "central has a registration asked for that nobody was shown".to_owned())),
            None => Ok(()),
        }
    }

    /// Everything is shown: nobody is left with the slot of somebody else.
    fn settled(&self) -> Result<(), Fault> {
        let has = |code: &String, slot: &String| {
            let kept = self.kept.get(code).filter(|kept| !kept.given_up && !kept.gone && !kept.put_back);
            kept.and_then(|kept| kept.date.as_ref()).is_some_and(|date| date.0 == *slot)
        };
        match self.disputed.iter().find(|(slot, one, other)| has(one, slot) && has(other, slot)) {
            Some((_, one, other)) => Err(("I1", format!("{one} and {other} have one slot"))),
            None => Ok(()),
        }
    }

    /// Who did not come has another date, where no disk and no database was put back.
    pub fn nobody_absent_without(&self, listed: &Value, undisturbed: bool) -> Result<(), Fault> {
        let rows = listed.get("registrations").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let text = |row: &Value, key: &str| row.get(key).and_then(Value::as_str).map(str::to_owned);
        for (code, kept) in self.kept.iter().filter(|(_, kept)| kept.absent && undisturbed) {
            let row = rows.iter().find(|row| text(row, "code").as_ref() == Some(code));
            let at = row.and_then(|row| text(row, "slot_at"));
            if at.is_none() || at == kept.date.as_ref().map(|date| date.1.clone()) {
                return Err(("I5", format!("{code} did not come, and has no other date")));
            }
        }
        Ok(())
    }
}

//! A mother and her son come together: the son is registered from the end of her visit, and both are
//! received on one day, at hours of their own.

use super::window::{Person, Window};
use super::{Story, person, text};
use crate::programs::Failure;
use serde_json::json;
use std::collections::BTreeSet;

impl Story {
    pub(super) async fn family(&mut self, window: &mut Window) -> Result<(), Failure> {
        let mother = Person { two: true, ..person("ar", "HADDAD", "Samira") };
        let name = super::Report::picture("together");
        window.picture_in(&["fr", "ar"], &self.out.join(name.trim_end_matches(".png")));
        window.type_person(&mother).await?;
        window.plain();
        let first = window.keep().await?;
        let mut print = window.print().await?;
        window.done().await?;
        self.picture(window, "together").await?;
        self.received(text(&first, "code").to_owned(), &mut print)?;

        window.act("next-person").await?;
        window.screen("person").await?;
        let known = window.value("family_names").await?;
        window.write("given_names", "Elias").await?;
        let (day, month, year) = ("2", "9", "2009");
        for (name, value) in [("birth.day", day), ("birth.month", month), ("birth.year", year)] {
            window.write(name, value).await?;
        }
        window.act("next").await?;
        window.screen("procedure").await?;
        window.click("label:has(input[name=\"procedure\"][value=\"duplicate\"])").await?;
        window.act("next").await?;
        window.screen("scan").await?;
        let second = window.keep().await?;
        window.screenshot(&self.out.join(name.replace(".png", "-date.png"))).await?;
        let beside = window.shows("[data-role=\"beside\"]").await?;
        let apart = window.shows("[data-role=\"apart\"]").await?;
        let kept = [&first, &second];
        self.print(window, "together").await?;

        let days: BTreeSet<&str> = kept.iter().filter_map(|one| text(one, "slot_at").get(..10)).collect();
        let hours: BTreeSet<&str> = kept.iter().map(|one| text(one, "slot_at")).collect();
        let held = known == "HADDAD" && beside && !apart && days.len() == 1 && hours.len() == 2;
        let evidence = json!({ "first": first, "second": second });
        self.kept.push(first);
        self.kept.push(second);
        self.report.done("together", held, evidence);
        Ok(())
    }
}

//! People come back to the counter: the ranked one for the date that followed, and one who gives the
//! appointment up and then takes it back.

use super::report::Report;
use super::window::Window;
use super::{SITE, Story, of, person, text};
use crate::programs::Failure;
use serde_json::{Value, json};

impl Story {
    /// The ranked person comes back with the receipt: its code and the birth date show the
    /// date that followed.
    pub(super) async fn comes_back(&mut self, window: &Window) -> Result<Value, Failure> {
        let ranked = self.kept.iter().find(|kept| kept["source"] == "rank").cloned().unwrap_or_default();
        self.paper_is_found(window, text(&ranked, "code")).await?;
        let slot_at = window.attribute("[data-role=\"date\"]", "data-slot-at").await?;
        let name = Report::picture("acknowledged").replace(".png", "-followup.png");
        window.screenshot(&self.out.join(name)).await?;
        window.act("home").await?;
        window.screen("home").await?;
        Ok(json!({ "slot_at": slot_at }))
    }

    /// The person dated online gives the appointment up, asked twice; central gives the slot to
    /// nobody meanwhile, and they take it back.
    pub(super) async fn given_up_and_back(&mut self, window: &Window) -> Result<(), Failure> {
        let online = self.kept.iter().find(|kept| kept["source"] == "online").cloned().unwrap_or_default();
        let code = text(&online, "code");
        self.paper_is_found(window, code).await?;
        window.act("cancel").await?;
        window.act("cancel-yes").await?;
        window.attribute("[data-role=\"cancelled\"]", "data-returning").await?;
        self.picture(window, "given-up").await?;
        let gone = self.heard(window, code).await?;

        self.paper_is_found(window, code).await?;
        window.act("reinstate").await?;
        window.attribute("[data-role=\"cancelled\"][data-returning=\"true\"]", "data-returning").await?;
        let back = self.heard(window, code).await?;
        self.paper_is_found(window, code).await?;
        let slot_at = window.attribute("[data-role=\"date\"]", "data-slot-at").await?;
        window.act("home").await?;
        window.screen("home").await?;
        let held = gone["state"] == "kept"
            && gone["slot_at"].is_null()
            && back["slot"]
                == online["slot"]
                    .as_str()
                    .and_then(|slot| slot.parse::<i64>().ok())
                    .map_or(Value::Null, Value::from)
            && back["slot_at"] == online["slot_at"]
            && online["slot_at"] == slot_at.as_str();
        self.report.done("given-up", held, json!({ "given_up": gone, "back": back, "shown": slot_at }));
        Ok(())
    }

    async fn paper_is_found(&self, window: &Window, code: &str) -> Result<(), Failure> {
        let (day, month, year) = person("fr", "", "").birth;
        window.act("followup").await?;
        window.screen("followup").await?;
        for (name, value) in
            [("code", code), ("birth.day", day), ("birth.month", month), ("birth.year", year)]
        {
            window.write(name, value).await?;
        }
        window.act("find-paper").await
    }

    /// From the screen of a paper back home, until central has what was said and the kiosk its answer:
    /// what central has then.
    async fn heard(&self, window: &Window, code: &str) -> Result<Value, Failure> {
        window.act("home").await?;
        window.screen("home").await?;
        self.synced(window, "nothing waits", |home| home.waiting == 0 && home.held == 0).await?;
        // One whole exchange after it: what central answered has come.
        self.exchanges(window).await?;
        Ok(of(&self.stand.admin("registrations", &["--site", SITE])?, code))
    }
}

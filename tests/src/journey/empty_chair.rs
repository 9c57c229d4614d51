//! The person leaves, or the mediator does: nothing of the person stays in the window, in the
//! clipboard or in a file, and nothing they said is lost. One draft with a text of its own in
//! every field is left idle, then signed out of, then given up.

use super::traces::{Planted, is_bare, wait_idle, was_idle};
use super::window::Window;
use super::{Story, text};
use crate::programs::{Failure, fail, wait_for};
use serde_json::{Value, json};

/// Select all and copy, as a mediator might.
const COPY: &str = "\u{e009}ac\u{e000}";
/// Undo and paste, as whoever comes next might.
const UNDO: &str = "\u{e009}zzzzzzzzv\u{e000}";
/// Select all and delete.
const EMPTY: &str = "\u{e009}a\u{e000}\u{e017}";
const ENTER: &str = "\u{e007}";

impl Story {
    /// # Errors
    /// A screen is not as expected, or what is looked at cannot be.
    pub(super) async fn empty_chair(&mut self, window: &Window) -> Result<(), Failure> {
        let fields = fields()?;
        let mut planted = Planted::new(fields.iter().map(|(_, text)| text.clone()).collect());
        self.typed(window, &fields).await?;
        let thumbnail = window.attribute("[data-role=\"page\"] img", "src").await?;
        // Its beginning is the same for all pictures; its middle is this page's own.
        planted.texts.push(thumbnail.chars().skip(thumbnail.len() / 2).take(64).collect());
        window.act("next").await?;
        window.screen("readback").await?;
        let before = planted.in_window(window).await?;
        let pasted = planted.in_selections()?;

        let noted = wait_idle(window).await?;
        self.picture(window, "empty-chair").await?;
        let idle = self.left(window, &planted).await?;

        // Nothing was lost: the draft opens with every field, to the mediator only.
        window.unlock().await?;
        window.act("open-visit").await?;
        window.screen("person").await?;
        let again = planted.in_window(window).await?;
        window.keys("[name=\"given_names\"]", COPY).await?;
        window.act("lock").await?;
        window.screen("unlock").await?;
        let signed_out = self.left(window, &planted).await?;

        window.unlock().await?;
        window.act("open-visit").await?;
        window.screen("person").await?;
        window.keys("[name=\"contact.postal\"]", COPY).await?;
        window.keys("button[data-action=\"discard\"]", ENTER).await?;
        window.screen("home").await?;
        let given_up = self.left(window, &planted).await?;

        let shown = |walk: &Value| walk["found"].as_object().map_or(0, serde_json::Map::len);
        let held = was_idle(&noted)
            // The look finds what is there: each text, the picture, and what was copied.
            && shown(&before) == planted.texts.len()
            && shown(&again) == planted.texts.len()
            && pasted.contains(&"clipboard")
            && [&idle, &signed_out, &given_up].iter().all(|left| left["nothing"] == true);
        self.report.done(
            "empty-chair",
            held,
            json!({
                "waited": noted, "planted": planted.texts.len(), "shown_before": shown(&before), "shown_again": shown(&again),
                "pasted_before": pasted, "idle": idle, "signed_out": signed_out, "given_up": given_up,
            }),
        );
        Ok(())
    }

    /// What is left of it, everywhere.
    async fn left(&self, window: &Window, planted: &Planted) -> Result<Value, Failure> {
        if window.shows("[name=\"pin\"]").await? {
            window.keys("[name=\"pin\"]", UNDO).await?;
        }
        let walk = planted.in_window(window).await?;
        if window.shows("[name=\"pin\"]").await? {
            window.keys("[name=\"pin\"]", EMPTY).await?;
        }
        // The selection is let go of a moment after the screen has changed.
        let selections =
            wait_for("nothing is left to paste", || planted.in_selections().ok().filter(Vec::is_empty))
                .err()
                .map_or(Ok(Vec::new()), |_| planted.in_selections())?;
        let files = planted.in_files(&self.stand)?;
        if files.files == 0 {
            return Err(fail("no file was written since: the search looked in the wrong place"));
        }
        let nothing = is_bare(&walk) && selections.is_empty() && files.found.is_empty();
        Ok(json!({
            "nothing": nothing, "window": walk, "selections": selections,
            "files": { "searched": files.files, "found": files.found },
        }))
    }

    /// Every field of every screen, and a page.
    async fn typed(&self, window: &Window, fields: &[(&str, String)]) -> Result<(), Failure> {
        let typed = async |on: &str| {
            for (name, text) in
                fields.iter().filter(|(name, _)| name.starts_with("limit.") == (on == "procedure"))
            {
                // Typed without a click: the bar at the bottom may lie over the field.
                window.keys(&format!("[name=\"{name}\"]"), text).await?;
            }
            Ok::<(), Failure>(())
        };
        window.act("start-visit").await?;
        window.screen("person").await?;
        window.keys("input[name=\"representative\"]", " ").await?;
        typed("person").await?;
        window.keys("[name=\"family_names\"]", COPY).await?;
        window.act("next").await?;
        window.screen("procedure").await?;
        window.click("label:has(input[name=\"limit.right\"][value=\"court_injunction\"])").await?;
        typed("procedure").await?;
        window.act("next").await?;
        window.screen("scan").await?;
        window.act("scan-page").await?;
        window.click("[data-role=\"pages\"][data-count=\"1\"]").await?;
        window.screen("scan").await
    }

    /// A finished visit leaves nothing in the window either: what its date screen said of it.
    pub(super) async fn finished(
        &self,
        window: &Window,
        names: &[&str],
        kept: &Value,
    ) -> Result<Value, Failure> {
        let mut texts: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        texts.push(text(kept, "code").to_owned());
        let walk = Planted::new(texts).in_window(window).await?;
        Ok(json!({ "nothing": is_bare(&walk), "window": walk }))
    }
}

/// A text found nowhere else, for each field that takes one.
fn fields() -> Result<Vec<(&'static str, String)>, Failure> {
    let mut drawn = [0_u8; 8];
    let mut letters = || -> Result<String, Failure> {
        getrandom::fill(&mut drawn).map_err(|error| fail(error.to_string()))?;
        Ok(drawn.iter().map(|byte| char::from(b'a' + byte % 26)).collect())
    };
    let mut out = Vec::new();
    for (name, start, end) in [
        ("family_names", "Q", ""),
        ("given_names", "Zoé-Q", ""),
        ("birth_place", "Ville-Q", ""),
        ("contact.email", "q", "@example.org"),
        ("contact.postal", "3 rue Q", ", 99000 Modèleville"),
        ("representative.family_names", "R", ""),
        ("representative.given_names", "Ré-Q", ""),
        ("limit.evidence", "ord. n° Q", ""),
    ] {
        out.push((name, format!("{start}{}{end}", letters()?)));
    }
    for (name, start) in [("agdref", "99"), ("contact.phone", "0199")] {
        let digits: String = letters()?.bytes().map(|byte| char::from(b'0' + byte % 10)).collect();
        out.push((name, format!("{start}{digits}")));
    }
    Ok(out)
}

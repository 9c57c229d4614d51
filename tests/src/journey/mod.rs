//! The main job, told once from end to end through the real window on real parts: a
//! date online, dates with the network down, a crash, a rank, and everything synced.

mod comes_back;
mod empty_chair;
pub mod paper;
pub mod report;
mod together;
mod traces;
pub mod window;

use crate::programs::{Failure, WAIT, fail};
use crate::stand::{SITE, Stand};
use jiff::civil::{Date, DateTime};
use report::Report;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;
use window::{Person, Window};

/// The court's term in the story, in days.
const COURT_DAYS: i32 = 40;
/// A lease of the demonstration holds four slots: at the fifth person at the latest it is empty.
const UNTIL_RANKED: usize = 6;

/// Tells the story; true when every step held. `report.json` is written in any case.
///
/// # Errors
/// The report itself cannot be written.
pub async fn run(stand: Stand, out: &Path) -> Result<bool, Failure> {
    let _ = std::fs::remove_dir_all(out);
    std::fs::create_dir_all(out.join("logs"))?;
    let mut story = Story {
        report: Report::new(out),
        out: out.to_owned(),
        stand,
        kept: Vec::new(),
        papers: BTreeMap::new(),
        scanned: Vec::new(),
    };
    if let Err(failure) = story.tell().await {
        eprintln!("the journey stopped: {failure}");
        story.report.error = Some(failure.to_string());
    }
    for log in ["central.log", "window.log", "postgres.log"] {
        let _ = std::fs::copy(story.stand.folder.join("logs").join(log), out.join("logs").join(log));
    }
    story.report.write()?;
    Ok(story.report.ok())
}

struct Story {
    report: Report,
    out: PathBuf,
    stand: Stand,
    /// What the date screen said, in order.
    kept: Vec<Value>,
    /// Received papers by follow-up code.
    papers: BTreeMap<String, PathBuf>,
    /// SHA-256 of each page the scanner gave in the story.
    scanned: Vec<String>,
}

fn person(lang: &'static str, family_names: &'static str, given_names: &'static str) -> Person {
    Person {
        lang,
        family_names,
        given_names,
        birth: ("14", "3", "1991"),
        nationality: "MLI",
        procedure: "renewal",
        court_days: None,
        two: false,
    }
}

impl Story {
    async fn tell(&mut self) -> Result<(), Failure> {
        let mut window = Window::open(&self.stand).await?;
        let told = self.steps(&mut window).await;
        if told.is_err() {
            let _ = window.screenshot(&self.out.join("failure.png")).await;
        }
        let closed = window.close().await;
        told?;
        closed?;
        self.after().await
    }

    async fn picture(&self, window: &Window, id: &str) -> Result<(), Failure> {
        window.screenshot(&self.out.join(Report::picture(id))).await
    }

    async fn steps(&mut self, window: &mut Window) -> Result<(), Failure> {
        window.unlock().await?;
        // Leases arrive with the first exchange.
        self.synced(window, "the lease arrives", |home| home.free >= 4).await?;
        self.picture(window, "unlock").await?;
        self.report.done("unlock", true, json!({ "mediator": crate::stand::MEDIATOR }));

        self.empty_chair(window).await?;

        // The mediator's screens in the other languages, once: not a step, only to be looked at.
        let name = Report::picture("online-date");
        window.picture_in(&["ar", "en"], &self.out.join(name.trim_end_matches(".png")));
        window.type_person(&person("ar", "بن عيسى", "فاطمة الزهراء")).await?;
        let online = window.keep().await?;
        window.plain();
        self.picture(window, "online-date").await?;
        self.keep("online-date", &online, online["source"] == "online" && online["slot_at"].is_string());
        let mut print = self.print(window, "print-online").await?;
        let left = self.finished(window, &["بن عيسى", "فاطمة الزهراء"], &online).await?;
        let held = print["state"] == "printed" && left["nothing"] == true;
        print["left"] = left;
        self.report.done("print-online", held, print);

        let pid = self.stand.central_pid();
        self.stand.kill_central();
        let offline =
            self.synced(window, "the window says offline", |home| home.connection == "offline").await;
        self.picture(window, "cut").await?;
        self.report.done("cut", offline.is_ok(), json!({ "killed": pid }));

        self.scan_and_keep(window).await?;
        let print = self.print(window, "print-offline").await?;
        self.report.done("print-offline", print["state"] == "printed", print);

        self.killed_before_printing(window).await?;
        self.until_ranked(window).await?;

        self.stand.start_central()?;
        let back = self.synced(window, "the window says online", |home| home.connection == "online").await;
        self.picture(window, "back").await?;
        self.report.done("back", back.is_ok(), json!({ "central": self.stand.central_pid() }));
        self.family(window).await?;
        self.acknowledged(window).await
    }

    /// Two pages for a person whom a court gave a term.
    async fn scan_and_keep(&mut self, window: &Window) -> Result<(), Failure> {
        let court = Person {
            court_days: Some(("40", "TA Modèleville, ord. n° 2700123")),
            procedure: "first_permit",
            nationality: "AFG",
            ..person("fr", "NAZARI", "Zahra")
        };
        let today = jiff::Zoned::now().with_time_zone(jiff::tz::TimeZone::get("Europe/Paris")?).date();
        window.type_person(&court).await?;
        let specimens = crate::stand::specimens()?;
        for (n, specimen) in specimens.iter().enumerate() {
            if let Some(scanner) = &self.stand.scanner {
                scanner.set_pages(vec![specimen.clone()]);
            }
            window.act("scan-page").await?;
            window.click(&format!("[data-role=\"pages\"][data-count=\"{}\"]", n + 1)).await?;
            window.screen("scan").await?;
            self.scanned.push(paper::scanned(&self.stand).await?);
        }
        self.picture(window, "scan").await?;
        self.report.done("scan", self.scanned.len() == 2, json!({ "plain_sha256_scanned": self.scanned }));

        let offline = window.keep().await?;
        self.picture(window, "offline-date").await?;
        let at: DateTime = text(&offline, "slot_at").parse()?;
        let last = today.checked_add(jiff::Span::new().days(COURT_DAYS))?;
        // The paper's own idea of the last day must be the court's.
        let limit: Date = text(&offline, "limit").parse()?;
        let held = offline["source"] == "lease" && at.date() > today && at.date() <= last && limit >= last;
        self.keep("offline-date", &offline, held);
        Ok(())
    }

    /// The app is killed once the date is kept and before a byte is printed.
    async fn killed_before_printing(&mut self, window: &mut Window) -> Result<(), Failure> {
        window.type_person(&person("fr", "O'NEILL-ÇELİK", "Seán")).await?;
        let before = window.keep().await?;
        let printed = self.spool()?.len();
        window.kill_app()?;
        let restart = jiff::Timestamp::now();
        if self.spool()?.len() != printed {
            return Err(fail("a byte was printed before the kill"));
        }
        window.start().await?;
        window.unlock().await?;
        window.act("open-visit").await?;
        window.screen("date").await?;
        let after = window.date().await?;
        self.picture(window, "kill").await?;
        let print = self.print(window, "kill").await?;
        let file =
            self.papers.get(text(&after, "code")).cloned().ok_or_else(|| fail("no paper was received"))?;
        let seal = paper::verify_page(&self.stand, &self.out, &file, text(&after, "code"))?;
        // Sealed before the kill: the restarted kiosk did not seal anew.
        let sealed: jiff::Timestamp = text(&seal, "issued_at").parse()?;
        let held = before["code"] == after["code"]
            && before["slot_at"] == after["slot_at"]
            && print["state"] == "printed"
            && seal["verdict"] == "valid"
            && sealed <= restart;
        self.kept.push(after.clone());
        self.report.done(
            "kill",
            held,
            json!({ "before": before, "after": after, "print": print, "seal": seal }),
        );
        Ok(())
    }

    async fn until_ranked(&mut self, window: &Window) -> Result<(), Failure> {
        let names: [(&str, &str); UNTIL_RANKED] = [
            ("DIALLO", "Mamadou"),
            ("NGUYỄN", "Thị Hồng"),
            ("KOVALENKO", "Олена"),
            ("HAGOS", "ሰላም"),
            ("SHRESTHA", "सीता"),
            ("AL-MASRI", "Omar"),
        ];
        for (family_names, given_names) in names {
            window.type_person(&person("fr", family_names, given_names)).await?;
            let said = window.keep().await?;
            let ranked = said["source"] == "rank";
            if ranked {
                self.picture(window, "ranked").await?;
                let held = said["no_later_than"].is_string();
                self.keep("ranked", &said, said["slot_at"].is_null() && held);
            } else {
                self.kept.push(said);
            }
            self.print(window, "ranked").await?;
            if ranked {
                return Ok(());
            }
        }
        Err(fail("the lease was never exhausted"))
    }

    /// Every record held and applied; the ranked person has a firm date.
    async fn acknowledged(&mut self, window: &Window) -> Result<(), Failure> {
        self.synced(window, "nothing waits", |home| home.waiting == 0 && home.held == 0).await?;
        window.act("outbox").await?;
        window.screen("outbox").await?;
        self.picture(window, "acknowledged").await?;
        window.act("home").await?;
        window.screen("home").await?;
        let central = self.stand.admin("registrations", &["--site", SITE])?;
        let told = self.comes_back(window).await?;
        let ranked = self.kept.iter().find(|kept| kept["source"] == "rank").cloned().unwrap_or_default();
        let firm = of(&central, text(&ranked, "code"));
        let all_kept = self.kept.iter().all(|kept| of(&central, text(kept, "code"))["state"] == "kept");
        let as_printed = self
            .kept
            .iter()
            .filter(|kept| kept["slot_at"].is_string())
            .all(|kept| of(&central, text(kept, "code"))["slot_at"] == kept["slot_at"]);
        let held = all_kept
            && as_printed
            && firm["slot_at"].is_string()
            && firm["slot_at"] == told["slot_at"]
            && firm["slot_at"].as_str() <= ranked["no_later_than"].as_str()
            && central["records_not_applied"] == 0
            && central["records_set_aside"] == 0;
        self.report.registrations = self
            .kept
            .iter()
            .map(|kept| {
                let there = of(&central, text(kept, "code"));
                json!({
                    "code": kept["code"], "source": kept["source"], "slot_at": there["slot_at"], "zone": kept["zone"],
                    "slot": there["slot"].as_i64().map(|slot| slot.to_string()),
                    "acknowledged": true, "applied": there["state"] == "kept",
                })
            })
            .collect();
        self.report.done(
            "acknowledged",
            held,
            json!({ "ranked_now": firm, "registrations": self.kept.len() }),
        );
        self.given_up_and_back(window).await
    }

    /// What is checked once the window is closed.
    async fn after(&mut self) -> Result<(), Failure> {
        let scanned_for =
            self.kept.iter().find(|kept| kept["limit"].is_string()).cloned().unwrap_or_default();
        let pieces = paper::pieces(&self.stand, &self.out, text(&scanned_for, "code"), &self.scanned)?;
        self.report.done("pieces", pieces.0, pieces.1);

        let central = self.stand.admin("registrations", &["--site", SITE])?;
        let mut holders: BTreeMap<String, u32> = BTreeMap::new();
        for one in central["registrations"].as_array().into_iter().flatten() {
            if let Some(slot) = one["slot"].as_i64() {
                *holders.entry(slot.to_string()).or_default() += 1;
            }
        }
        let twice = holders.values().filter(|count| **count > 1).count();
        let mut printed: BTreeMap<String, u32> = BTreeMap::new();
        for file in self.spool()? {
            *printed.entry(paper::code_of(&file)?).or_default() += 1;
        }
        let once =
            twice == 0 && printed.len() == self.kept.len() && printed.values().all(|count| *count == 1);
        let unacknowledged = central["records_not_applied"].clone();
        self.report.counts =
            json!({ "slots_with_two_holders": twice, "unacknowledged": unacknowledged, "printed": printed });
        self.report.done("once", once, json!({ "printed": printed, "slots": holders.len() }));

        for kept in &self.kept {
            paper::sent(&self.stand, &self.out, text(kept, "code"), &self.papers)?;
        }
        let online = text(self.kept.first().unwrap_or(&Value::Null), "code").to_owned();
        let file = self.papers.get(&online).cloned().ok_or_else(|| fail("no paper was received"))?;
        let seal = paper::verify_page(&self.stand, &self.out, &file, &online)?;
        self.report.done(
            "verify",
            seal["verdict"] == "valid" && seal["code"] == online.as_str(),
            seal.clone(),
        );
        let forged = paper::forge(&self.stand, text(&seal, "text"))?;
        self.report.done("forged", forged.0, forged.1);
        Ok(())
    }

    /// Prints from the date screen, finishes the visit, and finds the paper received.
    async fn print(&mut self, window: &Window, id: &str) -> Result<Value, Failure> {
        let code = window.attribute("[data-role=\"date\"]", "data-code").await?;
        let mut print = window.print().await?;
        if !["kill", "ranked", "together"].contains(&id) {
            self.picture(window, id).await?;
        }
        window.finish().await?;
        self.received(code, &mut print)?;
        Ok(print)
    }

    /// Finds the paper the printer received, and holds it against what was sent.
    fn received(&mut self, code: String, print: &mut Value) -> Result<(), Failure> {
        let attempt = text(print, "attempt").to_owned();
        let file = self
            .spool()?
            .into_iter()
            .find(|file| file.file_name().is_some_and(|name| name.to_string_lossy().contains(&attempt)))
            .ok_or_else(|| fail("the printer received no such job"))?;
        std::fs::copy(&file, self.out.join(format!("{code}.received.pdf")))?;
        paper::page(&file, &self.out.join(format!("{code}-page.png")), 100)?;
        let same = paper::sha256(&file)? == text(print, "sha256");
        print["spool_file"] = json!(file.display().to_string());
        print["received_equals_sent"] = json!(same);
        self.papers.insert(code, file);
        if same { Ok(()) } else { Err(fail("the printer received other bytes than were sent")) }
    }

    fn keep(&mut self, id: &str, said: &Value, held: bool) {
        self.kept.push(said.clone());
        self.report.done(id, held, said.clone());
    }

    fn spool(&self) -> Result<Vec<PathBuf>, Failure> {
        Ok(match &self.stand.printer {
            Some(printer) => printer.received()?,
            None => Vec::new(),
        })
    }

    /// Looks at the home screen until it says so; asks for an exchange meanwhile.
    async fn synced(
        &self,
        window: &Window,
        what: &str,
        ready: impl Fn(&Home) -> bool,
    ) -> Result<(), Failure> {
        let end = Instant::now() + WAIT * 2;
        loop {
            let home = Home::read(window).await?;
            if ready(&home) {
                return Ok(());
            }
            if Instant::now() > end {
                return Err(fail(format!("waited in vain: {what}; the window says {home:?}")));
            }
            self.exchanges(window).await?;
        }
    }

    /// One exchange, asked for on the outbox screen, and back home.
    async fn exchanges(&self, window: &Window) -> Result<(), Failure> {
        window.act("outbox").await?;
        window.screen("outbox").await?;
        window.act("sync-now").await?;
        window.screen("outbox").await?;
        window.act("home").await?;
        window.screen("home").await
    }
}

/// What the home screen says.
#[derive(Debug)]
struct Home {
    connection: String,
    free: u32,
    waiting: u32,
    held: u32,
}

impl Home {
    async fn read(window: &Window) -> Result<Self, Failure> {
        let number = async |role: &str, name: &str| {
            let text = window.attribute(&format!("[data-role=\"{role}\"]"), name).await?;
            Ok::<u32, Failure>(text.parse()?)
        };
        Ok(Self {
            connection: window.attribute("[data-role=\"connection\"]", "data-state").await?,
            free: number("lease", "data-free").await?,
            waiting: number("outbox-count", "data-waiting").await?,
            held: number("outbox-count", "data-held").await?,
        })
    }
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// A registration of `central admin registrations` by its code.
fn of(central: &Value, code: &str) -> Value {
    central["registrations"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|one| one["code"] == code)
        .cloned()
        .unwrap_or_default()
}

/// Runs a program and reads its JSON, whatever its exit code.
pub(crate) fn json_of(command: &mut std::process::Command) -> Result<(Option<i32>, Value), Failure> {
    let out = command.stdin(std::process::Stdio::null()).output()?;
    let value = serde_json::from_slice(&out.stdout)
        .map_err(|_| fail(String::from_utf8_lossy(&out.stderr).into_owned()))?;
    Ok((out.status.code(), value))
}

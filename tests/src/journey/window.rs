//! The real window, driven by WebKitWebDriver as a person would: keys, clicks, and the
//! words on the screen.

use crate::programs::{Failure, Running, WAIT, built, command, fail, free_port, kill, pids_of, wait_for};
use crate::stand::{MEDIATOR, PIN, Stand};
use fantoccini::error::CmdError;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Between two looks at a condition.
const LOOK: Duration = Duration::from_millis(100);

/// What is typed for one person.
#[derive(Debug, Clone)]
pub struct Person {
    pub lang: &'static str,
    pub family_names: &'static str,
    pub given_names: &'static str,
    pub birth: (&'static str, &'static str, &'static str),
    pub nationality: &'static str,
    pub procedure: &'static str,
    /// A court's term in days, with its reference.
    pub court_days: Option<(&'static str, &'static str)>,
    /// Somebody comes with them.
    pub two: bool,
}

/// The driver and one session of the window.
pub struct Window {
    client: Option<Client>,
    driver: Running,
    port: u16,
    /// Languages to picture the next screens in, and how the files' names begin.
    pictured: Option<(Vec<&'static str>, PathBuf)>,
}

impl Window {
    /// Starts the driver and the app.
    ///
    /// # Errors
    /// WebKitWebDriver (Debian package webkit2gtk-driver) or the window does not start.
    pub async fn open(stand: &Stand) -> Result<Self, Failure> {
        let port = free_port()?;
        let mut driver = command("WebKitWebDriver", [format!("--port={port}")]);
        stand.kiosk_environment(&mut driver);
        driver.env("TAURI_WEBVIEW_AUTOMATION", "true").env("JALON_LOG", "info");
        let driver = Running::start(&mut driver, &stand.folder.join("logs/window.log"))?;
        wait_for("WebKitWebDriver listens", || std::net::TcpStream::connect(("127.0.0.1", port)).ok())?;
        let mut window = Self { client: None, driver, port, pictured: None };
        window.start().await?;
        Ok(window)
    }

    /// A new session: starts the app again after it was killed.
    ///
    /// # Errors
    /// The window does not come up in time.
    pub async fn start(&mut self) -> Result<(), Failure> {
        let binary = built("kiosk")?.display().to_string();
        let mut capabilities = Map::new();
        capabilities.insert("webkitgtk:browserOptions".into(), json!({ "binary": binary, "args": [] }));
        let url = format!("http://127.0.0.1:{}", self.port);
        let end = Instant::now() + WAIT;
        let client = loop {
            let mut builder = ClientBuilder::new(HttpConnector::new());
            let connecting = builder.capabilities(capabilities.clone()).connect(&url);
            match tokio::time::timeout(WAIT, connecting).await {
                Ok(Ok(client)) => break client,
                // The driver may not have noticed yet that the app before is gone.
                Ok(Err(error)) if Instant::now() > end => return Err(error.into()),
                Ok(Err(_)) => tokio::time::sleep(LOOK).await,
                Err(_) => return Err(fail("the window's session did not start in time")),
            }
        };
        self.client = Some(client);
        self.screen("unlock").await
    }

    /// SIGKILL of the app, as a power cut would end it.
    ///
    /// # Errors
    /// It is not running.
    pub fn kill_app(&mut self) -> Result<(), Failure> {
        let program = built("kiosk")?;
        let pids = pids_of(&program);
        if pids.is_empty() {
            return Err(fail("the app is not running"));
        }
        for pid in pids {
            kill(pid)?;
        }
        wait_for("the app is gone", || pids_of(&program).is_empty().then_some(()))?;
        self.client = None;
        Ok(())
    }

    /// Ends the session, then the driver. What comes next may want the vault: the app has let go of
    /// it when it is gone.
    ///
    /// # Errors
    /// The app outlives its session; it is killed.
    pub async fn close(mut self) -> Result<(), Failure> {
        if let Some(client) = self.client.take() {
            let _ = tokio::time::timeout(WAIT, client.close()).await;
        }
        let program = built("kiosk")?;
        // The driver answers first and ends the app after: ended too early, it leaves the app running.
        let gone = wait_for("the app is gone", || pids_of(&program).is_empty().then_some(()));
        self.driver.kill();
        if gone.is_err() {
            pids_of(&program).into_iter().try_for_each(kill)?;
        }
        gone
    }

    fn client(&self) -> Result<&Client, Failure> {
        self.client.as_ref().ok_or_else(|| fail("the window is closed"))
    }

    /// Waits until this screen is shown and not busy.
    ///
    /// # Errors
    /// It is not in time; a refusal on the screen is told.
    pub async fn screen(&self, name: &str) -> Result<(), Failure> {
        let wanted = format!("main[data-screen=\"{name}\"][data-busy=\"false\"]");
        match self.find(&wanted).await {
            Ok(_) => Ok(()),
            Err(failure) => {
                let shown = self.text("main").await.unwrap_or_default();
                Err(fail(format!("{failure}; the screen says: {}", shown.replace('\n', " | "))))
            }
        }
    }

    async fn find(&self, css: &str) -> Result<fantoccini::elements::Element, Failure> {
        let client = self.client()?;
        client
            .wait()
            .at_most(WAIT)
            .every(Duration::from_millis(50))
            .for_element(Locator::Css(css))
            .await
            .map_err(|error| fail(format!("{css}: {error}")))
    }

    /// The text of an element.
    ///
    /// # Errors
    /// It is not there.
    pub async fn text(&self, css: &str) -> Result<String, Failure> {
        let element = self.client()?.find(Locator::Css(css)).await?;
        Ok(element.text().await?)
    }

    /// Types into a field by its name.
    ///
    /// # Errors
    /// There is no such field.
    pub async fn write(&self, name: &str, text: &str) -> Result<(), Failure> {
        let css = format!("[name=\"{name}\"]");
        self.click(&css).await?;
        Ok(self.find(&css).await?.send_keys(text).await?)
    }

    /// Sends keys to an element: chords too, as WebDriver writes them.
    ///
    /// # Errors
    /// There is no such element, or it takes no keys.
    pub async fn keys(&self, css: &str, keys: &str) -> Result<(), Failure> {
        Ok(self.find(css).await?.send_keys(keys).await?)
    }

    /// Runs a script in the page; it answers through its last argument.
    ///
    /// # Errors
    /// It fails, or does not answer.
    pub async fn script(&self, script: &str, args: Vec<Value>) -> Result<Value, Failure> {
        let answer = self.client()?.execute_async(script, args);
        tokio::time::timeout(WAIT, answer)
            .await
            .map_err(|_| fail("a script in the page did not answer"))?
            .map_err(Into::into)
    }

    /// Is there such an element now?
    ///
    /// # Errors
    /// The window does not answer.
    pub async fn shows(&self, css: &str) -> Result<bool, Failure> {
        Ok(!self.client()?.find_all(Locator::Css(css)).await?.is_empty())
    }

    /// Clicks a button by its action.
    ///
    /// # Errors
    /// There is none.
    pub async fn act(&self, action: &str) -> Result<(), Failure> {
        self.click(&format!("button[data-action=\"{action}\"]")).await
    }

    /// Clicks an element, once it can be.
    ///
    /// # Errors
    /// It is not there.
    pub async fn click(&self, css: &str) -> Result<(), Failure> {
        let end = Instant::now() + WAIT;
        loop {
            match self.find(css).await?.click().await {
                Ok(()) => return Ok(()),
                // Redrawn between finding and clicking, or behind the bar at the foot of the window.
                Err(CmdError::Standard(_)) if Instant::now() < end => self.bring_up(css).await?,
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Scrolls until an element stands in the middle, if it is there.
    async fn bring_up(&self, css: &str) -> Result<(), Failure> {
        let script =
            "document.querySelector(arguments[0])?.scrollIntoView({ block: 'center' }); arguments[1]();";
        self.script(script, vec![Value::from(css)]).await.map(drop)
    }

    /// Chooses an option of a list by its value.
    async fn choose(&self, name: &str, value: &str) -> Result<(), Failure> {
        // The list is filled once the core has answered.
        self.find(&format!("select[name=\"{name}\"] option[value=\"{value}\"]")).await?;
        self.find(&format!("select[name=\"{name}\"]")).await?.select_by_value(value).await?;
        Ok(())
    }

    /// An attribute of an element.
    ///
    /// # Errors
    /// The element or the attribute is not there.
    pub async fn attribute(&self, css: &str, name: &str) -> Result<String, Failure> {
        self.find(css).await?.attr(name).await?.ok_or_else(|| fail(format!("{css} has no {name}")))
    }

    /// Saves what the window shows.
    ///
    /// # Errors
    /// The window is gone or the file cannot be written.
    pub async fn screenshot(&self, file: &Path) -> Result<(), Failure> {
        // Two frames: what the page says now is then what the picture shows.
        let frames =
            "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => done()));";
        self.client()?.execute_async(frames, Vec::new()).await?;
        let png = self.client()?.screenshot().await?;
        std::fs::write(file, png)?;
        Ok(())
    }

    /// From now on, until [`Window::plain`], the screens a mediator fills in are also shown in these
    /// languages and pictured: `<start>-<screen>-<lang>.png`.
    pub fn picture_in(&mut self, langs: &[&'static str], start: &Path) {
        self.pictured = Some((langs.to_vec(), start.to_owned()));
    }

    /// No more such pictures.
    pub fn plain(&mut self) {
        self.pictured = None;
    }

    /// What stands in a field now.
    ///
    /// # Errors
    /// There is no such field.
    pub async fn value(&self, name: &str) -> Result<String, Failure> {
        let field = self.find(&format!("[name=\"{name}\"]")).await?;
        Ok(field.prop("value").await?.unwrap_or_default())
    }

    /// Pictures the present screen in the languages asked for, and goes back to the one it was in.
    async fn shown(&self, screen: &str) -> Result<(), Failure> {
        let Some((langs, start)) = &self.pictured else {
            return Ok(());
        };
        let before = self.attribute("main", "data-lang").await?;
        for lang in langs {
            self.speak(lang).await?;
            let name = format!("{}-{screen}-{lang}.png", start.display());
            self.screenshot(Path::new(&name)).await?;
        }
        self.speak(&before).await
    }

    /// Puts the mediator's screens into a language.
    async fn speak(&self, lang: &str) -> Result<(), Failure> {
        self.click(&format!("button[data-action=\"mediator-lang\"][data-lang=\"{lang}\"]")).await?;
        self.find(&format!("main[data-lang=\"{lang}\"]")).await?;
        Ok(())
    }

    /// Unlocks as the stand's mediator.
    ///
    /// # Errors
    /// The PIN is refused.
    pub async fn unlock(&self) -> Result<(), Failure> {
        self.choose("mediator", MEDIATOR).await?;
        self.write("pin", PIN).await?;
        self.act("unlock").await?;
        self.screen("home").await
    }

    /// Types a whole person, from the home screen to the scan screen.
    ///
    /// # Errors
    /// A screen or a field is not as expected.
    pub async fn type_person(&self, person: &Person) -> Result<(), Failure> {
        self.click(&format!("button[data-action=\"person-lang\"][data-lang=\"{}\"]", person.lang)).await?;
        self.act("start-visit").await?;
        self.screen("person").await?;
        self.write("family_names", person.family_names).await?;
        self.write("given_names", person.given_names).await?;
        let (day, month, year) = person.birth;
        self.write("birth.day", day).await?;
        self.write("birth.month", month).await?;
        self.write("birth.year", year).await?;
        self.choose("nationality", person.nationality).await?;
        self.shown("person").await?;
        self.act("next").await?;
        self.screen("procedure").await?;
        self.click(&format!("label:has(input[name=\"procedure\"][value=\"{}\"])", person.procedure)).await?;
        if let Some((days, evidence)) = person.court_days {
            self.click("label:has(input[name=\"limit.right\"][value=\"court_injunction\"])").await?;
            self.write("limit.days", days).await?;
            self.write("limit.evidence", evidence).await?;
        }
        if person.two {
            self.click("label:has(input[name=\"together\"])").await?;
        }
        self.shown("procedure").await?;
        self.act("next").await?;
        self.screen("scan").await
    }

    /// From the scan screen to the date, and what the date screen says.
    ///
    /// # Errors
    /// The registration is not kept.
    pub async fn keep(&self) -> Result<Value, Failure> {
        self.act("next").await?;
        self.screen("readback").await?;
        self.shown("readback").await?;
        self.act("confirm").await?;
        self.screen("date").await?;
        self.date().await
    }

    /// What the date screen says.
    ///
    /// # Errors
    /// It is not shown.
    pub async fn date(&self) -> Result<Value, Failure> {
        let mut said = Map::new();
        for name in ["code", "slot-at", "no-later-than", "slot", "site", "source", "limit", "zone"] {
            let value = self.attribute("[data-role=\"date\"]", &format!("data-{name}")).await?;
            let value = if value.is_empty() { Value::Null } else { Value::String(value) };
            said.insert(name.replace('-', "_"), value);
        }
        Ok(Value::Object(said))
    }

    /// From the date screen through printing; answers what the print screen says once
    /// the printer says the job is complete.
    ///
    /// # Errors
    /// The paper is not printed in time.
    pub async fn print(&self) -> Result<Value, Failure> {
        self.act("next").await?;
        self.screen("print").await?;
        self.find("[data-role=\"print\"][data-state=\"printed\"]").await?;
        let mut said = Map::new();
        for (name, key) in [
            ("job", "job_id"),
            ("state", "state"),
            ("bytes", "bytes"),
            ("sha256", "sha256"),
            ("attempt", "attempt"),
        ] {
            let value = self.attribute("[data-role=\"print\"]", &format!("data-{name}")).await?;
            let value = value.parse::<i64>().map_or(Value::String(value), Value::from);
            said.insert(key.to_owned(), value);
        }
        Ok(Value::Object(said))
    }

    /// From the print screen to the end of the visit.
    ///
    /// # Errors
    /// The screen does not come.
    pub async fn done(&self) -> Result<(), Failure> {
        self.act("next").await?;
        self.screen("done").await
    }

    /// From the print screen back home.
    ///
    /// # Errors
    /// A screen does not come.
    pub async fn finish(&self) -> Result<(), Failure> {
        self.done().await?;
        self.act("finish").await?;
        self.screen("home").await
    }
}

//! What a person leaves behind once they, or the mediator, have left: looked for in the
//! window, in all a script can reach, in the selections other programs can paste, and in files.
//! The same look must find the names while they stand there, so that it cannot find nothing
//! for having looked nowhere. Looks only; never clears anything.

use super::window::Window;
use crate::programs::{Failure, command, fail};
use crate::stand::Stand;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// The idle time of a kiosk nobody has set another for, in milliseconds.
const IDLE_MS: u64 = 120_000;
/// Seconds of warning.
const CALL_S: u64 = 45;
/// Largest file read in a search; larger ones are refused, not passed over.
const FILE_MAX: u64 = 512 * 1024 * 1024;
/// Longest a program that owns a selection may take to hand it over.
const PASTE_S: &str = "5";

/// Everything reachable by script from the window, its document and its storage. Answers which
/// of the planted texts were found, and where.
const WALK: &str = r"
const [texts, done] = arguments;
const found = {}, seen = new Set(), stack = [];
let objects = 0;
const look = (text, path) => texts.forEach((one, at) => {
  if (text.includes(one)) (found[at] ??= []).length < 4 && found[at].push(path.slice(-160));
});
const push = (value, path) => {
  if (typeof value === 'string') look(value, path);
  else if (value !== null && (typeof value === 'object' || typeof value === 'function') && !seen.has(value)) {
    seen.add(value);
    stack.push([value, path]);
  }
};
const get = (of, key, path) => { try { push(of[key], path + '.' + String(key)); } catch { /* not to be read */ } };
push(window, 'window');
for (const key of ['document', 'history', 'location', 'navigator', 'localStorage', 'sessionStorage', 'screen', 'performance']) get(window, key, 'window');
get(history, 'state', 'history');
get(document, 'title', 'document');
get(document, 'cookie', 'document');
push(String(getSelection()), 'selection');
push(JSON.stringify(performance.getEntries()), 'performance entries');
while (stack.length > 0) {
  const [it, path] = stack.pop();
  objects += 1;
  let node = false;
  try { node = it.nodeType > 0; } catch { /* a prototype */ }
  if (node && it instanceof Node) {
    if (it.nodeType !== 1) push(it.nodeValue ?? '', path + '#text');
    for (const key of ['value', 'defaultValue']) if (typeof it[key] === 'string') push(it[key], path + '.' + key);
    for (const one of it.attributes ?? []) push(one.value, path + '@' + one.name);
    for (const one of it.childNodes) push(one, path + '/' + one.nodeName);
    if (it.shadowRoot) push(it.shadowRoot, path + '/shadow');
  }
  if (ArrayBuffer.isView(it) || it instanceof ArrayBuffer) continue;
  if (it instanceof Map) for (const [key, value] of it) { push(key, path + '<key>'); push(value, path + '<value>'); }
  if (it instanceof Set) for (const value of it) push(value, path + '<of>');
  let keys = [];
  try { keys = Reflect.ownKeys(it); push(Object.getPrototypeOf(it), path + '^'); } catch { /* another origin's */ }
  for (const key of keys) { push(String(key.description ?? key), path + '<name>'); get(it, key, path); }
}
const stores = async () => {
  const bases = window.indexedDB?.databases ? (await indexedDB.databases()).map((one) => one.name) : [];
  const kept = window.caches ? await caches.keys() : [];
  return { databases: bases, caches: kept, local: localStorage.length, session: sessionStorage.length, cookies: document.cookie };
};
stores().then((stored) => done({ found, objects, stored, pictures: document.querySelectorAll('img[src^=data]').length }),
              (error) => done({ error: String(error) }));
";

/// Turns the window's clock forward: what it waits for comes a sixtieth of the time later. Notes
/// what was asked for: the idle time, the ticks of the warning, and whether it was on the screen.
const HURRY: &str = r"
const [done] = arguments;
const [timeout, interval] = [window.setTimeout, window.setInterval];
const noted = { idle_ms: 0, ticks: 0, warned: 0 };
window.setTimeout = (act, ms, ...rest) => {
  if (ms < 60000) return timeout(act, ms, ...rest);
  noted.idle_ms = ms;
  return timeout(act, ms / 60, ...rest);
};
window.setInterval = (act, ms, ...rest) => ms !== 1000 ? interval(act, ms, ...rest) : interval(() => {
  noted.ticks += 1;
  if (document.querySelector('[role=alertdialog]')) noted.warned += 1;
  act();
}, ms / 60, ...rest);
window.calm = () => { window.setTimeout = timeout; window.setInterval = interval; delete window.calm; return noted; };
done(null);
";

/// What was planted, and since when.
pub struct Planted {
    pub texts: Vec<String>,
    since: SystemTime,
}

impl Planted {
    /// Texts of which nothing may be left.
    #[must_use]
    pub fn new(texts: Vec<String>) -> Self {
        // Files are dated by a coarser clock than ours.
        Self { texts, since: SystemTime::now() - Duration::from_secs(1) }
    }

    /// Which of the texts the window, or a script in it, still has.
    ///
    /// # Errors
    /// The window does not answer.
    pub async fn in_window(&self, window: &Window) -> Result<Value, Failure> {
        let said = window.script(WALK, vec![json!(self.texts)]).await?;
        if said["objects"].as_u64().unwrap_or(0) < 1000 {
            return Err(fail(format!("the walk through the window went nowhere: {said}")));
        }
        Ok(said)
    }

    /// What of it another program could paste.
    ///
    /// # Errors
    /// xclip (Debian package xclip) is missing.
    pub fn in_selections(&self) -> Result<Vec<&'static str>, Failure> {
        let mut found = Vec::new();
        for selection in ["clipboard", "primary", "secondary"] {
            let text = pasted(selection)?;
            if self.texts.iter().any(|one| text.contains(one.as_str())) {
                found.push(selection);
            }
        }
        Ok(found)
    }

    /// Files written since, here and in the system's folders for such, with any of it in clear.
    ///
    /// # Errors
    /// A file that is too large to be looked through.
    pub fn in_files(&self, stand: &Stand) -> Result<Searched, Failure> {
        let mut searched = Searched::default();
        for folder in
            [stand.folder.as_path(), Path::new("/tmp"), Path::new("/var/tmp"), Path::new("/dev/shm")]
        {
            self.search(folder, &mut searched)?;
        }
        Ok(searched)
    }

    fn search(&self, folder: &Path, searched: &mut Searched) -> Result<(), Failure> {
        let Ok(entries) = std::fs::read_dir(folder) else { return Ok(()) };
        for entry in entries.flatten() {
            let (path, Ok(meta)) = (entry.path(), entry.metadata()) else { continue };
            if meta.is_dir() {
                self.search(&path, searched)?;
            } else if meta.is_file() && meta.modified().is_ok_and(|at| at >= self.since) {
                if meta.len() > FILE_MAX {
                    return Err(fail(format!("too large to be looked through: {}", path.display())));
                }
                let Ok(bytes) = std::fs::read(&path) else { continue };
                searched.files += 1;
                if self.texts.iter().any(|text| holds(&bytes, text)) {
                    searched.found.push(path);
                }
            }
        }
        Ok(())
    }
}

/// What a search of files came to.
#[derive(Debug, Default)]
pub struct Searched {
    pub files: u32,
    pub found: Vec<PathBuf>,
}

/// In UTF-8, or in the UTF-16 of the window's engine.
fn holds(bytes: &[u8], text: &str) -> bool {
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    [text.as_bytes(), &wide].iter().any(|sought| memchr::memmem::find(bytes, sought).is_some())
}

/// What a program that pastes would get.
fn pasted(selection: &str) -> Result<String, Failure> {
    // An owner that does not answer hands nothing over: xclip would wait for it for ever.
    let mut xclip = command("timeout", [PASTE_S, "xclip", "-o", "-selection", selection]);
    let out = xclip.stdin(std::process::Stdio::null()).output()?;
    match out.status.code() {
        // 1: nobody owns it. 124: its owner does not answer.
        Some(0 | 1 | 124) => Ok(String::from_utf8_lossy(&out.stdout).into_owned()),
        _ => Err(fail("xclip is missing (Debian package xclip)")),
    }
}

/// Nobody touches the counter until the window has asked whether somebody is there, and has left.
///
/// # Errors
/// It does not leave.
pub async fn wait_idle(window: &Window) -> Result<Value, Failure> {
    window.script(HURRY, Vec::new()).await?;
    // The last touch: from here on the window's own clock runs.
    window.keys("body", "\u{e008}").await?;
    window.screen("unlock").await?;
    window.script("const [done] = arguments; done(window.calm());", Vec::new()).await
}

/// As it must have been: two minutes, and forty-five seconds of warning.
#[must_use]
pub fn was_idle(noted: &Value) -> bool {
    noted["idle_ms"] == IDLE_MS && noted["ticks"] == CALL_S && noted["warned"] == CALL_S
}

/// The window has nothing of it: no text found, nothing stored, no picture of a page.
#[must_use]
pub fn is_bare(walk: &Value) -> bool {
    let stored = json!({ "databases": [], "caches": [], "local": 0, "session": 0, "cookies": "" });
    walk["found"] == json!({}) && walk["stored"] == stored && walk["pictures"] == 0
}

#[cfg(test)]
mod tests {
    use super::{Planted, Searched};

    #[test]
    fn the_search_of_files_finds_what_is_there_in_either_encoding() {
        let folder = tempfile::tempdir().unwrap();
        let planted = Planted::new(vec!["Zoé-Qabc".to_owned()]);
        let wide: Vec<u8> = "x Zoé-Qabc".encode_utf16().flat_map(u16::to_le_bytes).collect();
        std::fs::create_dir(folder.path().join("deep")).unwrap();
        for (name, bytes) in [
            ("none", b"Zo\xc3\xa9-Qab".to_vec()),
            ("plain", b"1Zo\xc3\xa9-Qabc".to_vec()),
            ("deep/wide", wide),
        ] {
            std::fs::write(folder.path().join(name), bytes).unwrap();
        }
        let mut searched = Searched::default();
        planted.search(folder.path(), &mut searched).unwrap();
        searched.found.sort();
        assert_eq!(searched.files, 3);
        assert_eq!(searched.found, [folder.path().join("deep/wide"), folder.path().join("plain")]);
    }
}

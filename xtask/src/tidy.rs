//! The structure's rules, checked: crate levels, file sizes, names, absences.

use crate::place::{cargo, root};
use crate::{Done, Stop};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

/// Each crate's level: it imports only lower ones.
const LEVELS: [(&str, u8); 14] = [
    ("domain", 0),
    ("l10n", 0),
    ("seal", 1),
    ("wire", 1),
    ("vault", 2),
    ("scan", 2),
    ("print", 2),
    ("letter", 2),
    ("app", 3),
    ("central", 3),
    ("ctl", 4),
    ("kiosk", 4),
    ("sim", 8),
    ("journeys", 9),
];

/// Longest source file, in lines.
const LINES: usize = 500;
const NOT_IN_NAMES: [&str; 7] = ["manager", "service", "helper", "util", "common", "misc", "processor"];

/// # Errors
/// Every rule that is broken, one a line.
pub fn tidy() -> Done {
    println!("== tidy");
    let mut faults = Vec::new();
    levels(&mut faults)?;
    for folder in ["crates", "src-tauri/src", "tests", "xtask/src", "ui/src"] {
        walk(&root().join(folder), &mut |path| file(path, &mut faults));
    }
    absences(&mut faults);
    if faults.is_empty() { Ok(()) } else { Err(Stop::Refused(format!("tidy:\n  {}", faults.join("\n  ")))) }
}

fn levels(faults: &mut Vec<String>) -> Done {
    let out = cargo(&["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .output()
        .map_err(|error| Stop::Failed(format!("cargo metadata: {error}")))?;
    let metadata: Value = serde_json::from_slice(&out.stdout)
        .map_err(|error| Stop::Failed(format!("cargo metadata: {error}")))?;
    let level = |name: &str| LEVELS.iter().find(|(known, _)| *known == name).map(|(_, level)| *level);
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let name = package["name"].as_str().unwrap_or_default();
        if name == "xtask" {
            continue;
        }
        let Some(own) = level(name) else {
            faults.push(format!("{name}: give it a level in xtask/src/tidy.rs"));
            continue;
        };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            // Tests may look at anything.
            if dependency["kind"] == "dev" {
                continue;
            }
            let needs = dependency["name"].as_str().unwrap_or_default();
            if level(needs).is_some_and(|theirs| theirs >= own) {
                faults.push(format!("{name} (level {own}) imports {needs}"));
            }
        }
    }
    Ok(())
}

fn file(path: &Path, faults: &mut Vec<String>) {
    let shown = path.strip_prefix(root()).unwrap_or(path).display().to_string();
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_lowercase();
    if NOT_IN_NAMES.iter().any(|word| stem.split(['_', '-']).any(|part| part == *word)) {
        faults.push(format!("{shown}: the name says nothing"));
    }
    let source = matches!(path.extension().and_then(|e| e.to_str()), Some("rs" | "ts" | "vue" | "sql"));
    if source
        && let Ok(text) = fs::read_to_string(path)
        && text.lines().count() > LINES
    {
        faults.push(format!("{shown}: over {LINES} lines; split it"));
    }
}

/// What must stand nowhere (ARCHITECTURE.md, "Absences").
fn absences(faults: &mut Vec<String>) {
    walk(&root().join("crates"), &mut |path| {
        if path.extension().and_then(|e| e.to_str()) != Some("rs")
            && path.file_name() != Some("Cargo.toml".as_ref())
        {
            return;
        }
        let shown = path.strip_prefix(root()).unwrap_or(path).display().to_string();
        let Ok(text) = fs::read_to_string(path) else { return };
        if text.contains("tauri::") || text.contains("\ntauri") {
            faults.push(format!("{shown}: nothing under crates/ knows Tauri"));
        }
        let store = shown.starts_with("crates/vault") || shown.starts_with("crates/central");
        if !store && (text.contains("sqlx::query") || text.contains("rusqlite::")) {
            faults.push(format!("{shown}: SQL stands in vault and central only"));
        }
    });
    walk(&root().join("ui/src"), &mut |path| {
        let host = path.starts_with(root().join("ui/src/host"));
        if !host && fs::read_to_string(path).is_ok_and(|text| text.contains("@tauri-apps")) {
            faults.push(format!("{}: only host/ imports @tauri-apps", path.display()));
        }
    });
}

fn walk(path: &Path, see: &mut dyn FnMut(&Path)) {
    let Ok(entries) = fs::read_dir(path) else { return };
    let mut entries: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    entries.sort();
    for entry in entries {
        if entry.is_dir() {
            if !entry.ends_with("node_modules") && !entry.ends_with("fonts") {
                walk(&entry, see);
            }
        } else {
            see(&entry);
        }
    }
}

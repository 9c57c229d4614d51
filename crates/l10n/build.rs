//! Turns `locales/<lang>/*.ftl` into a table compiled into the crate, and fails the build when a
//! language lacks a message French has, has one French has not, or uses other variables.
//! It never judges a translation: the review status on each file's first line is a human's word.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use fluent_syntax::ast;

/// The language every other one is compared with.
const REFERENCE: &str = "fr";
/// Opens each file: the honest review status of what follows.
const REVIEW: &str = "# review: ";

/// Message id (or `id.attribute`) -> the variables it uses.
type Messages = BTreeMap<String, BTreeSet<String>>;

fn main() -> Result<(), String> {
    let root = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR").map_err(|e| e.to_string())?)
        .join("../../locales")
        .canonicalize()
        .map_err(|e| format!("locales/: {e}"))?;
    println!("cargo::rerun-if-changed={}", root.display());

    let mut languages: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for folder in entries(&root)?.into_iter().filter(|p| p.is_dir()) {
        let code = name(&folder);
        let files: Vec<_> =
            entries(&folder)?.into_iter().filter(|p| p.extension().is_some_and(|e| e == "ftl")).collect();
        if !files.is_empty() {
            languages.insert(code, files);
        }
    }
    let mut read: BTreeMap<&str, Messages> = BTreeMap::new();
    for (code, files) in &languages {
        read.insert(code, messages(files)?);
    }
    let reference = read.get(REFERENCE).ok_or("locales/fr is missing")?;
    let faults: Vec<String> = read.iter().flat_map(|(code, own)| differences(code, reference, own)).collect();
    if !faults.is_empty() {
        return Err(format!("languages differ from {REFERENCE}:\n  {}", faults.join("\n  ")));
    }
    let out = PathBuf::from(std::env::var("OUT_DIR").map_err(|e| e.to_string())?).join("table.rs");
    std::fs::write(out, table(&languages)?).map_err(|e| e.to_string())
}

fn messages(files: &[PathBuf]) -> Result<Messages, String> {
    let mut all = Messages::new();
    for file in files {
        let shown = file.display();
        let text = std::fs::read_to_string(file).map_err(|e| format!("{shown}: {e}"))?;
        if !text.starts_with(REVIEW) {
            return Err(format!("{shown}: the first line must give the review status: `{REVIEW}…`"));
        }
        let parsed =
            fluent_syntax::parser::parse(text.as_str()).map_err(|(_, e)| format!("{shown}: {e:?}"))?;
        for entry in &parsed.body {
            let ast::Entry::Message(message) = entry else {
                continue;
            };
            let id = message.id.name.to_owned();
            let mut found = Vec::new();
            if let Some(value) = &message.value {
                let mut used = BTreeSet::new();
                pattern(value, &mut used);
                found.push((id.clone(), used));
            }
            for attribute in &message.attributes {
                let mut used = BTreeSet::new();
                pattern(&attribute.value, &mut used);
                found.push((format!("{id}.{}", attribute.id.name), used));
            }
            for (key, used) in found {
                if all.insert(key.clone(), used).is_some() {
                    return Err(format!("{shown}: `{key}` is written twice in this language"));
                }
            }
        }
    }
    Ok(all)
}

fn differences(code: &str, reference: &Messages, own: &Messages) -> Vec<String> {
    let mut faults = Vec::new();
    for (key, variables) in reference {
        match own.get(key) {
            None => faults.push(format!("{code}: `{key}` is missing")),
            Some(used) if used != variables => {
                faults.push(format!("{code}: `{key}` uses {used:?}, {REFERENCE} uses {variables:?}"));
            }
            Some(_) => {}
        }
    }
    faults.extend(
        own.keys()
            .filter(|k| !reference.contains_key(*k))
            .map(|k| format!("{code}: `{k}` is not in {REFERENCE}")),
    );
    faults
}

fn pattern(pattern: &ast::Pattern<&str>, used: &mut BTreeSet<String>) {
    for element in &pattern.elements {
        if let ast::PatternElement::Placeable { expression: e } = element {
            expression(e, used);
        }
    }
}

fn expression(e: &ast::Expression<&str>, used: &mut BTreeSet<String>) {
    match e {
        ast::Expression::Inline(inline) => self::inline(inline, used),
        ast::Expression::Select { selector, variants } => {
            inline(selector, used);
            for variant in variants {
                pattern(&variant.value, used);
            }
        }
    }
}

fn inline(e: &ast::InlineExpression<&str>, used: &mut BTreeSet<String>) {
    match e {
        ast::InlineExpression::VariableReference { id } => {
            used.insert(id.name.to_owned());
        }
        ast::InlineExpression::Placeable { expression: e } => expression(e, used),
        ast::InlineExpression::FunctionReference { arguments, .. } => {
            for argument in &arguments.positional {
                inline(argument, used);
            }
        }
        _ => {}
    }
}

fn table(languages: &BTreeMap<String, Vec<PathBuf>>) -> Result<String, String> {
    let mut out = String::from(
        "/// Language code and its files: (area, text).\npub(crate) static TABLE: &[(&str, &[(&str, &str)])] = &[\n",
    );
    for (code, files) in languages {
        writeln!(out, "    ({code:?}, &[").map_err(|e| e.to_string())?;
        for file in files {
            let area = name(&file.with_extension(""));
            writeln!(out, "        ({area:?}, include_str!({:?})),", file.display().to_string())
                .map_err(|e| e.to_string())?;
        }
        out.push_str("    ]),\n");
    }
    out.push_str("];\n/// Every language there is, in the order of their codes.\npub(crate) const LANGS: &[crate::Lang] = &[");
    for code in languages.keys() {
        write!(out, "crate::Lang({code:?}), ").map_err(|e| e.to_string())?;
    }
    out.push_str("];\n");
    Ok(out)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let mut found: Vec<_> = std::fs::read_dir(folder)
        .map_err(|e| format!("{}: {e}", folder.display()))?
        .map(|entry| entry.map(|e| e.path()).map_err(|e| e.to_string()))
        .collect::<Result<_, _>>()?;
    found.sort();
    Ok(found)
}

fn name(path: &Path) -> String {
    path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default()
}

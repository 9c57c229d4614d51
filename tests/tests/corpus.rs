#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test that fails here has failed
//! The fuzz corpus replayed: every file through the function its target fuzzes. The seeds are
//! what the project itself makes; beside them stands what fuzzing found.

use std::path::{Path, PathBuf};

#[path = "../../fuzz/entries.rs"]
#[allow(dead_code)]
mod entries;

/// A target and the function it fuzzes.
type Target = (&'static str, fn(&[u8]));

const TARGETS: [Target; 3] = [("wire", entries::wire), ("seal", entries::seal), ("escl", entries::escl)];

#[test]
fn every_file_of_the_corpus_is_read_without_harm() {
    if std::env::var_os("JALON_KEEP").is_some() {
        keep_seeds();
    }
    for (name, target) in TARGETS {
        let files = files(&corpus().join(name));
        assert!(files.len() >= 5, "{name}: its corpus is there");
        for file in &files {
            let bytes = std::fs::read(file).unwrap();
            target(&bytes);
            // Cut short and with a byte changed, as a line or a lens does.
            for cut in 0..bytes.len().min(512) {
                target(&bytes[..cut]);
                let mut changed = bytes.clone();
                changed[cut] ^= 1 << (cut % 8);
                target(&changed);
            }
        }
        println!("{name}: {} files", files.len());
    }
    // The messages kept as examples are seeds too.
    for file in files(&root().join("crates/wire/tests/golden")) {
        entries::wire(&std::fs::read(file).unwrap());
    }
}

/// Of version 1, and to be opened by every later version.
#[test]
fn an_export_file_that_was_written_once_still_opens() {
    let mut content = Vec::new();
    let file = entries::world().export;
    std::io::Read::read_to_end(&mut seal::delivery::open(&entries::RECOVERY, file).unwrap(), &mut content)
        .unwrap();
    assert_eq!(content, b"what a kiosk wrote");
}

#[test]
fn every_target_has_its_entry_and_its_corpus() {
    let names = |folder: &str| -> Vec<String> {
        let mut names: Vec<String> = files(&root().join(folder))
            .iter()
            .map(|file| file.file_stem().unwrap().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    };
    let mut known = TARGETS.map(|(name, _)| name.to_owned()).to_vec();
    known.sort();
    assert_eq!(names("fuzz/targets"), known);
}

fn root() -> PathBuf {
    Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("..")
}

fn corpus() -> PathBuf {
    root().join("fuzz/corpus")
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .collect();
    files.sort();
    files
}

/// `JALON_KEEP=1` writes the seeds anew.
fn keep_seeds() {
    let keep = |target: &str, name: &str, bytes: &[u8]| {
        let folder = corpus().join(target);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(name), bytes).unwrap();
    };
    for file in files(&root().join("crates/wire/tests/golden")) {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        if name.ends_with(".json") {
            keep("wire", &name, &std::fs::read(&file).unwrap());
        }
    }
    let world = entries::world();
    for (door, name) in world.doors.iter().zip(["slot", "held", "rank"]) {
        keep("seal", &format!("door-{name}"), door);
        keep("seal", &format!("door-{name}.txt"), seal::text::from_bytes(door).as_bytes());
    }
    for (name, bytes) in [
        ("rebuild", &world.rebuild),
        ("token", &world.token),
        ("certificate", &world.certificate),
        ("ring.json", &world.ring_json),
    ] {
        keep("seal", name, bytes);
    }
    // Locked with fresh randomness each time: the one that is kept stays as long as it opens.
    let known = std::fs::read(corpus().join("seal/export")).unwrap_or_default();
    if seal::delivery::open(&entries::RECOVERY, known.as_slice()).is_err() {
        let key = seal::delivery::public_of(&entries::RECOVERY).unwrap();
        let mut file = Vec::new();
        let mut out = seal::delivery::lock(&key, &mut file).unwrap();
        std::io::Write::write_all(&mut out, b"what a kiosk wrote").unwrap();
        out.finish().unwrap();
        keep("seal", "export", &file);
    }
    let status = |state: &str| {
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<scan:ScannerStatus \
             xmlns:scan=\"http://schemas.hp.com/imaging/escl/2011/05/03\" \
             xmlns:pwg=\"http://www.pwg.org/schemas/2010/12/sm\"><pwg:Version>2.63</pwg:Version>\
             <pwg:State>{state}</pwg:State><scan:AdfState>ScannerAdfLoaded</scan:AdfState></scan:ScannerStatus>"
        )
    };
    keep("escl", "status-idle.xml", status("Idle").as_bytes());
    keep("escl", "status-stopped.xml", status("Stopped").as_bytes());
    keep("escl", "capabilities.xml", b"<scan:ScannerCapabilities xmlns:scan=\"a\"><scan:Platen><scan:MaxWidth>2550</scan:MaxWidth></scan:Platen><scan:Adf/></scan:ScannerCapabilities>");
    let picture = image::DynamicImage::ImageRgb8(image::RgbImage::from_fn(16, 12, |x, y| {
        image::Rgb([x as u8 * 9, y as u8 * 9, 40])
    }));
    for (name, format) in [("page.jpg", image::ImageFormat::Jpeg), ("page.png", image::ImageFormat::Png)] {
        let mut bytes = std::io::Cursor::new(Vec::new());
        picture.write_to(&mut bytes, format).unwrap();
        keep("escl", name, bytes.get_ref());
    }
}

//! What the system must provide, for our own files hold nothing personal in clear: no swap or an
//! encrypted one, no core dumps, an encrypted disk, an empty print spool, nothing left behind.

use super::{Check, Machine, State, text};
use std::path::{Path, PathBuf};

/// How deep block devices are stacked at most: a partition, RAID, encryption, volumes.
const LAYERS: u32 = 8;
/// Names in a kiosk's folder that are not to stay there: half-made files of work that broke off.
const LEFT: [&str; 4] = ["new-vault.db", "new-vault.db-wal", "kiosk.new", "identity.new"];
/// What the names of folders begin with that hold a vault set aside.
const SET_ASIDE: &str = "set-aside-";
/// What our programs' temporary files begin with.
const OURS: [&str; 3] = ["jalon", "scan-", "vault"];
/// Files looked at in one folder.
const LOOKED_AT: usize = 10_000;

pub(super) fn checks(machine: &Machine, home: &Path) -> Vec<Check> {
    vec![
        disk_encryption(machine, home),
        swap(machine),
        core_dumps(machine),
        spool(machine),
        left_behind(machine, home),
    ]
}

/// Is the file system under the vault on an encrypted device (dm-crypt)?
fn disk_encryption(machine: &Machine, home: &Path) -> Check {
    let there = home.ancestors().find(|folder| folder.exists());
    let state = match there.and_then(device_of).and_then(|device| encrypted(machine, &device)) {
        Some(true) => State::Ok,
        Some(false) => State::Fail,
        None => State::Unknown,
    };
    Check::new("disk_encryption", state)
}

/// The device a folder is on, as `major:minor`; none on what is no block device, such as a file
/// system in memory or of layers.
#[cfg(target_os = "linux")]
fn device_of(folder: &Path) -> Option<String> {
    use std::os::unix::fs::MetadataExt as _;
    let device = std::fs::metadata(folder).ok()?.dev();
    let (major, minor) = (rustix::fs::major(device), rustix::fs::minor(device));
    (major != 0).then(|| format!("{major}:{minor}"))
}

#[cfg(not(target_os = "linux"))]
fn device_of(_: &Path) -> Option<String> {
    None
}

/// Does this device, or everything it lies on, say that it is encrypted?
fn encrypted(machine: &Machine, device: &str) -> Option<bool> {
    layer(&machine.at(&format!("sys/dev/block/{device}")), LAYERS)
}

fn layer(device: &Path, deeper: u32) -> Option<bool> {
    let device = std::fs::canonicalize(device).ok()?;
    if text(&device.join("dm/uuid")).is_some_and(|id| id.starts_with("CRYPT-")) {
        return Some(true);
    }
    let below: Vec<PathBuf> = std::fs::read_dir(device.join("slaves"))
        .map(|slaves| slaves.flatten().map(|slave| slave.path()).collect())
        .unwrap_or_default();
    if below.is_empty() || deeper == 0 {
        // A disk, or a partition of one: nothing between it and the file system encrypts. (A disk
        // that encrypts by itself does not tell.)
        return Some(false);
    }
    let mut all = true;
    for slave in below {
        all &= layer(&slave, deeper - 1)?;
    }
    Some(all)
}

/// `/proc/swaps`: a heading, then `name type size used priority` a line.
fn swap(machine: &Machine) -> Check {
    let Some(table) = text(&machine.at("proc/swaps")) else { return Check::new("swap", State::Unknown) };
    let mut state = State::Ok;
    for name in table.lines().skip(1).filter_map(|line| line.split_whitespace().next()) {
        // Compressed memory: never on a disk.
        if name.starts_with("/dev/zram") {
            continue;
        }
        let found = match name.strip_prefix("/dev/") {
            Some(device) => swap_device(machine, device),
            None => device_of(Path::new(name)).and_then(|device| encrypted(machine, &device)),
        };
        match found {
            Some(true) => {}
            Some(false) => return Check::new("swap", State::Fail).with("name", name),
            None => state = State::Unknown,
        }
    }
    Check::new("swap", state)
}

fn swap_device(machine: &Machine, device: &str) -> Option<bool> {
    // /dev/mapper/NAME and /dev/VG/LV are names of /dev/dm-N.
    let device = std::fs::canonicalize(machine.at("dev").join(device))
        .ok()
        .and_then(|path| Some(path.file_name()?.to_str()?.to_owned()))
        .unwrap_or_else(|| device.to_owned());
    layer(&machine.at("sys/class/block").join(device), LAYERS)
}

/// A core dump is the process's memory, names and keys in it, as a file.
fn core_dumps(machine: &Machine) -> Check {
    let pattern = text(&machine.at("proc/sys/kernel/core_pattern"));
    let limit = text(&machine.at("proc/self/limits")).and_then(|limits| {
        let line = limits.lines().find_map(|line| line.strip_prefix("Max core file size"))?.to_owned();
        Some(line.split_whitespace().next()?.to_owned())
    });
    let state = match (pattern.as_deref().map(str::trim), limit.as_deref()) {
        // Given to a program, whatever the limit: it may keep them.
        (Some(pattern), _) if pattern.starts_with('|') => State::Warn,
        (Some(""), _) | (Some(_), Some("0")) => State::Ok,
        (Some(_), Some(_)) => State::Fail,
        _ => State::Unknown,
    };
    Check::new("core_dumps", state)
}

/// CUPS keeps documents as `d…` files in its spool, where it is told to or after a jam.
fn spool(machine: &Machine) -> Check {
    let folder = machine.at("var/spool/cups");
    let state = match std::fs::read_dir(&folder) {
        Ok(entries) => {
            let documents = entries
                .take(LOOKED_AT)
                .flatten()
                .filter(|entry| entry.file_name().to_string_lossy().starts_with('d'))
                .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()))
                .count();
            if documents > 0 {
                return Check::new("spool", State::Fail).with("count", documents);
            }
            State::Ok
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => State::Ok,
        Err(_) => State::Unknown,
    };
    Check::new("spool", state)
}

/// Files of ours that should not be there: in the folder for temporary files, and half-made or
/// set aside in the kiosk's own.
fn left_behind(machine: &Machine, home: &Path) -> Check {
    let names = |folder: &Path| -> Vec<String> {
        let entries = std::fs::read_dir(folder).map(|entries| entries.take(LOOKED_AT).flatten().collect());
        let entries: Vec<std::fs::DirEntry> = entries.unwrap_or_default();
        entries.iter().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
    };
    let own = names(home);
    let aside = own.iter().find(|name| name.starts_with(SET_ASIDE));
    let half = own.iter().find(|name| LEFT.contains(&name.as_str()));
    let temporary =
        names(&machine.temp).into_iter().find(|name| OURS.iter().any(|ours| name.starts_with(ours)));
    match aside.or(half).cloned().or(temporary) {
        Some(name) => Check::new("left_behind", State::Warn).with("name", name),
        None => Check::new("left_behind", State::Ok),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    /// A system as its files tell it.
    fn furnished(files: &[(&str, &str)]) -> (tempfile::TempDir, Machine) {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let file = folder.path().join(path);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, text).unwrap();
        }
        let machine = Machine { root: folder.path().to_owned(), temp: folder.path().join("tmp") };
        (folder, machine)
    }

    const HEADING: &str = "Filename\t\tType\t\tSize\tUsed\tPriority\n";

    #[test]
    fn swap_is_off_in_memory_or_encrypted() {
        let swap_of = |lines: &str| {
            let table = format!("{HEADING}{lines}");
            let (_folder, machine) = furnished(&[
                ("proc/swaps", &table),
                ("sys/class/block/sda2/size", "1"),
                ("sys/class/block/dm-1/dm/uuid", "CRYPT-PLAIN-swap"),
                ("sys/class/block/dm-2/dm/uuid", "LVM-abc"),
                ("sys/class/block/dm-2/slaves/sda3/size", "1"),
                ("sys/class/block/dm-3/dm/uuid", "LVM-abc"),
                ("sys/class/block/dm-3/slaves/dm-0/dm/uuid", "CRYPT-LUKS2-abc"),
                ("dev/dm-1", ""),
            ]);
            std::fs::create_dir_all(machine.at("dev/mapper")).unwrap();
            symlink("../dm-1", machine.at("dev/mapper/swap")).unwrap();
            swap(&machine).state
        };
        assert_eq!(swap_of(""), State::Ok);
        assert_eq!(swap_of("/dev/zram0 partition 1 0 100\n"), State::Ok);
        assert_eq!(swap_of("/dev/mapper/swap partition 1 0 -2\n"), State::Ok);
        assert_eq!(swap_of("/dev/dm-3 partition 1 0 -2\n"), State::Ok);
        assert_eq!(swap_of("/dev/sda2 partition 1 0 -2\n"), State::Fail);
        assert_eq!(swap_of("/dev/zram0 partition 1 0 100\n/dev/dm-2 partition 1 0 -2\n"), State::Fail);
        assert_eq!(swap_of("/dev/sdz9 partition 1 0 -2\n"), State::Unknown);
        let (_folder, nothing) = furnished(&[]);
        assert_eq!(swap(&nothing).state, State::Unknown);
    }

    #[test]
    fn core_dumps_are_off_or_told() {
        let dumps = |pattern: &str, limit: &str| {
            let limits = format!(
                "Limit  Soft Limit  Hard Limit  Units\nMax core file size  {limit}  unlimited  bytes\n"
            );
            let (_folder, machine) =
                furnished(&[("proc/sys/kernel/core_pattern", pattern), ("proc/self/limits", &limits)]);
            core_dumps(&machine).state
        };
        assert_eq!(dumps("core\n", "0"), State::Ok);
        assert_eq!(dumps("\n", "unlimited"), State::Ok);
        assert_eq!(dumps("core\n", "unlimited"), State::Fail);
        assert_eq!(dumps("|/usr/lib/systemd/systemd-coredump %P\n", "0"), State::Warn);
        let (_folder, nothing) = furnished(&[]);
        assert_eq!(core_dumps(&nothing).state, State::Unknown);
    }

    #[test]
    fn a_disk_is_encrypted_when_everything_under_it_is() {
        let (folder, machine) = furnished(&[
            ("sys/devices/sda1/size", "1"),
            ("sys/devices/dm-0/dm/uuid", "CRYPT-LUKS2-abc"),
            ("sys/devices/dm-1/dm/uuid", "LVM-abc"),
            ("sys/devices/dm-2/dm/uuid", "LVM-abc"),
            ("sys/dev/block/none", ""),
        ]);
        for volume in ["dm-1", "dm-2"] {
            std::fs::create_dir_all(machine.at(&format!("sys/devices/{volume}/slaves"))).unwrap();
        }
        symlink("../../dm-0", machine.at("sys/devices/dm-1/slaves/dm-0")).unwrap();
        symlink("../../dm-0", machine.at("sys/devices/dm-2/slaves/dm-0")).unwrap();
        symlink("../../sda1", machine.at("sys/devices/dm-2/slaves/sda1")).unwrap();
        for (number, device) in [("8:1", "sda1"), ("253:0", "dm-0"), ("253:1", "dm-1"), ("253:2", "dm-2")] {
            let link = machine.at(&format!("sys/dev/block/{number}"));
            symlink(folder.path().join("sys/devices").join(device), link).unwrap();
        }
        assert_eq!(encrypted(&machine, "253:0"), Some(true));
        assert_eq!(encrypted(&machine, "253:1"), Some(true), "a volume on an encrypted device");
        assert_eq!(encrypted(&machine, "253:2"), Some(false), "half of it lies in clear");
        assert_eq!(encrypted(&machine, "8:1"), Some(false));
        assert_eq!(encrypted(&machine, "9:9"), None);
    }

    #[test]
    fn a_spool_that_keeps_documents_and_what_lies_about_are_told() {
        let (folder, machine) = furnished(&[("var/spool/cups/c00001", "about a job"), ("home/vault.db", "")]);
        let home = folder.path().join("home");
        assert_eq!(spool(&machine).state, State::Ok);
        assert_eq!(left_behind(&machine, &home).state, State::Ok);
        std::fs::write(machine.at("var/spool/cups/d00001-001"), "%PDF").unwrap();
        assert_eq!(spool(&machine), Check::new("spool", State::Fail).with("count", 1));
        std::fs::write(home.join("new-vault.db"), "").unwrap();
        assert_eq!(left_behind(&machine, &home).args["name"], "new-vault.db");
        std::fs::create_dir(home.join("set-aside-1")).unwrap();
        assert_eq!(left_behind(&machine, &home).args["name"], "set-aside-1");
        let (_folder, nothing) = furnished(&[("tmp/scan-abc/1.jpg", "")]);
        assert_eq!(spool(&nothing).state, State::Ok, "no print system, no spool");
        assert_eq!(left_behind(&nothing, Path::new("/nowhere")).args["name"], "scan-abc");
    }
}

//! Keys made and renewed in a folder: files alone, no database.

use crate::no_keys;
use crate::stop::Stop;
use central::keys::{self, KeysFailure, Renewed};
use central::system_random;
use seal::ring::Role;
use std::path::Path;

pub(crate) fn make(out: &Path, add_delivery: bool) -> Result<serde_json::Value, Stop> {
    let shown = out.display();
    std::fs::create_dir_all(out)
        .map_err(|error| Stop::failed(format!("cannot make the folder {shown}")).because(error))?;
    let (now, random) = (jiff::Timestamp::now(), system_random());
    let made =
        if add_delivery { keys::add_delivery(out, now, &random) } else { keys::make(out, now, &random) };
    match made {
        Ok(()) => Ok(serde_json::json!({ "keys": shown.to_string() })),
        Err(KeysFailure::Io { source, .. }) if source.kind() == std::io::ErrorKind::AlreadyExists => {
            Err(Stop::refused(format!(
                "{shown} holds keys already, and keys are never overwritten; give another folder"
            )))
        }
        Err(failure) => Err(Stop::failed(format!("no keys were made in {shown}")).because(failure)),
    }
}

pub(crate) fn renew(folder: &Path, root: &Path, role: &str) -> Result<serde_json::Value, Stop> {
    let role = match role {
        "slot" => Role::Slot,
        "acknowledgement" => Role::Acknowledgement,
        _ => {
            return Err(Stop::refused(format!(
                "there is no signing key {role:?}; write slot or acknowledgement"
            )));
        }
    };
    match keys::renew(folder, root, role, jiff::Timestamp::now(), &system_random()) {
        Ok(Renewed { old, new }) => {
            Ok(serde_json::json!({ "old": hex::encode(old.0), "new": hex::encode(new.0) }))
        }
        Err(failure @ KeysFailure::OtherRoot) => {
            Err(Stop::refused(format!("{} is not the root key of this ring; correct --root", root.display()))
                .because(failure))
        }
        Err(failure) => Err(no_keys(folder, failure)),
    }
}

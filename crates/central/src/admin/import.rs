//! Taking a kiosk's export file from a memory stick, as if the kiosk had pushed it.

use super::{AdminRefusal, refused};
use crate::delivery::{self, Bytes, DeliveryFailure, Taken};
use crate::{Central, audit};
use domain::audit::Act;
use seal::delivery::DeliveryRefusal;
use std::path::Path;
use wire::limits::DELIVERY_BYTES;

/// Takes the file; the same again changes nothing.
///
/// # Errors
/// It is not one of this central's, was changed or cut, its kiosk is not known or is lost, or
/// the database fails. Nothing of it is stored then.
pub async fn import(central: &Central, file: &Path) -> Result<Taken, AdminRefusal> {
    let shown = file.display().to_string();
    let unreadable = |error| AdminRefusal::Io(shown.clone(), error);
    let about = std::fs::metadata(file).map_err(unreadable)?;
    if !about.is_file() || about.len() > DELIVERY_BYTES {
        return Err(refused(format!(
            "{shown} is not an export file: a file of at most {DELIVERY_BYTES} bytes; name the one jalonctl vault \
             export wrote"
        )));
    }
    let path = file.to_owned();
    let open = move || std::fs::File::open(&path).map(|file| Box::new(file) as Bytes);
    delivery::take(central, (audit::who(), Act::Import), open).await.map_err(|failure| told(&shown, failure))
}

fn told(file: &str, failure: DeliveryFailure) -> AdminRefusal {
    let sentence = match &failure {
        DeliveryFailure::NoKey => {
            "this central has no delivery key; add one with central admin keys --out FOLDER --add-delivery, then \
             start it again: kiosks learn of it with their next exchange"
                .to_owned()
        }
        DeliveryFailure::File(DeliveryRefusal::Io(_)) => {
            return AdminRefusal::Io(file.to_owned(), std::io::Error::other(failure));
        }
        DeliveryFailure::File(DeliveryRefusal::NotOne | DeliveryRefusal::BadKey) => {
            format!("{file} is not an export file; name the one jalonctl vault export wrote")
        }
        DeliveryFailure::File(DeliveryRefusal::Newer(version)) => {
            format!("{file} is of a later format ({version}); bring this central up to date and import it again")
        }
        DeliveryFailure::File(DeliveryRefusal::OtherKey) => format!(
            "{file} is locked to another central's key; bring it to the central its kiosk was enrolled at, or name \
             that one's keys with --keys"
        ),
        DeliveryFailure::File(DeliveryRefusal::Damaged) => format!(
            "{file} was cut short or changed: nothing of it was stored; copy it again from the stick, or export again \
             at the kiosk"
        ),
        DeliveryFailure::Refused(refusal) => match refusal.lasting_code() {
            Some("kiosk_lost") => format!(
                "{file} is of a kiosk that was reported lost: nothing of it was stored; papers it gave are brought at \
                 any counter"
            ),
            Some("not_enrolled") => format!(
                "{file} is of a kiosk this database does not know; carry it with jalonctl deliver at another kiosk: \
                 the central that runs can take it back"
            ),
            Some("other_site") => format!("{file} is of a site this database does not have; add the site first"),
            Some(code) => format!("{file} is not taken ({code}): nothing of it was stored"),
            None => return AdminRefusal::Delivery(failure),
        },
    };
    refused(sentence)
}

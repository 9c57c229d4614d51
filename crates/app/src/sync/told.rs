//! Taking up what central tells beside changes: the key ring, and the signed lists. Each
//! only goes forward, and counts only when a key of the ring signed it.

use super::transfer::ListVersions;
use super::trust;
use crate::contract::Problem;
use crate::kiosk::{IDENTITY, Inner, StoredIdentity, Told};
use domain::department::SITES_MAX;
use domain::lists::{IssuersList, PapersList};
use seal::door::Door;
use seal::keys::Context;
use seal::lists::{Listed, code_mark};
use seal::ring::KeyRing;
use vault::Tx;
use wire::messages::{ChangesAnswer, Configuration, ListKind, SignedList};

/// The version of the configuration we have.
const CONFIGURATION: &str = "configuration";
/// [`IssuersList`] as JSON.
const ISSUERS: &str = "issuers";
/// The version of the newest part of the list of replaced papers.
const PAPERS: &str = "papers";
const RETIRED: &str = "retired";

pub(super) fn versions(tx: &Tx<'_>) -> Result<ListVersions, Problem> {
    Ok(ListVersions {
        configuration: tx.get_json(CONFIGURATION)?.unwrap_or(0),
        issuers: tx.get_json::<IssuersList>(ISSUERS)?.map_or(0, |list| list.version),
        papers: tx.get_json(PAPERS)?.unwrap_or(0),
    })
}

/// Certificates under our root that we did not have: before anything they may have signed
/// is looked at. What is no ring of ours is passed over.
pub(super) fn ring(inner: &Inner, told: Option<&serde_json::Value>) -> Result<(), Problem> {
    let Some(ring) = told.and_then(|told| serde_json::from_value::<KeyRing>(told.clone()).ok()) else {
        return Ok(());
    };
    let now = inner.identity.told();
    let Ok(joined) = now.ring.joined(&ring) else { return Ok(()) };
    if joined.len() == now.ring.len() {
        return Ok(());
    }
    inner.vault.transact(|tx| store(tx, |stored| stored.ring = joined.clone()))?;
    if let Some(told) = Told::new(joined, now.site.clone(), now.nearby.clone()) {
        inner.identity.tell(told);
    }
    Ok(())
}

/// The lists of one answer.
pub(super) fn lists(inner: &Inner, tx: &Tx<'_>, answer: &ChangesAnswer) -> Result<(), Problem> {
    let known = versions(tx)?;
    for signed in &answer.lists {
        match signed.kind {
            ListKind::Configuration => configuration(inner, tx, signed, known.configuration)?,
            ListKind::Issuers => {
                if let Some(list) = trust::list::<IssuersList>(&inner.identity, signed, Context::Issuers)
                    && list.site.as_ref() == Some(&inner.identity.site_id)
                    && list.version > known.issuers
                {
                    tx.put_json(ISSUERS, &list)?;
                }
            }
            ListKind::Papers => {
                if let Some(list) = trust::list::<PapersList>(&inner.identity, signed, Context::Papers)
                    && list.site == inner.identity.site_id
                    && list.since == known.papers
                {
                    for paper in &list.papers {
                        tx.list_paper(paper)?;
                    }
                    tx.put_json(PAPERS, &list.version)?;
                }
            }
        }
    }
    tx.unlist_papers(inner.today())?;
    let was = is_retired(tx)?;
    if was != answer.retired {
        tx.put_json(RETIRED, &answer.retired)?;
    }
    Ok(())
}

/// A new name, address or telephone number of the site, or of another of its département. Its zone
/// stays: dates hang on it.
fn configuration(inner: &Inner, tx: &Tx<'_>, signed: &SignedList, known: u64) -> Result<(), Problem> {
    let Some(list) = trust::list::<Configuration>(&inner.identity, signed, Context::Configuration) else {
        return Ok(());
    };
    let now = inner.identity.told();
    if list.version <= known || list.site.id != inner.identity.site_id || list.site.zone != now.site.zone {
        return Ok(());
    }
    // Of another zone, a date could not be told in the kiosk's own.
    let mut nearby = list.nearby;
    nearby.retain(|site| site.zone == now.site.zone && site.id != list.site.id);
    nearby.truncate(SITES_MAX);
    store(tx, |stored| {
        stored.site = list.site.clone();
        stored.nearby.clone_from(&nearby);
    })?;
    tx.put_json(CONFIGURATION, &list.version)?;
    // Should the transaction fail, central tells it again.
    if let Some(told) = Told::new(now.ring.clone(), list.site, nearby) {
        inner.identity.tell(told);
    }
    Ok(())
}

fn store(tx: &Tx<'_>, change: impl FnOnce(&mut StoredIdentity)) -> Result<(), Problem> {
    let mut stored: StoredIdentity = tx.get_json(IDENTITY)?.ok_or_else(|| Problem::new("vault_damaged"))?;
    change(&mut stored);
    tx.put_json(IDENTITY, &stored)?;
    zeroize::Zeroize::zeroize(&mut stored.device);
    Ok(())
}

/// What the lists here say of one paper.
pub(crate) fn listed(tx: &Tx<'_>, door: &Door) -> Result<Listed, Problem> {
    Ok(Listed {
        standing: tx.listed_paper(&code_mark(door.code))?,
        issuers: tx.get_json(ISSUERS)?.unwrap_or_default(),
    })
}

/// Was this kiosk taken out of service?
pub(super) fn is_retired(tx: &Tx<'_>) -> Result<bool, Problem> {
    Ok(tx.get_json(RETIRED)?.unwrap_or(false))
}

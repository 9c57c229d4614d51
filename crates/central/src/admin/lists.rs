//! A site's signed lists as one file: what a verifier without a network takes along.

use super::{AdminRefusal, known_site, refused, write_new};
use crate::audit;
use crate::keys::CentralKeys;
use crate::lists::{self, Known};
use domain::audit::Act;
use domain::lists::PapersList;
use serde_json::{Value, json};
use sqlx::PgPool;
use std::path::Path;
use wire::messages::ListKind;

/// Writes every list of the site to `out`, as JSON.
///
/// # Errors
/// The site is unknown, or the file exists or cannot be written.
pub async fn signed_lists(
    pool: &PgPool,
    keys: &CentralKeys,
    site: &str,
    out: &Path,
) -> Result<Value, AdminRefusal> {
    let site = known_site(pool, site).await?;
    let mut db = pool.acquire().await?;
    let mut all = Vec::new();
    let mut known = Known { configuration: Some(0), issuers: Some(0), papers: Some(0) };
    loop {
        let (lists, more) = lists::newer(&mut db, keys, &site, known).await?;
        let part = lists.iter().find(|list| list.kind == ListKind::Papers);
        let read = part.and_then(|list| serde_json::from_slice::<PapersList>(&list.list.0).ok());
        known = Known { configuration: None, issuers: None, papers: read.map(|list| list.version) };
        all.extend(lists);
        if !more {
            break;
        }
    }
    if !all.iter().any(|list| list.kind == ListKind::Papers) {
        // Nothing has been replaced yet: that is said too, or a verifier could not tell it from
        // a file that leaves it out.
        all.push(lists::no_papers(keys, &site)?);
    }
    // Before it leaves.
    audit::by_us(&mut db, Act::ListsRead, Some(&site), all.len()).await?;
    let text = serde_json::to_vec(&all).map_err(|_| refused("the lists cannot be written as JSON"))?;
    write_new(out, &text)?;
    Ok(json!({ "site": site, "lists": all.len(), "file": out.display().to_string() }))
}

//! A file of signed lists, as `central admin lists` writes it. Only what a key of the ring
//! signed counts; one list that is not is a refusal, for somebody has changed the file.

use crate::given_file;
use app::contract::Problem;
use domain::ids::SiteId;
use domain::lists::{IssuersList, PapersList};
use seal::door::Door;
use seal::keys::Context;
use seal::lists::Listed;
use seal::ring::KeyRing;
use std::path::Path;
use wire::messages::{Configuration, ListKind, SignedList};

/// Largest file of lists, in bytes: a hundred thousand replaced papers.
const LISTS_BYTES: u64 = 32 << 20;

#[derive(Default)]
pub(crate) struct Lists {
    papers: Vec<PapersList>,
    issuers: IssuersList,
    /// Whose lists these are; none without a file.
    site: Option<SiteId>,
}

impl Lists {
    pub fn read(file: &Path, ring: &KeyRing) -> Result<Self, Problem> {
        let told = |code: &str| Problem::new(code).with("file", file.display());
        let bytes =
            given_file::named(file, LISTS_BYTES, ["lists_missing", "lists_unreadable", "lists_not_lists"])?;
        let all: Vec<SignedList> = serde_json::from_slice(&bytes).map_err(|_| told("lists_not_lists"))?;
        let mut lists = Self::default();
        for signed in &all {
            match signed.kind {
                ListKind::Configuration => {
                    read::<Configuration>(ring, signed, Context::Configuration)
                        .ok_or_else(|| told("lists_forged"))?;
                }
                ListKind::Issuers => {
                    lists.issuers =
                        read(ring, signed, Context::Issuers).ok_or_else(|| told("lists_forged"))?;
                }
                ListKind::Papers => {
                    let part = read(ring, signed, Context::Papers).ok_or_else(|| told("lists_forged"))?;
                    lists.papers.push(part);
                }
            }
        }
        // Of one site, and with what papers were replaced: else it would pass over what it is for.
        let site = lists.papers.first().map(|part| part.site.clone());
        if site.is_none() || lists.papers.iter().any(|part| Some(&part.site) != site.as_ref()) {
            return Err(told("lists_not_lists"));
        }
        lists.site = site;
        Ok(lists)
    }

    /// Are these the lists of another site than this paper's?
    pub fn are_of_another(&self, site: Option<&SiteId>) -> bool {
        self.site.as_ref().is_some_and(|own| Some(own) != site)
    }

    pub fn of(&self, door: &Door) -> Listed {
        Listed::of(door, &self.papers, self.issuers.clone())
    }
}

fn read<T: serde::de::DeserializeOwned>(ring: &KeyRing, signed: &SignedList, context: Context) -> Option<T> {
    seal::lists::read(ring, context, &signed.list.0, &signed.key, &signed.signature)
}

//! Who may unlock the kiosks changes: somebody joins a site's mediators, somebody leaves. Kiosks
//! that have heard of it never take an older roster again, whatever central was put back to.

use super::counter::{MEDIATOR, PIN};
use super::ledger::Fault;
use super::{World, lost, setup};
use central::admin::NewMediator;
use std::collections::{BTreeMap, BTreeSet};

/// Who joins, and may leave again.
const NEWCOMER: &str = "newcomer";
/// Who comes then: no roster is ever the same as an earlier one.
const SUCCESSOR: &str = "successor";

/// What kiosks should know of a site's mediators.
#[derive(Debug, Default)]
pub(super) struct Staff {
    /// Whom central's newest roster names; none before there is one.
    newest: Option<BTreeSet<&'static str>>,
    /// The kiosks that had heard of it when central was put back to before it.
    heard: Option<BTreeSet<usize>>,
}

impl World<'_> {
    pub(super) async fn joins(&mut self) -> Result<(), Fault> {
        self.adds(MEDIATOR).await?;
        self.adds(NEWCOMER).await?;
        self.staff = Staff { newest: Some([MEDIATOR, NEWCOMER].into()), heard: None };
        self.tell("central: a mediator joins".to_owned());
        Ok(())
    }

    pub(super) async fn leaves(&mut self) -> Result<(), Fault> {
        let both = self.staff.newest.as_ref().is_some_and(|newest| newest.contains(NEWCOMER));
        // Central put back to before they came knows of nobody to take off.
        if !both || self.staff.heard.is_some() {
            return Ok(());
        }
        let (pool, site, now) = (&self.ground.pool, self.site.as_str(), self.time.now());
        central::admin::remove_mediator(pool, site, NEWCOMER, now).await.map_err(setup)?;
        self.adds(SUCCESSOR).await?;
        self.staff.newest = Some([MEDIATOR, SUCCESSOR].into());
        self.tell("central: that mediator leaves, another comes".to_owned());
        Ok(())
    }

    async fn adds(&self, id: &str) -> Result<(), Fault> {
        let (pool, site, now) = (&self.ground.pool, self.site.as_str(), self.time.now());
        let told = NewMediator { id, name: id, pin: PIN, supervisor: None, replace: false };
        central::admin::mediator(pool, site, &told, now, &self.random.fill()).await.map_err(setup)?;
        Ok(())
    }

    /// Central is about to be put back: who has heard of the newest roster keeps it.
    pub(super) async fn note_who_heard(&mut self) -> Result<(), Fault> {
        if self.staff.newest.is_none() || self.staff.heard.is_some() {
            return Ok(());
        }
        let mut heard = BTreeSet::new();
        for (at, names) in self.rosters().await? {
            if Some(&names) == self.newest().as_ref() {
                heard.insert(at);
            }
        }
        self.staff.heard = Some(heard);
        Ok(())
    }

    /// Everybody has exchanged with central.
    pub(super) async fn rosters_are_right(&mut self) -> Result<(), Fault> {
        let Some(newest) = self.newest() else { return Ok(()) };
        for (at, names) in self.rosters().await? {
            let knows = match &self.staff.heard {
                None => true,
                // A disk that was put back has forgotten it with the rest.
                Some(heard) => heard.contains(&at) && !self.ledger.doubled.contains(&at),
            };
            if knows && names != newest {
                return Err(("I9", format!("kiosk {at} unlocks for {names:?}, the roster names {newest:?}")));
            }
        }
        Ok(())
    }

    fn newest(&self) -> Option<BTreeSet<String>> {
        Some(self.staff.newest.as_ref()?.iter().map(|id| (*id).to_owned()).collect())
    }

    /// For whom each kiosk that has not burnt unlocks.
    async fn rosters(&mut self) -> Result<BTreeMap<usize, BTreeSet<String>>, Fault> {
        let mut rosters = BTreeMap::new();
        for at in self.running() {
            let kiosk = self.counter(at)?.kiosk().map_err(lost)?.clone();
            let names = kiosk.boot().await.map_err(lost)?.mediators;
            rosters.insert(at, names.into_iter().map(|mediator| mediator.id).collect());
        }
        Ok(rosters)
    }
}

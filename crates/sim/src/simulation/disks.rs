//! What happens to disks: an older image is put back, a second machine runs a copy.

use super::chance::{Bytes, Dice};
use super::ledger::Fault;
use super::network::Network;
use super::{KIOSKS, World, lost};
use serde_json::Value;
use std::sync::Arc;

/// Most machines of one seed: the kiosks, and one that runs a copy of another's disk.
const MACHINES: usize = KIOSKS + 1;

impl World<'_> {
    /// Makes an image of the disk, or puts back the one made before. What was kept since
    /// and had not reached central is on paper alone.
    pub(super) async fn older_disk(&mut self, at: usize) -> Result<(), Fault> {
        if !self.counter(at)?.has_copy() {
            self.tell(format!("kiosk {at}: an image of its disk is made"));
            return self.counter(at)?.copy().await.map_err(lost);
        }
        let at_central = self.codes(at, |row| row.get("acknowledged") == Some(&Value::Bool(true))).await?;
        self.counter(at)?.restore().await.map_err(lost)?;
        let still = self.codes(at, |_| true).await?;
        self.ledger.put_back(at, &still, &at_central);
        self.tell(format!("kiosk {at}: its disk is put back to the image"));
        self.ledger.tally.older += 1;
        self.open.retain(|(counter, ..)| *counter != at);
        Ok(())
    }

    /// A second machine starts on a copy of this one's disk.
    pub(super) async fn twin(&mut self, at: usize) -> Result<(), Fault> {
        if self.counters.len() >= MACHINES {
            return Ok(());
        }
        let stream = u64::try_from(self.counters.len()).unwrap_or(9);
        let router = self.counter(at)?.network.router();
        let network =
            Arc::new(Network::new(router, Dice::new(self.seed, 10 + stream), None, &self.ground.signer));
        let own = (self.time.beside(), Bytes::new(self.seed, 20 + stream));
        let folder = self.folder.join("twin");
        let twin = self.counter(at)?.twin(&folder, own, network).await.map_err(lost)?;
        self.ledger.doubled.extend([at, self.counters.len()]);
        if self.clocks_off.contains(&at) {
            // It goes by the time it last trusted.
            self.clocks_off.insert(self.counters.len());
        }
        self.tell(format!(
            "kiosk {at}: a second machine, kiosk {}, starts on a copy of its disk",
            self.counters.len()
        ));
        self.ledger.tally.twins += 1;
        self.counters.push(twin);
        Ok(())
    }

    /// Codes of the registrations a kiosk has, of those `pick` takes.
    pub(super) async fn codes(
        &mut self,
        at: usize,
        pick: impl Fn(&Value) -> bool,
    ) -> Result<Vec<String>, Fault> {
        let kiosk = self.counter(at)?.kiosk().map_err(lost)?.clone();
        let status = kiosk.status().await.map_err(lost)?;
        let rows = status.get("registrations").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let code = |row: &Value| Some(row.get("code")?.as_str()?.to_owned());
        Ok(rows.iter().filter(|row| pick(row)).filter_map(code).collect())
    }
}

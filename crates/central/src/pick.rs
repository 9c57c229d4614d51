//! The slots of a site that may be given, for people who come one after the other in one
//! transaction. Each is locked as it is found, and slots another transaction is taking are passed
//! over, so nobody waits. Which one it is, `domain::assign` says.

mod party;

use crate::calendar::{self, Wanted};
use crate::dates::{civil, slot_key, slot_number};
use crate::{Central, Refusal, claim, planted, reserve};
use domain::assign::{self, FreeSlot, Pick, Window};
use domain::batch::Bucket;
use domain::ids::{SiteId, SlotId};
use domain::procedure::{Procedure, ProcedureSet};
use domain::reserve::Reserve;
use jiff::ToSpan as _;
use jiff::civil::{Date, DateTime};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use std::collections::BTreeMap;

/// Free slots counted at first to find a day that is not kept; four times as many each time they do
/// not reach it. A queue of a hundred days with three slots kept on each.
const COUNTED: i64 = 300;

/// A slot that may be given: not lent, nobody's, of the calendar; where only fresh ones are looked
/// for, none that came back unused from the queue front.
macro_rules! free {
    ($head:literal, $($tail:tt)*) => {
        concat!(
            $head,
            " FROM slot WHERE site = $1 AND lease IS NULL AND registration IS NULL AND extra <= 0 AND NOT withheld \
             AND NOT outside AND at >= $2::text::timestamp AND NOT ($3 AND came_back) ",
            $($tail)*
        )
    };
}

/// The free slots of a day picked, for whom it was picked.
macro_rules! of_day {
    ($lock:literal) => {
        free!(
            "SELECT id, at::text, procedures",
            "AND at < $4::text::timestamp AND id <> ALL ($5) \
             AND (procedures IS NULL AND $6 OR array_to_string(procedures, ',') = ANY ($7)) \
             AND ($8::text IS NULL OR procedures IS NULL OR $8 = ANY (procedures)) \
             ORDER BY at, cardinality(procedures), id LIMIT $9 ",
            $lock
        )
    };
}
use {free, of_day};

/// What a slot serves, as the table has it: two sets this version cannot tell apart stay two.
type Stored = Option<Vec<String>>;

pub(crate) struct Free<'a> {
    central: &'a Central,
    site: &'a SiteId,
    reserve: Reserve,
    /// The first day anybody may get.
    from: Date,
    /// What came back unused from the queue front is passed over.
    fresh: bool,
    taken: Vec<SlotId>,
    locked: BTreeMap<Looked, Vec<FreeSlot>>,
    buckets: Option<Buckets>,
}

/// Where slots were looked for that are locked and nobody's yet: on a day picked, or from a day on;
/// and for which procedure.
type Looked = (Date, Vec<ProcedureSet>, &'static str);

/// Free slots by day and by what they serve, as far as they were counted.
struct Buckets {
    all: Vec<Bucket>,
    stored: BTreeMap<ProcedureSet, Vec<Stored>>,
    counted: i64,
    /// These are all there are on the days made.
    whole: bool,
}

impl<'a> Free<'a> {
    /// Those from a day on, with what the site keeps `today`.
    pub async fn from(
        db: &mut PgConnection,
        central: &'a Central,
        site: &'a SiteId,
        (today, from): (Date, Date),
    ) -> Result<Self, Refusal> {
        let reserve = reserve::of(db, central, site, today).await?;
        let reserve = if planted::on("nothing_kept") { Reserve::none() } else { reserve };
        Ok(Self {
            central,
            site,
            reserve,
            from,
            fresh: false,
            taken: Vec::new(),
            locked: BTreeMap::new(),
            buckets: None,
        })
    }

    /// From now on passes over what leases gave back unused from the queue front, or does not.
    pub fn fresh_only(&mut self, fresh: bool) {
        self.fresh = fresh;
    }

    /// The slot a person gets, who is one of `more` that come; none when the site has none for them.
    pub async fn next(
        &mut self,
        db: &mut PgConnection,
        window: &Window,
        more: usize,
    ) -> Result<Option<FreeSlot>, Refusal> {
        loop {
            let pick = if self.reserve.is_none() || window.soon || self.central.extras_only() {
                None
            } else {
                match self.pick(&mut *db, window).await? {
                    Some(pick) => Some(pick),
                    None => return Ok(None),
                }
            };
            let found = self.lock(&mut *db, window, pick.as_ref(), more).await?;
            if let Some(slot) = found {
                self.take(&slot);
                return Ok(Some(slot));
            }
            let Some(pick) = pick else { return Ok(None) };
            self.none_left(&pick);
        }
    }

    /// Others are taking them at this moment: they are not there for us.
    fn none_left(&mut self, pick: &Pick) {
        for bucket in self.buckets.iter_mut().flat_map(|buckets| &mut buckets.all) {
            if bucket.day == pick.day && pick.among.contains(&bucket.serves) {
                bucket.free = 0;
            }
        }
    }

    /// The day on which a person would get a slot; nothing is taken or locked.
    pub async fn day(&mut self, db: &mut PgConnection, window: &Window) -> Result<Option<Date>, Refusal> {
        Ok(self.pick(db, window).await?.map(|pick| pick.day))
    }

    /// The earliest slot that serves everybody, kept or not: for a kiosk that knows nothing of
    /// procedures.
    pub async fn next_for_everybody(&mut self, db: &mut PgConnection) -> Result<Option<FreeSlot>, Refusal> {
        let mut found = self.earliest(db, self.from, Wanted::Everybody, 1).await?;
        let slot = found.pop();
        if let Some(slot) = &slot {
            self.take(slot);
        }
        Ok(slot)
    }

    fn take(&mut self, slot: &FreeSlot) {
        self.taken.push(slot.slot);
        for locked in self.locked.values_mut() {
            locked.retain(|other| other.slot != slot.slot);
        }
        let of = |bucket: &&mut Bucket| bucket.day == slot.at.date() && bucket.serves == slot.serves;
        if let Some(bucket) = self.buckets.iter_mut().flat_map(|buckets| &mut buckets.all).find(of) {
            bucket.free = bucket.free.saturating_sub(1);
        }
    }

    /// A slot that was found is left to others: another way served the person.
    pub fn leave(&mut self, slot: &FreeSlot) {
        self.taken.retain(|taken| *taken != slot.slot);
        let of = |bucket: &&mut Bucket| bucket.day == slot.at.date() && bucket.serves == slot.serves;
        if let Some(bucket) = self.buckets.iter_mut().flat_map(|buckets| &mut buckets.all).find(of) {
            bucket.free = bucket.free.saturating_add(1);
        }
        // Looked for anew: what was locked behind it comes after it.
        self.locked.clear();
    }

    /// The person's day, by the free slots counted: more of them, and more days made, until they tell.
    async fn pick(&mut self, db: &mut PgConnection, window: &Window) -> Result<Option<Pick>, Refusal> {
        let mut buckets = match self.buckets.take() {
            Some(buckets) => buckets,
            None => self.count(&mut *db, COUNTED).await?,
        };
        while !assign::reach(&buckets.all, window, &self.reserve) {
            if !buckets.whole {
                buckets = self.count(&mut *db, buckets.counted.saturating_mul(4)).await?;
            } else if calendar::extend(&mut *db, self.site, Wanted::of(window.procedure)).await? {
                buckets = self.count(&mut *db, buckets.counted).await?;
            } else {
                break;
            }
        }
        let pick = assign::pick(&buckets.all, window, &self.reserve);
        self.buckets = Some(buckets);
        Ok(pick)
    }

    async fn count(&self, db: &mut PgConnection, most: i64) -> Result<Buckets, Refusal> {
        let rows = sqlx::query(concat!(
            "SELECT day::text, procedures, count(*) FROM (",
            free!("SELECT at::date AS day, procedures", "AND id <> ALL ($5) ORDER BY at LIMIT $4"),
            ") AS free GROUP BY day, procedures ORDER BY day"
        ))
        .bind(self.site.as_str())
        .bind(self.from.to_string())
        .bind(self.fresh)
        .bind(most)
        .bind(keys(&self.taken)?)
        .fetch_all(db)
        .await?;
        let mut days: BTreeMap<(Date, ProcedureSet), u32> = BTreeMap::new();
        let (mut stored, mut counted) = (BTreeMap::<ProcedureSet, Vec<Stored>>::new(), 0);
        for row in &rows {
            let day: Date = row.try_get::<&str, _>(0)?.parse().map_err(|_| Refusal::Stored("slot time"))?;
            let named: Stored = row.try_get(1)?;
            let n: i64 = row.try_get(2)?;
            let serves = ProcedureSet::known(named.as_deref());
            *days.entry((day, serves)).or_default() += u32::try_from(n).unwrap_or(u32::MAX);
            let of = stored.entry(serves).or_default();
            if !of.contains(&named) {
                of.push(named);
            }
            counted += n;
        }
        let whole = counted < most;
        // The last day may have more than were counted: nothing is said of it yet.
        let cut = days.last_key_value().map(|((day, _), _)| *day).filter(|_| !whole);
        let all = days.into_iter().filter(|((day, _), _)| Some(*day) != cut);
        let all = all.map(|((day, serves), free)| Bucket { day, serves, free }).collect();
        Ok(Buckets { all, stored, counted: most, whole })
    }

    /// The earliest slot of the day picked, or of any day, locked with as many after it as will be
    /// asked for: of a day no more than may be given, so that what is kept stays free for others.
    async fn lock(
        &mut self,
        db: &mut PgConnection,
        window: &Window,
        pick: Option<&Pick>,
        more: usize,
    ) -> Result<Option<FreeSlot>, Refusal> {
        let from = self.from.max(window.earliest);
        let procedure = window.procedure.map_or("", Procedure::key);
        let (day, among) = pick.map_or((from, Vec::new()), |pick| (pick.day, pick.among.clone()));
        let key = (day, among, procedure);
        if self.locked.get(&key).is_none_or(Vec::is_empty) {
            let found = match pick {
                Some(pick) => {
                    let room = usize::try_from(pick.room).unwrap_or(usize::MAX);
                    self.of_day(db, pick, window, more.min(room)).await?
                }
                None => self.earliest(db, from, Wanted::of(window.procedure), more).await?,
            };
            self.locked.insert(key.clone(), found);
        }
        let slots = self.locked.get(&key).map(Vec::as_slice).unwrap_or_default();
        Ok(assign::choose(slots.iter().copied(), window, &Reserve::none()).slot())
    }

    async fn of_day(
        &self,
        db: &mut PgConnection,
        pick: &Pick,
        window: &Window,
        more: usize,
    ) -> Result<Vec<FreeSlot>, Refusal> {
        let (for_everybody, named) = self.stored_sets(pick);
        let rows = sqlx::query(of_day!("FOR UPDATE SKIP LOCKED"))
            .bind(self.site.as_str())
            .bind(pick.day.to_string())
            .bind(self.fresh)
            .bind(pick.day.saturating_add(1.days()).to_string())
            .bind(keys(&self.taken)?)
            .bind(for_everybody)
            .bind(named)
            .bind(window.procedure.map(Procedure::key))
            .bind(i64::try_from(more.max(1)).unwrap_or(i64::MAX))
            .fetch_all(db)
            .await?;
        rows.iter().map(free_slot).collect()
    }

    /// Which sets of procedures a pick lies among, as the table has them: those for everybody, and
    /// the others. An array of arrays would have to be of one length.
    fn stored_sets(&self, pick: &Pick) -> (bool, Vec<String>) {
        let stored = self.buckets.iter().flat_map(|buckets| &buckets.stored);
        let among: Vec<&Stored> =
            stored.filter(|(set, _)| pick.among.contains(*set)).flat_map(|(_, stored)| stored).collect();
        let named = among.iter().filter_map(|one| one.as_ref()).map(|one| one.join(",")).collect();
        (among.iter().any(|one| one.is_none()), named)
    }

    /// The earliest slots of the site that may be given from a day on for what is wanted, as many
    /// as asked for, without those taken, locked; fewer when it has no more. Where what left central
    /// before a restore is not known, one extra slot beside the earliest hour that has none yet: its
    /// id is new whatever was given before.
    async fn earliest(
        &self,
        db: &mut PgConnection,
        from: Date,
        wanted: Wanted,
        count: usize,
    ) -> Result<Vec<FreeSlot>, Refusal> {
        macro_rules! serving {
            () => {
                "AND (procedures IS NULL OR NOT $6 AND ($5::text IS NULL OR $5 = ANY (procedures))) \
                 AND id <> ALL ($7) ORDER BY at, cardinality(procedures), id LIMIT $4 FOR UPDATE SKIP LOCKED"
            };
        }
        let ordinary = free!("SELECT id, at::text, procedures, counter", serving!());
        let beside = concat!(
            "SELECT id, at::text, procedures, counter FROM slot \
             WHERE site = $1 AND extra = 0 AND NOT outside AND at >= $2::text::timestamp AND NOT $3 AND NOT EXISTS \
             (SELECT 1 FROM slot AS other WHERE other.counter = slot.counter AND other.at = slot.at \
             AND other.extra > 0) ",
            serving!()
        );
        let (central, site) = (self.central, self.site);
        plant(&mut *db, site, from).await?;
        let procedure = match wanted {
            Wanted::Procedure(procedure) => Some(procedure.key()),
            Wanted::Any | Wanted::Everybody => None,
        };
        let extras = central.extras_only();
        loop {
            let rows = sqlx::query(if extras { beside } else { ordinary })
                .bind(site.as_str())
                .bind(from.to_string())
                .bind(self.fresh && !extras)
                .bind(if extras { 1 } else { i64::try_from(count).unwrap_or(i64::MAX) })
                .bind(procedure)
                .bind(wanted == Wanted::Everybody)
                .bind(keys(&self.taken)?)
                .fetch_all(&mut *db)
                .await?;
            if let (true, Some(row)) = (extras, rows.first()) {
                let (at, counter): (DateTime, i64) = (civil(row.try_get(1)?)?, row.try_get(3)?);
                let serves = calendar::procedures(row, 2)?;
                let beside = claim::Beside { counter, at, serves, outside: false };
                let extra = claim::extra(db, central, site, &beside).await?;
                return Ok(extra
                    .map(|slot| FreeSlot { slot, at, stratum: None, serves })
                    .into_iter()
                    .collect());
            }
            if rows.is_empty() && calendar::extend(&mut *db, site, wanted).await? {
                continue;
            }
            return rows.iter().map(free_slot).collect();
        }
    }
}

fn free_slot(row: &PgRow) -> Result<FreeSlot, Refusal> {
    Ok(FreeSlot {
        slot: slot_number(row.try_get(0)?)?,
        at: civil(row.try_get(1)?)?,
        stratum: None,
        serves: calendar::procedures(row, 2)?,
    })
}

fn keys(slots: &[SlotId]) -> Result<Vec<i64>, Refusal> {
    slots.iter().map(|slot| slot_key(*slot)).collect()
}

/// Bugs the simulation must find: a given, a lent or a withheld slot counts as free.
async fn plant(db: &mut PgConnection, site: &SiteId, from: Date) -> Result<(), Refusal> {
    let given = || {
        format!(
            "UPDATE slot SET registration = NULL WHERE id = (SELECT id FROM slot WHERE site = '{site}' \
        AND registration IS NOT NULL AND lease IS NULL AND at >= '{from}' ORDER BY at LIMIT 1)"
        )
    };
    planted::sql(&mut *db, "given_slot_taken_over", given).await?;
    let lent = || {
        format!("UPDATE slot SET lease = NULL, stratum = NULL WHERE site = '{site}' AND registration IS NULL")
    };
    planted::sql(&mut *db, "lent_slot_given", lent).await?;
    let withheld =
        || format!("UPDATE slot SET withheld = false WHERE site = '{site}' AND registration IS NULL");
    Ok(planted::sql(db, "withheld_slot_given", withheld).await?)
}

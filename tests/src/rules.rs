//! What must hold in central's tables and in a vault's file, looked at with SQL of its own,
//! past the product. The simulation itself holds no SQL.

use jiff::civil::Date;
use rusqlite::{Connection, OpenFlags};
use sim::simulation::{FreeAtCentral, Leased, Since};
use sqlx::Row as _;
use std::path::Path;

/// Each counts what breaks it, for the site `$1`: the invariant, what is then said, after what
/// at most it still holds, and the count.
const RULES: [(&str, &str, Since, &str); 25] = [
    (
        "I8",
        "places at central are not those the papers name",
        Since::DisksMoved,
        "SELECT count(*) FROM registration WHERE site = $1 AND body ? 'id' AND (\
         registered_s <> floor(extract(epoch FROM (body ->> 'registered_at')::timestamptz)) OR \
         tie_break <> ('x' || left(encode(id, 'hex'), 8))::bit(32)::bigint & 4294967295 OR \
         class <> CASE WHEN body ->> 'limit' IS NULL THEN 'ordinary' ELSE 'with_time_limit' END)",
    ),
    (
        "I8",
        "places that rank by a time nobody has: their own, or that of the registration they follow",
        Since::DisksMoved,
        "SELECT count(*) FROM registration LEFT JOIN transfer ON transfer.registration = registration.id \
         LEFT JOIN registration AS earlier ON earlier.id = transfer.earlier WHERE registration.site = $1 \
         AND registration.ranked_s <> coalesce(earlier.ranked_s, registration.registered_s) \
         AND (transfer.registration IS NULL OR EXISTS (SELECT 1 FROM registration AS there WHERE there.code = transfer.code))",
    ),
    (
        "I8",
        "registration times taken over from a place that was over, of the same site by one mediator, or of another procedure",
        Since::DisksMoved,
        "SELECT count(*) FROM transfer JOIN registration ON registration.id = transfer.registration \
         JOIN registration AS earlier ON earlier.id = transfer.earlier WHERE registration.site = $1 \
         AND (earlier.site = registration.site \
              AND coalesce(registration.body ->> 'witness', registration.body ->> 'mediator') = registration.body ->> 'mediator' \
              OR earlier.procedure <> registration.procedure \
              OR earlier.registered_s >= registration.registered_s OR earlier.cancelled_s <= registration.registered_s)",
    ),
    (
        "I2",
        "places left behind that stand beside the one that was kept",
        Since::DisksMoved,
        "SELECT count(*) FROM transfer JOIN registration ON registration.id = transfer.registration \
         JOIN registration AS earlier ON earlier.id = transfer.earlier WHERE registration.site = $1 AND kept_s IS NOT NULL \
         AND registration.cancelled_s IS NULL AND earlier.cancelled_s IS NULL \
         AND NOT EXISTS (SELECT 1 FROM arrival WHERE arrival.registration = earlier.id)",
    ),
    (
        "I2",
        "places taken up again beside the one the person was received with",
        Since::DisksMoved,
        "SELECT count(*) FROM transfer JOIN registration ON registration.id = transfer.registration \
         JOIN arrival ON arrival.registration = transfer.was WHERE registration.site = $1 AND cancelled_s IS NULL \
         AND NOT EXISTS (SELECT 1 FROM arrival AS own WHERE own.registration = registration.id)",
    ),
    (
        "I4",
        "dates after the time limit without an escalation",
        Since::DisksMoved,
        "SELECT count(*) FROM registration JOIN slot ON slot.registration = registration.id \
         WHERE registration.site = $1 AND state = 'kept' AND slot.at::date > (body -> 'limit' ->> 'last_day')::date \
         AND NOT EXISTS (SELECT 1 FROM escalation WHERE escalation.registration = registration.id)",
    ),
    (
        "I8",
        "records of a chain go back in time",
        Since::DisksMoved,
        "SELECT count(*) FROM (SELECT (convert_from(body, 'UTF8')::jsonb ->> 'at')::timestamptz AS at, \
         lag((convert_from(body, 'UTF8')::jsonb ->> 'at')::timestamptz) OVER (PARTITION BY record.kiosk, chain ORDER BY seq) AS before \
         FROM record JOIN kiosk ON kiosk.id = record.kiosk WHERE kiosk.site = $1) AS record WHERE at < before",
    ),
    (
        "I1",
        "kiosks that write twice and are not quarantined",
        Since::DisksMoved,
        "SELECT count(*) FROM record AS one JOIN record AS two ON one.kiosk = two.kiosk AND one.hash < two.hash \
         AND one.incarnation = two.incarnation AND substring(one.header FROM 29 FOR 32) = substring(two.header FROM 29 FOR 32) \
         JOIN kiosk ON kiosk.id = one.kiosk WHERE kiosk.site = $1 AND quarantined_s IS NULL",
    ),
    (
        "I1",
        "leases of quarantined kiosks",
        Since::DisksMoved,
        "SELECT count(*) FROM lease JOIN kiosk ON kiosk.id = lease.kiosk WHERE kiosk.site = $1 AND given_s > quarantined_s",
    ),
    (
        "I1",
        "leases of an incarnation left behind",
        Since::DisksMoved,
        "SELECT count(*) FROM lease JOIN record ON record.kiosk = lease.kiosk AND record.incarnation > lease.incarnation \
         AND record.received_s < lease.given_s JOIN kiosk ON kiosk.id = lease.kiosk WHERE kiosk.site = $1",
    ),
    (
        "I1",
        "new incarnations under an old number",
        Since::DisksMoved,
        "SELECT count(*) FROM record JOIN record AS before ON before.kiosk = record.kiosk \
         AND before.hash = substring(record.header FROM 29 FOR 32) JOIN kiosk ON kiosk.id = record.kiosk \
         WHERE kiosk.site = $1 AND record.kind = 'incarnation' AND record.incarnation <= before.incarnation",
    ),
    (
        "I1",
        "dates from a lease of another incarnation",
        Since::DisksMoved,
        "SELECT count(*) FROM (SELECT record.incarnation, convert_from(body, 'UTF8')::jsonb -> 'outcome' AS outcome \
         FROM record JOIN kiosk ON kiosk.id = record.kiosk WHERE kiosk.site = $1 AND kind = 'registration') AS record \
         JOIN lease ON encode(lease.id, 'hex') = coalesce(outcome ->> 'lease', outcome -> 'held' ->> 'lease') \
         WHERE lease.incarnation <> record.incarnation",
    ),
    (
        "I8",
        "kiosks with more than their lease, of a size fixed for the site",
        Since::Undisturbed,
        "SELECT count(*) FROM (SELECT count(*) AS n, lease_slots FROM slot JOIN lease ON lease.id = slot.lease \
         JOIN site ON site.id = slot.site WHERE site.id = $1 AND registration IS NULL AND stratum <> 'backstop' AND NOT outside \
         AND slot.at > to_timestamp((SELECT max(given_s) + 86400 FROM lease AS last WHERE last.kiosk = lease.kiosk)) \
         GROUP BY lease.kiosk, lease_slots) AS lent WHERE n > lease_slots",
    ),
    (
        "I8",
        "kiosks with more of the queue front than what they have seen asks for",
        Since::Undisturbed,
        // Half a day's people and never fewer than two; as many again that are about to go back.
        "SELECT count(*) FROM (SELECT count(*) AS n, lease.kiosk FROM slot JOIN lease ON lease.id = slot.lease \
         JOIN site ON site.id = slot.site WHERE site.id = $1 AND lease_slots IS NULL AND registration IS NULL \
         AND stratum IN ('near', 'front') AND NOT outside \
         AND slot.at > to_timestamp((SELECT max(given_s) + 86400 FROM lease AS last WHERE last.kiosk = lease.kiosk)) \
         GROUP BY lease.kiosk) AS lent WHERE n > 2 * greatest(2, \
         (SELECT count(*) FROM registration WHERE registration.kiosk = lent.kiosk))",
    ),
    (
        "I8",
        "unused slots kept past the day they go back",
        Since::Undisturbed,
        // A backstop may stand on a receipt, and any slot on a paper whose record was set aside.
        "SELECT count(*) FROM slot JOIN lease ON lease.id = slot.lease JOIN kiosk ON kiosk.id = lease.kiosk \
         WHERE slot.site = $1 AND registration IS NULL AND stratum <> 'backstop' AND NOT outside \
         AND back < asked_on AND lease.incarnation = \
         (SELECT max(incarnation) FROM lease AS newest WHERE newest.kiosk = lease.kiosk) AND NOT EXISTS \
         (SELECT 1 FROM record WHERE record.kiosk = lease.kiosk AND kind = 'registration' AND slot.id = ('x' || left(encode( \
         decode(convert_from(body, 'UTF8')::jsonb -> 'outcome' ->> 'token', 'base64'), 'hex'), 16))::bit(64)::bigint)",
    ),
    (
        "I3",
        "slots receipts hold that are free",
        Since::Undisturbed,
        "SELECT count(*) FROM (SELECT convert_from(body, 'UTF8')::jsonb -> 'outcome' -> 'held' ->> 'token' AS token \
         FROM record JOIN kiosk ON kiosk.id = record.kiosk WHERE kiosk.site = $1 AND kind = 'registration') AS held \
         JOIN slot ON slot.id = ('x' || left(encode(decode(token, 'base64'), 'hex'), 16))::bit(64)::bigint \
         WHERE lease IS NULL AND registration IS NULL AND NOT withheld AND NOT EXISTS (SELECT 1 FROM record \
         WHERE kind = 'release' AND convert_from(body, 'UTF8')::jsonb -> 'slots' @> to_jsonb(slot.id))",
    ),
    (
        "I3",
        "slots given back although a receipt without another date holds them, of a place that stands",
        Since::Undisturbed,
        "SELECT count(*) FROM (SELECT convert_from(body, 'UTF8')::jsonb AS body FROM record JOIN kiosk \
         ON kiosk.id = record.kiosk WHERE kiosk.site = $1 AND kind = 'registration') AS held JOIN record AS gone \
         ON gone.kind = 'release' AND convert_from(gone.body, 'UTF8')::jsonb -> 'slots' @> \
         to_jsonb(('x' || left(encode(decode(held.body -> 'outcome' -> 'held' ->> 'token', 'base64'), 'hex'), 16))::bit(64)::bigint) \
         WHERE NOT EXISTS (SELECT 1 FROM print WHERE encode(print.registration, 'hex') = held.body -> 'registration' ->> 'id') \
         AND NOT EXISTS (SELECT 1 FROM registration AS over WHERE encode(over.id, 'hex') = held.body -> 'registration' ->> 'id' \
                         AND (cancelled_s IS NOT NULL \
                              OR EXISTS (SELECT 1 FROM word WHERE word.registration = over.id AND says = 'cancel' AND word.state = 'done') \
                              OR EXISTS (SELECT 1 FROM asked_cancel WHERE asked_cancel.registration = over.id AND asked_cancel.state = 'done')))",
    ),
    (
        "I3",
        "places that ended by nobody's word: the person's, an agent's twice, or two agents' after they were heard",
        Since::DisksMoved,
        "SELECT count(*) FROM registration WHERE site = $1 AND cancelled_s IS NOT NULL \
         AND NOT EXISTS (SELECT 1 FROM record WHERE record.registration = registration.id AND kind = 'cancellation' AND state = 'applied') \
         AND NOT EXISTS (SELECT 1 FROM word WHERE word.registration = registration.id AND says = 'cancel' AND word.state = 'done') \
         AND NOT EXISTS (SELECT 1 FROM asked_cancel WHERE asked_cancel.registration = registration.id AND asked_cancel.state = 'done' \
                         AND ended_s >= asked_s + 86400) \
         AND NOT EXISTS (SELECT 1 FROM missed WHERE missed.registration = registration.id AND ended) \
         AND NOT EXISTS (SELECT 1 FROM transfer JOIN record ON record.registration = transfer.registration \
                         WHERE coalesce(transfer.earlier, transfer.was) = registration.id AND record.kind = 'transfer' AND record.state = 'applied') \
         AND NOT EXISTS (SELECT 1 FROM transfer JOIN arrival ON arrival.registration IN (transfer.registration, transfer.earlier, transfer.was) \
                         WHERE registration.id IN (transfer.registration, transfer.earlier, transfer.was) AND arrival.registration <> registration.id) \
         AND NOT EXISTS (SELECT 1 FROM annulment WHERE annulment.registration = registration.id AND state IN ('annulled', 'undoing') \
                         AND told_s IS NOT NULL AND heard_s IS NOT NULL AND told_s <= decided_s AND heard_s <= decided_s \
                         AND (answers IS NOT NULL OR until < (to_timestamp(heard_s) AT TIME ZONE 'UTC')::date + 1) \
                         AND reasons <> '' AND decision <> '' AND lower(proposed_by) <> lower(decided_by))",
    ),
    (
        "I3",
        "annulled places that still hold a slot",
        Since::DisksMoved,
        "SELECT count(*) FROM annulment JOIN slot ON slot.registration = annulment.registration \
         WHERE annulment.site = $1 AND annulment.state = 'annulled'",
    ),
    (
        "I6",
        "registrations whose record is gone",
        Since::DisksMoved,
        "SELECT count(*) FROM registration WHERE site = $1 AND state = 'kept' AND body ? 'id' AND NOT EXISTS \
         (SELECT 1 FROM record WHERE record.registration = registration.id AND kind IN ('registration', 'paper') \
         AND length(record.body) > 0)",
    ),
    (
        "I6",
        "chains that stand on a record central does not have",
        Since::DisksMoved,
        "SELECT count(*) FROM chain JOIN kiosk ON kiosk.id = chain.kiosk WHERE kiosk.site = $1 \
         AND NOT EXISTS (SELECT 1 FROM record WHERE record.kiosk = chain.kiosk AND record.hash = chain.head_hash)",
    ),
    (
        "I6",
        "records that follow one central does not have",
        Since::DisksMoved,
        "SELECT count(*) FROM record JOIN kiosk ON kiosk.id = record.kiosk WHERE kiosk.site = $1 AND seq > 1 \
         AND NOT EXISTS (SELECT 1 FROM record AS before WHERE before.kiosk = record.kiosk \
         AND before.hash = substring(record.header FROM 29 FOR 32))",
    ),
    (
        "I1",
        "slots given back twice under one lease",
        Since::DisksMoved,
        "SELECT count(*) FROM (SELECT 1 FROM (SELECT record.kiosk, chain, convert_from(body, 'UTF8')::jsonb AS body FROM record \
         JOIN kiosk ON kiosk.id = record.kiosk WHERE kiosk.site = $1 AND kind = 'release') AS gone, \
         jsonb_array_elements(body -> 'slots') AS slot GROUP BY kiosk, chain, body ->> 'lease', slot HAVING count(*) > 1) AS twice",
    ),
    (
        "I6",
        "pages that central does not list, or has not whole",
        Since::Restored,
        "SELECT count(*) FROM (SELECT jsonb_array_elements(convert_from(body, 'UTF8')::jsonb -> 'pages') ->> 'page' AS page \
         FROM record JOIN kiosk ON kiosk.id = record.kiosk WHERE kiosk.site = $1 AND kiosk.lost_s IS NULL AND kind = 'piece' AND state = 'applied') AS pages \
         WHERE NOT EXISTS (SELECT 1 FROM piece_page JOIN upload ON upload.page = piece_page.page \
         WHERE encode(upload.page, 'hex') = pages.page AND complete)",
    ),
    (
        "I9",
        "records set aside without a reason",
        Since::DisksMoved,
        "SELECT count(*) FROM record JOIN kiosk ON kiosk.id = record.kiosk WHERE kiosk.site = $1 \
         AND state = 'set_aside' AND reason IS NULL",
    ),
];

/// The rules that do not hold.
pub async fn broken(
    pool: &central::Pool,
    site: &str,
    since: Since,
) -> Result<Vec<(&'static str, String)>, sqlx::Error> {
    let counts: Vec<String> = RULES.iter().map(|(.., count)| format!("({count})")).collect();
    let all = format!("SELECT ARRAY[{}]", counts.join(", "));
    let row = sqlx::query(sqlx::AssertSqlSafe(all)).bind(site).fetch_one(pool).await?;
    let counts: Vec<i64> = row.try_get(0)?;
    Ok(RULES
        .iter()
        .zip(counts)
        .filter(|((.., most, _), count)| *count > 0 && since <= *most)
        .map(|((invariant, what, ..), count)| (*invariant, format!("{what}: {count}")))
        .collect())
}

/// What central could give from a day on to the end of another, and what the site keeps of it. None
/// while it gives extra slots only.
pub async fn free_at_central(
    pool: &central::Pool,
    site: &str,
    (first, last): (Date, Date),
) -> Result<Option<FreeAtCentral>, sqlx::Error> {
    let row = sqlx::query(
        "SELECT broken, ARRAY(SELECT at::text FROM slot WHERE site = $1 AND lease IS NULL AND registration IS NULL \
             AND extra = 0 AND NOT withheld AND NOT outside AND at >= $2::text::timestamp \
             AND at < $3::text::date + 1 ORDER BY at) \
         FROM lease_log",
    )
    .bind(site)
    .bind(first.to_string())
    .bind(last.to_string())
    .fetch_one(pool)
    .await?;
    if row.try_get(0)? {
        return Ok(None);
    }
    let at: Vec<String> = row.try_get(1)?;
    let row = sqlx::query(
        "SELECT body ->> 'from', body ->> 'until', least((body -> 'slots' -> 0 ->> 1)::bigint / nullif((body ->> 'ahead')::bigint, 0) / 2, coalesce((SELECT ceil(sum(n::numeric) / \
             nullif((body ->> 'open_days')::bigint, 0)) FROM jsonb_each_text(body -> 'near') AS near (procedure, n)), 0))::bigint \
         FROM reserve WHERE site = $1 ORDER BY day DESC LIMIT 1",
    )
    .bind(site)
    .fetch_optional(pool)
    .await?;
    let (from, until, kept) = match row {
        Some(row) => (row.try_get(0)?, row.try_get(1)?, row.try_get::<i64, _>(2)?),
        None => (String::new(), String::new(), 0),
    };
    // One extra slot for ten of a day, begun ones counted; where a counter serves some procedures
    // only, `tests/tests/assignment.rs` looks.
    let rows = sqlx::query(
        "SELECT at::date::text FROM slot WHERE site = $1 AND NOT outside AND at >= $2::text::timestamp \
             AND at < $3::text::date + 1 GROUP BY 1 HAVING bool_and(procedures IS NULL) \
             AND count(*) FILTER (WHERE extra > 0 AND (registration IS NOT NULL OR withheld)) * 10 \
                 < count(*) FILTER (WHERE extra <= 0) ORDER BY 1",
    )
    .bind(site)
    .bind(first.to_string())
    .bind(last.to_string())
    .fetch_all(pool)
    .await?;
    let extra_days =
        rows.iter().map(|row| row.try_get::<&str, _>(0).map(|day| day.parse().unwrap_or_default()));
    let extra_days = extra_days.collect::<Result<_, _>>()?;
    let kept_days = from.parse().ok().zip(until.parse().ok());
    Ok(Some(FreeAtCentral {
        at: at.iter().map(|at| at.parse().unwrap_or_default()).collect(),
        kept_days,
        kept: usize::try_from(kept).unwrap_or(0),
        extra_days,
    }))
}

/// People whose date lies after their time limit, who were never offered another, while a day three days
/// ahead or more, within their limit and before their date, has room for one person more. None while
/// central gives extra slots only.
pub async fn late_unasked(pool: &central::Pool, site: &str, today: Date) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT body ->> 'code' FROM registration JOIN slot AS held ON held.registration = registration.id \
         JOIN kiosk ON kiosk.id = registration.kiosk CROSS JOIN lease_log \
         WHERE registration.site = $1 AND state = 'kept' AND cancelled_s IS NULL AND lost_s IS NULL \
         AND NOT broken AND NOT held.outside AND held.at::date > (body #>> '{limit,last_day}')::date \
         AND (earliest IS NULL OR earliest <= $2::date + 3) \
         AND NOT EXISTS (SELECT 1 FROM offer WHERE offer.registration = registration.id) \
         AND EXISTS (SELECT 1 FROM slot WHERE slot.site = $1 AND NOT slot.outside AND slot.at >= $2::date + 3 \
             AND slot.at < (body #>> '{limit,last_day}')::date + 1 \
             GROUP BY slot.at::date HAVING bool_and(slot.procedures IS NULL) \
             AND count(*) FILTER (WHERE extra > 0 AND (slot.registration IS NOT NULL OR withheld)) * 10 \
                 < count(*) FILTER (WHERE extra <= 0)) ORDER BY 1",
    )
    .bind(site)
    .bind(today.to_string())
    .fetch_all(pool)
    .await
}

/// The leased slots, in a vault that a kiosk may hold open; free is what nobody has and nobody gave back.
pub fn leased(vault: &Path, key: &[u8; 32]) -> Result<Vec<Leased>, rusqlite::Error> {
    let connection = Connection::open_with_flags(vault, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let hex: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    connection.pragma_update(None, "key", format!("x'{hex}'"))?;
    let mut statement = connection
        .prepare("SELECT at, slot, stratum, registration IS NULL AND released = 0, registration IS NOT NULL FROM lease_slot")?;
    let rows = statement.query_map([], |row| {
        let (at, slot): (String, i64) = (row.get(0)?, row.get(1)?);
        let (at, slot) = (at.parse().unwrap_or_default(), slot.unsigned_abs());
        Ok(Leased { at, slot, stratum: row.get(2)?, free: row.get(3)?, given: row.get(4)? })
    })?;
    rows.collect()
}

//! Backs up and restores one site's rows, for the simulation: what happens to a database
//! that is put back to yesterday's backup, without touching the other seeds in it.

use crate::rules;
use domain::code::FollowUpCode;
use jiff::civil::Date;
use serde_json::{Map, Value};
use sim::simulation::{Archive, Archiving, Fault, FreeAtCentral, Leased, Since};
use sqlx::{PgConnection, Row as _};
use std::path::Path;
use vault::VaultKey;

/// Every table that holds something of a site, with how its rows are found.
const TABLES: [(&str, &str); 35] = [
    ("site", "id = $1"),
    ("counter", "site = $1"),
    ("closure", "site = $1"),
    ("mediator", "site = $1"),
    ("kiosk", "site = $1"),
    ("enrol_code", "site = $1"),
    ("chain", "kiosk IN (SELECT id FROM kiosk WHERE site = $1)"),
    ("record", "kiosk IN (SELECT id FROM kiosk WHERE site = $1)"),
    ("change", "kiosk IN (SELECT id FROM kiosk WHERE site = $1)"),
    ("print", "kiosk IN (SELECT id FROM kiosk WHERE site = $1)"),
    ("lease", "kiosk IN (SELECT id FROM kiosk WHERE site = $1)"),
    (
        "upload_part",
        "page IN (SELECT page FROM upload JOIN kiosk ON kiosk.id = upload.kiosk WHERE site = $1)",
    ),
    ("upload", "kiosk IN (SELECT id FROM kiosk WHERE site = $1)"),
    ("piece_page", "registration IN (SELECT id FROM registration WHERE site = $1)"),
    ("merge_link", "later IN (SELECT id FROM registration WHERE site = $1)"),
    ("correction", "registration IN (SELECT id FROM registration WHERE site = $1)"),
    ("arrival", "site = $1"),
    ("missed", "site = $1"),
    ("transfer", "kiosk IN (SELECT id FROM kiosk WHERE site = $1)"),
    ("task", "site = $1"),
    ("agent", "site = $1"),
    ("annulment", "site = $1"),
    ("reserve", "site = $1"),
    ("redate", "site = $1"),
    ("late", "site = $1"),
    ("escalation", "site = $1"),
    ("list", "site = $1"),
    ("replaced_paper", "site = $1"),
    ("paper", "site = $1"),
    ("word", "registration IN (SELECT id FROM registration WHERE site = $1)"),
    ("asked_cancel", "site = $1"),
    ("offer", "site = $1"),
    ("freed_slot", "site = $1"),
    ("slot", "site = $1"),
    ("registration", "site = $1"),
];

pub struct SiteRows(pub central::Pool);

impl Archive for SiteRows {
    fn begin<'a>(&'a self, site: &'a str) -> Archiving<'a, ()> {
        Box::pin(async move {
            let mut tx = self.0.begin().await.map_err(told)?;
            clear(&mut tx, site).await.map_err(told)?;
            // Every seed begins with the first keys.
            sqlx::query("DELETE FROM retired_key").execute(&mut *tx).await.map_err(told)?;
            tx.commit().await.map_err(told)?;
            self.unfollowed().await
        })
    }

    fn unfollowed(&self) -> Archiving<'_, ()> {
        Box::pin(async move {
            let fresh = "UPDATE lease_log SET n = 0, hash = decode(repeat('00', 32), 'hex'), broken = false";
            sqlx::query(fresh).execute(&self.0).await.map_err(told)?;
            Ok(())
        })
    }

    fn back_up<'a>(&'a self, site: &'a str) -> Archiving<'a, Value> {
        Box::pin(async move {
            let mut rows = Map::new();
            for (table, which) in TABLES {
                // Each row as the database writes it: JSON would make one null of its two.
                let all =
                    format!("SELECT coalesce(array_agg({table}::text), '{{}}') FROM {table} WHERE {which}");
                let row = sqlx::query(sqlx::AssertSqlSafe(all))
                    .bind(site)
                    .fetch_one(&self.0)
                    .await
                    .map_err(told)?;
                let all: Vec<String> = row.try_get(0).map_err(told)?;
                rows.insert(table.to_owned(), Value::from(all));
            }
            let row = sqlx::query("SELECT n, encode(hash, 'hex'), broken FROM lease_log")
                .fetch_one(&self.0)
                .await
                .map_err(told)?;
            let (n, hash, broken): (i64, String, bool) =
                (row.try_get(0).map_err(told)?, row.try_get(1).map_err(told)?, row.try_get(2).map_err(told)?);
            rows.insert("lease_log".to_owned(), serde_json::json!([n, hash, broken]));
            Ok(Value::Object(rows))
        })
    }

    fn restore<'a>(&'a self, site: &'a str, backup: &'a Value) -> Archiving<'a, ()> {
        Box::pin(async move {
            let mut tx = self.0.begin().await.map_err(told)?;
            clear(&mut tx, site).await.map_err(told)?;
            for (table, _) in TABLES {
                let insert = format!(
                    "INSERT INTO {table} OVERRIDING SYSTEM VALUE \
                     SELECT * FROM unnest($1::text[]::public.{table}[])"
                );
                let rows = backup[table].as_array().map_or(&[][..], Vec::as_slice);
                let rows: Vec<&str> = rows.iter().filter_map(Value::as_str).collect();
                sqlx::query(sqlx::AssertSqlSafe(insert)).bind(rows).execute(&mut *tx).await.map_err(told)?;
            }
            let mark = &backup["lease_log"];
            sqlx::query("UPDATE lease_log SET n = $1, hash = decode($2, 'hex'), broken = $3")
                .bind(mark[0].as_i64().unwrap_or(0))
                .bind(mark[1].as_str().unwrap_or_default())
                .bind(mark[2].as_bool().unwrap_or(false))
                .execute(&mut *tx)
                .await
                .map_err(told)?;
            tx.commit().await.map_err(told)
        })
    }

    fn leased<'a>(&'a self, vault: &'a Path, key: &'a VaultKey) -> Archiving<'a, Vec<Leased>> {
        Box::pin(async move { rules::leased(vault, key).map_err(|error| error.to_string()) })
    }

    fn free_at_central<'a>(
        &'a self,
        site: &'a str,
        days: (Date, Date),
    ) -> Archiving<'a, Option<FreeAtCentral>> {
        Box::pin(async move { rules::free_at_central(&self.0, site, days).await.map_err(told) })
    }

    fn late_are_due<'a>(&'a self, site: &'a str) -> Archiving<'a, ()> {
        Box::pin(async move {
            let done = sqlx::query("UPDATE late SET next_s = 0 WHERE site = $1").bind(site).execute(&self.0);
            done.await.map(|_| ()).map_err(told)
        })
    }

    fn late_unasked<'a>(&'a self, site: &'a str, today: Date) -> Archiving<'a, Vec<String>> {
        Box::pin(async move { rules::late_unasked(&self.0, site, today).await.map_err(told) })
    }

    fn rules<'a>(&'a self, site: &'a str, since: Since) -> Archiving<'a, Vec<Fault>> {
        Box::pin(async move { rules::broken(&self.0, site, since).await.map_err(told) })
    }

    fn clash<'a>(&'a self, site: &'a str, code: &'a str) -> Archiving<'a, ()> {
        Box::pin(async move {
            let bits = FollowUpCode::parse(code).and_then(|code| i64::try_from(code.to_bits()).ok());
            sqlx::query(
                "INSERT INTO registration (id, code, site, kiosk, procedure, class, registered_s, ranked_s, tie_break, body, state) \
                 SELECT decode(md5($1), 'hex'), $2, site, id, 'renewal', 'ordinary', 0, 0, 0, \
                 jsonb_build_object('code', 'CLASH-' || $1), 'kept' FROM kiosk WHERE site = $3 LIMIT 1",
            )
            .bind(code)
            .bind(bits)
            .bind(site)
            .execute(&self.0)
            .await
            .map_err(told)?;
            Ok(())
        })
    }
}

/// Deletes every row of a site, until the transaction ends without looking at references.
async fn clear(tx: &mut PgConnection, site: &str) -> Result<(), sqlx::Error> {
    // References between the tables are whole again at the end.
    sqlx::query("SET LOCAL session_replication_role = replica").execute(&mut *tx).await?;
    // What is found through another table goes before it.
    let through_others = TABLES.iter().filter(|(_, which)| which.contains("SELECT"));
    let own = TABLES.iter().filter(|(_, which)| !which.contains("SELECT"));
    for (table, which) in through_others.chain(own) {
        let delete = format!("DELETE FROM {table} WHERE {which}");
        sqlx::query(sqlx::AssertSqlSafe(delete)).bind(site).execute(&mut *tx).await?;
    }
    Ok(())
}

fn told(error: sqlx::Error) -> String {
    error.to_string()
}

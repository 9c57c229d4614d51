//! Who of a site's desk asks over the network: an agent, by a key central made for them. Answers for
//! their own site alone, and only until the key's last moment.

use crate::{Central, Refusal};
use axum::http::{header, request::Parts};
use domain::ids::SiteId;
use seal::keys::sha256;
use sqlx::Row;

/// Characters of a key: 32 random bytes in hexadecimal digits.
pub(crate) const KEY_CHARS: usize = 64;

/// An agent whose key is good now.
pub(crate) struct Agent {
    pub name: String,
    pub site: SiteId,
}

impl Agent {
    /// Whoever sends `authorization: Bearer` with a key of theirs.
    pub async fn of(central: &Central, parts: &Parts) -> Result<Self, Refusal> {
        let header = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let key = header.and_then(|text| text.strip_prefix("Bearer ")).map(str::trim);
        let key = key.filter(|key| key.len() == KEY_CHARS).ok_or(Refusal::NoAgent)?;
        let row = sqlx::query(
            "SELECT name, site FROM agent WHERE key_hash = $1 AND ended_s IS NULL AND until_s > $2",
        )
        .bind(key_hash(key).as_slice())
        .bind(central.now().as_second())
        .fetch_optional(&central.pool)
        .await?
        .ok_or(Refusal::NoAgent)?;
        let site = SiteId::parse(row.try_get(1)?).ok_or(Refusal::Stored("site id"))?;
        Ok(Self { name: row.try_get(0)?, site })
    }
}

/// What is stored of a key. It is random: nothing slower than a hash is needed to keep it.
pub(crate) fn key_hash(key: &str) -> [u8; 32] {
    sha256(&[b"jalon/agent-key/1", key.as_bytes()]).0
}

//! The stand: every real part in one folder (PostgreSQL, central over TLS, keyring,
//! printer, scanner, an enrolled kiosk), and the stories told on it. Never part of what
//! people install.

// serde_json answers null for a key that is not there: reading by key never panics.
#![allow(clippy::indexing_slicing)]

pub mod archive;
pub mod bench;
pub mod counter;
pub mod crash;
pub mod described;
pub mod device;
pub mod hostile;
pub mod journey;
pub mod own_session;
pub mod planted;
pub mod programs;
pub mod rules;
pub mod simulate;
pub mod small_disk;
pub mod stand;
pub mod supervise;
pub mod tls;

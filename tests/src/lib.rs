//! The stand: every real part in one folder (PostgreSQL, central over TLS, keyring,
//! printer, scanner, an enrolled kiosk), and the stories told on it. Never part of what
//! people install.

pub mod journey;
pub mod programs;
pub mod stand;
pub mod tls;

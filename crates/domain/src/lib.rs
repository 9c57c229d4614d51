//! People, procedures, rights and time limits, slots, leases, ranking.
//!
//! Functions of data: no I/O, no clock, no randomness, no async. What the rules need
//! from outside (the time, an id, free slots) is passed in.

pub mod annulment;
pub mod applicant;
pub mod assign;
pub mod audit;
pub mod batch;
pub mod birth;
pub mod busy;
pub mod bytes;
pub mod calendar;
pub mod code;
pub mod correction;
pub mod department;
pub mod extra;
pub mod ids;
pub mod lease;
pub mod likeness;
pub mod limit;
pub mod lists;
pub mod offer;
pub mod own_channel;
pub mod party;
pub mod place;
pub mod planted;
pub mod procedure;
pub mod queue;
pub mod reconfirm;
pub mod registration;
pub mod renewal;
pub mod reserve;
pub mod set_aside;
pub mod task;
pub mod text;
pub mod token;
pub mod transfer;
pub mod tries;
pub mod word;

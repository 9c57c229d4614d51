//! Keys and signatures, and the two codes of every paper: *door* (who, when, where:
//! verified offline) and *rebuild* (the rest, locked to central's recovery key).
//!
//! Takes its randomness and its clock from outside (age, which locks export files, draws its
//! own randomness); reads no file and no network.

pub mod audit;
pub mod certificate;
pub mod delivery;
pub mod door;
pub mod keys;
pub mod lists;
pub mod queue;
pub mod rebuild;
pub mod rebuilt;
pub mod ring;
pub mod text;
pub mod token;
pub mod verify;

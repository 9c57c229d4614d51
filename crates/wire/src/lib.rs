//! Messages between kiosk and central and the body of every journal record. Shapes
//! only: nothing here signs, stores, sends or decides. See `docs/protocol.md`.

pub mod body;
pub mod bytes;
pub mod delivery;
pub mod limits;
pub mod messages;
pub mod problem;
pub mod record;
pub mod request;
pub mod transfer;
pub mod word;

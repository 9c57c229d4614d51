//! The kiosk's use cases, one file each. Knows the vault, the devices and central;
//! never a window. Every method of [`Kiosk`] is one command of the contract.

mod capture;
mod check;
pub mod contract;
mod enrol;
mod erase;
mod follow_up;
mod give_back;
mod keep;
mod keepsake;
mod kiosk;
mod outbox;
mod paper;
mod print_job;
mod print_paper;
mod problem;
mod read_back;
mod session;
mod set_aside;
pub mod settings;
mod shown_paper;
mod status;
pub mod sync;
mod trusted_time;
mod visit;

pub use enrol::{Enrolled, ask as ask_to_enrol, enrol};
pub use keepsake::recover;
pub use kiosk::{Clock, Kiosk, Random, World};
pub use set_aside::{replace, set_aside};
pub use settings::Settings;

//! The kiosk's use cases, one file each. Knows the vault, the devices and central;
//! never a window. Every method of [`Kiosk`] is one command of the contract.

mod capture;
mod check;
pub mod contract;
mod deliver;
pub mod doctor;
mod end_of_day;
mod enrol;
mod erase;
mod export;
mod follow_up;
mod give_back;
mod keep;
mod keepsake;
mod kiosk;
mod media;
mod outbox;
mod paper;
mod print_paper;
mod problem;
mod read_back;
mod session;
mod set_aside;
pub mod settings;
mod shown_paper;
mod status;
mod storage;
pub mod sync;
mod trusted_time;
mod visit;

pub use enrol::{Enrolled, ask as ask_to_enrol, enrol};
pub use export::Exported;
pub use keepsake::recover;
pub use kiosk::{Clock, Kiosk, Random, World};
pub use set_aside::{replace, set_aside};
pub use settings::Settings;

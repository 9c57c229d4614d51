//! The kiosk's use cases. Knows the vault, the devices and central; never a window.

pub mod contract;

//! Test devices and the simulation: real enough to be driven by the real clients, imported by tests
//! only. Nothing here is compiled into what people run.

pub mod escl_scanner;
#[cfg(unix)]
pub mod ipp_printer;
pub mod simulation;
pub mod tcp_gate;

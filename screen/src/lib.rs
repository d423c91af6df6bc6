//! The presenter's machine: which displays it has, and how to get at its screen, by a VNC server that runs there or by our own.
//! Passwords are read and used here and go nowhere else. Knows neither the tree nor the root.

pub mod address;
pub mod capture;
pub mod display;
pub mod listing;
pub mod server;
pub mod vnc;

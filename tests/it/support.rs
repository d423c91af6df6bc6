//! What whole-session tests stand on: processes that end with their owner, X displays behind VNC servers, pictures to compare,
//! small viewers of our own, and the kernel's counters. Nothing in here knows how `treevnc` works inside.

pub(crate) mod campus;
pub(crate) mod classroom;
pub(crate) mod desk;
pub(crate) mod desktop;
pub(crate) mod halls;
pub(crate) mod home;
pub(crate) mod kernel;
pub(crate) mod namespaces;
pub(crate) mod painter;
pub(crate) mod picture;
pub(crate) mod process;
pub(crate) mod session;
pub(crate) mod site;
pub(crate) mod tools;
pub(crate) mod tree;
pub(crate) mod viewer;
pub(crate) mod wait;

//! `treevnc demo`: a made-up presenter, a root and some nodes on this machine.

pub(crate) mod scene;

//! TreeVNC's protocol without I/O: no runtime, no socket, no thread, no clock. Bytes and times come in as arguments,
//! messages and deadlines go out as values, so everything here is tested without a network.
//!
//! `rfb` is RFC 6143 in both roles, `zrle` the picture codec, `log` the live updates of a screen, `tree` the messages and
//! state machines of the distribution tree.

pub mod framebuffer;
pub mod geometry;
pub mod log;
pub mod pixel;
pub mod rfb;
pub mod tiles;
pub mod tree;
pub mod update;
pub mod view;
pub mod wire;
pub mod zrle;

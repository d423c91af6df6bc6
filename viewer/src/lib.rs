//! TreeVNC viewer.

pub mod ask;
pub mod canvas;
pub mod find;
pub mod metrics;
pub mod node;
pub mod picture;
pub mod playback;
pub mod share;
pub mod text;
pub mod window;

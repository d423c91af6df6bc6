//! TreeVNC viewer.

pub mod canvas;
pub mod text;

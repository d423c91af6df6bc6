//! TreeVNC viewer.

pub mod canvas;
pub mod find;
pub mod text;

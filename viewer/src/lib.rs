//! TreeVNC viewer.

pub mod canvas;
pub mod find;
pub mod picture;
pub mod text;
pub mod window;

//! TreeVNC viewer.

//! TreeVNC root.

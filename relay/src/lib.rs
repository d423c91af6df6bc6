//! TreeVNC relay.

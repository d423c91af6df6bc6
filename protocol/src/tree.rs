//! The distribution tree: messages, the root's topology and a node's membership.

//! treevnc
fn main() {}

#![no_main]
#[allow(dead_code)]
#[path = "../../protocol/tests/oracles/mod.rs"]
mod oracles;

libfuzzer_sys::fuzz_target!(|data: &[u8]| oracles::server_messages(data));

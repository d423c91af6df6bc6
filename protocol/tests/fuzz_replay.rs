//! Runs the fuzz oracles on the inputs that fuzzing found (fuzz/kept/TARGET/*), on small seeds, and on damaged copies of both.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "only tests call what stands here")]

mod oracles;

use std::path::Path;

fn kept(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/kept").join(target);
    let mut files: Vec<_> = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    files.sort();
    files.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

#[test]
fn no_kept_or_damaged_input_breaks_an_oracle() {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).unwrap()
    };
    for (target, oracle) in oracles::ALL {
        let inputs = kept(target);
        assert!(!inputs.is_empty(), "fuzz/kept/{target} has no input");
        for input in inputs {
            oracle(&input);
            for _ in 0..50 {
                let mut damaged = input.clone();
                if damaged.is_empty() {
                    break;
                }
                for _ in 0..1 + random() % 3 {
                    let at = random() % damaged.len();
                    damaged[at] = u8::try_from(random() % 256).unwrap();
                }
                damaged.truncate(1 + random() % damaged.len());
                oracle(&damaged);
            }
        }
    }
}

#[test]
fn every_oracle_is_a_fuzz_target() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/fuzz_targets");
    for (target, _) in oracles::ALL {
        assert!(folder.join(format!("{target}.rs")).exists(), "{target}");
    }
}

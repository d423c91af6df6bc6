//! Which outside programs are there; a directory per test; a bound on how many sessions run at once.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Whether all these programs are installed. In CI (`CI=true`) a missing one is a failure, elsewhere the caller skips its test.
pub(crate) fn have(programs: &[&str]) -> bool {
    let missing: Vec<_> = programs.iter().filter(|program| find(program).is_none()).collect();
    if missing.is_empty() {
        return true;
    }
    skip(&format!("not installed: {missing:?} (scripts/test names the packages)"));
    false
}

/// Says why a test can not run here; in CI that is a failure.
pub(crate) fn skip(reason: &str) {
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{reason}");
    eprintln!("skipped: {reason}");
}

/// Whether this is the superuser (network namespaces need it).
pub(crate) fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|metadata| std::os::unix::fs::MetadataExt::uid(&metadata) == 0)
}

fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let places = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
    places.map(|place: PathBuf| place.join(program)).find(|file| file.is_file())
}

/// Runs a program to its end and returns what it printed; panics when it fails.
pub(crate) fn run(program: &str, args: &[&str]) -> String {
    let output = Command::new(program).args(args).output().unwrap_or_else(|error| panic!("{program}: {error}"));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {args:?} failed: {stderr}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A number that no other test of this machine uses at the moment: process and count.
pub(crate) fn unique() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("{:x}-{:x}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// A directory that is removed with its owner.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    /// Makes a new one.
    pub(crate) fn new() -> Self {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(unique());
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// A file's path in it.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Writes a file and returns its path.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.file(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// The directory.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Room on the machine: sessions of many processes take turns, so that they do not starve each other (and the test that measures
/// runs alone).
pub(crate) struct Turn(u32);

static TAKEN: Mutex<u32> = Mutex::new(0);
static FREED: Condvar = Condvar::new();
const ROOM: u32 = 2;

impl Turn {
    /// Waits for half of the machine.
    pub(crate) fn half() -> Self {
        Self::take(1)
    }

    /// Waits for the whole machine.
    pub(crate) fn whole() -> Self {
        Self::take(ROOM)
    }

    fn take(share: u32) -> Self {
        let mut taken = FREED.wait_while(lock(), |taken| *taken + share > ROOM).unwrap_or_else(PoisonError::into_inner);
        *taken += share;
        Self(share)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        *lock() -= self.0;
        FREED.notify_all();
    }
}

fn lock() -> MutexGuard<'static, u32> {
    TAKEN.lock().unwrap_or_else(PoisonError::into_inner)
}

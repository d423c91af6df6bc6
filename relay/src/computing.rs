//! Where large computations run: not on a thread that other tasks wait for.

use tokio::runtime::{Handle, RuntimeFlavor};

/// Runs `work` here and now. When it is large, the thread's other tasks are first given to another thread; a runtime of one thread has no
/// other. Handing over takes longer than small work does, and the work itself never waits for it.
pub fn computing<T>(is_large: bool, work: impl FnOnce() -> T) -> T {
    let has_threads = || Handle::try_current().is_ok_and(|handle| handle.runtime_flavor() == RuntimeFlavor::MultiThread);
    if is_large && has_threads() { tokio::task::block_in_place(work) } else { work() }
}

//! Threads that give way: receiving has the CPUs first, because GREEN-API waits for its answer.

/// From 0 (equal to everything else) to 19.
const NICENESS: i32 = 10;

/// Lets everything else go first where the CPUs are busy. It holds for the calling thread alone.
pub(super) fn give_way() {
    #[cfg(target_os = "linux")]
    {
        // Linux keeps it for each thread. Where it is refused, all are equal.
        let _ = rustix::process::setpriority_process(Some(rustix::thread::gettid()), NICENESS);
    }
}

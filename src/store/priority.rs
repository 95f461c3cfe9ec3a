//! Lowers the CPU priority of threads, so that receiving comes first: GREEN-API is waiting for its response.

/// Niceness, from 0 (the default) to 19 (the lowest priority).
const NICENESS: i32 = 10;

/// Lowers the priority of the calling thread, and of no other thread.
pub fn give_way() {
    #[cfg(target_os = "linux")]
    {
        // On Linux the priority is per thread. If the call fails, all threads have equal priority.
        let _ = rustix::process::setpriority_process(Some(rustix::thread::gettid()), NICENESS);
    }
}

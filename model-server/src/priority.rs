//! Which threads come first on a busy core.

/// How far sessions stand back, from 0 to 19. They take all the time there is; the threads that read and answer requests
/// need little of it, but at once (measured under ten times the load that can be served: a refusal takes 0.35 ms in place
/// of 2.5, at the 99th percentile 8 in place of 45). Further back, another busy program would leave them too little.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

/// Has this thread stand back behind the others of the process, where the system knows priorities of threads.
pub(crate) fn stand_back() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
        tracing::debug!(%error, "failed to lower the priority of a session's thread");
    }
}

//! What ends a run early: Ctrl-C, and what batch systems, containers and terminals that close send.

use signal_hook::{
    consts::{SIGINT, SIGTERM},
    flag,
};
use std::{
    fs, io,
    sync::{Arc, atomic::AtomicBool},
};

#[cfg(unix)]
const HANG_UP: Option<i32> = Some(signal_hook::consts::SIGHUP);
#[cfg(not(unix))]
const HANG_UP: Option<i32> = None;

/// Has the first of these signals set `interrupted`, and the second end the program at once, with exit code 1.
pub(super) fn watch(interrupted: &Arc<AtomicBool>) -> io::Result<()> {
    let hang_up = HANG_UP.filter(|signal| !is_ignored(*signal));
    for signal in [SIGINT, SIGTERM].into_iter().chain(hang_up) {
        // In this order: it is the second that finds the flag set.
        flag::register_conditional_shutdown(signal, 1, Arc::clone(interrupted))?;
        flag::register(signal, Arc::clone(interrupted))?;
    }
    Ok(())
}

/// Whether the program was started so that it should live on through this signal, as `nohup` does; told by Linux alone.
fn is_ignored(signal: i32) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask & (1 << (signal - 1)) != 0)
}

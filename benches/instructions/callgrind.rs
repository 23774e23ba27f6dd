//! Has Callgrind count the instructions of a path.

use std::{path::Path, process::Command};

/// How many instructions this path takes inside [`counted`](crate::counted).
///
/// # Errors
/// If there is no Valgrind, or it does not count anything.
pub(crate) fn count(path: &str) -> Result<u64, String> {
    let program = std::env::current_exe().map_err(|error| format!("cannot find myself: {error}"))?;
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("callgrind.{}.out", path.replace(' ', "_")));
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--toggle-collect=*instructions*::counted"])
        .arg(format!("--callgrind-out-file={}", file.display()))
        .arg(program)
        .args(["--run", path])
        // The allocator returns memory by the clock unless told not to.
        .env("MIMALLOC_PURGE_DELAY", "-1")
        .output()
        .map_err(|error| format!("cannot run valgrind, which does the counting: {error}"))?;
    if !output.status.success() {
        return Err(format!("{path}: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr)));
    }
    let text = std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    let total =
        text.lines().find_map(|line| line.strip_prefix("summary: ")).and_then(|total| total.trim().parse().ok());
    total.filter(|&total| total > 0).ok_or_else(|| format!("{path}: callgrind has counted nothing"))
}

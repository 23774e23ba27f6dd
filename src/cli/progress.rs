//! How far a run has come, on the terminal.

use crate::study::Progress;
use indicatif::{ProgressBar, ProgressStyle};
use std::{
    io::{self, IsTerminal},
    time::{Duration, Instant},
};

/// Runs shorter than this show no progress.
const PATIENCE: Duration = Duration::from_secs(1);

/// Progress on stderr if it is a terminal and `visible`; for a run that began at `started`.
pub(super) fn on_stderr(visible: bool, started: Instant) -> impl FnMut(Progress) + Send + Unpin + 'static {
    let mut bar = (visible && io::stderr().is_terminal()).then(|| Bar { started, bar: None });
    move |progress| {
        if let Some(bar) = &mut bar {
            bar.show(progress);
        }
    }
}

/// A bar over the slots of all cases, with the time that is left.
struct Bar {
    started: Instant,
    bar: Option<ProgressBar>,
}

impl Bar {
    fn show(&mut self, Progress { case, cases, slot, slots }: Progress) {
        let elapsed = self.started.elapsed();
        if elapsed < PATIENCE {
            return;
        }
        let bar = self.bar.get_or_insert_with(|| {
            let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} slots, {eta} left")
                .expect("the template is well-formed");
            ProgressBar::new(u64::from(cases) * u64::from(slots)).with_style(style).with_elapsed(elapsed)
        });
        bar.set_message(format!("case {case}/{cases}"));
        bar.set_position(u64::from(case - 1) * u64::from(slots) + u64::from(slot));
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

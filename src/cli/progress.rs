//! How far a run or a verification has come, on the terminal.

use crate::{ledger::verify, study::Progress};
use indicatif::{HumanDuration, ProgressBar, ProgressFinish, ProgressStyle};
use std::{
    io::{self, IsTerminal},
    time::{Duration, Instant},
};

/// Runs shorter than this show no progress.
const PATIENCE: Duration = Duration::from_secs(1);

/// Progress of a study that begins now, on stderr if it is a terminal and `visible`.
pub(super) fn on_stderr(visible: bool) -> impl FnMut(Progress) + Send + 'static {
    let mut bar = Bar::new(visible, "slots");
    move |Progress { cases_done, cases, slots_done, slots, slots_kept }| {
        bar.show(format!("{cases_done}/{cases} cases"), slots_done, slots, slots_kept);
    }
}

/// Progress of a ledger's verification that begins now, on stderr if it is a terminal.
pub(super) fn of_verification() -> impl FnMut(verify::Progress) {
    let mut bar = Bar::new(true, "blocks");
    move |verify::Progress { case, cases, done, blocks }| bar.show(format!("case {case}/{cases}"), done, blocks, 0)
}

/// A bar over all cases or one, with the time that is left.
struct Bar {
    visible: bool,
    started: Instant,
    things: &'static str,
    bar: Option<ProgressBar>,
}

impl Bar {
    #[expect(clippy::disallowed_methods, reason = "the time that is left follows from the time that was taken")]
    fn new(visible: bool, things: &'static str) -> Self {
        Self { visible: visible && io::stderr().is_terminal(), started: Instant::now(), things, bar: None }
    }

    /// Shows that so many things are `done`, of which `kept` were there before.
    fn show(&mut self, message: String, done: u64, of: u64, kept: u64) {
        if !self.visible {
            return;
        }
        let elapsed = self.started.elapsed();
        if elapsed < PATIENCE {
            return;
        }
        let bar = self.bar.get_or_insert_with(|| {
            let template = format!("{{msg}} {{wide_bar}} {{pos}}/{{len}} {}, {{prefix}} left", self.things);
            let style = ProgressStyle::with_template(&template).expect("the template is well-formed");
            ProgressBar::new(of).with_style(style).with_elapsed(elapsed).with_finish(ProgressFinish::AndClear)
        });
        bar.set_message(message);
        let left = left(elapsed, done - kept, of - done);
        bar.set_prefix(left.map_or_else(|| "?".to_owned(), |left| format!("{:#}", HumanDuration(left))));
        bar.set_length(of);
        bar.set_position(done);
    }
}

/// The time for what is `left` to do, at the mean speed of what was `done` in the time `elapsed`; `None` as long as that
/// is nothing.
fn left(elapsed: Duration, done: u64, left: u64) -> Option<Duration> {
    (done > 0).then(|| elapsed.mul_f64(left as f64 / done as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_there_before_says_nothing_about_speed() {
        let elapsed = Duration::from_secs(10);
        // 90 of 100 slots were there, 2 have been closed since: 8 are left at a slot in five seconds.
        assert_eq!(left(elapsed, 92 - 90, 100 - 92), Some(Duration::from_secs(40)));
        assert_eq!(left(elapsed, 0, 10), None);
        assert_eq!(left(elapsed, 10, 0), Some(Duration::ZERO));
    }
}

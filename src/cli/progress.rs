//! How far a run or a verification has come, on the terminal.

use crate::{ledger::verify, study::Progress};
use indicatif::{ProgressBar, ProgressStyle};
use std::{
    io::{self, IsTerminal},
    time::{Duration, Instant},
};

/// Runs shorter than this show no progress.
const PATIENCE: Duration = Duration::from_secs(1);

/// Progress of a study on stderr if it is a terminal and `visible`; for one that began at `started`.
pub(super) fn on_stderr(visible: bool, started: Instant) -> impl FnMut(Progress) + Send + Unpin + 'static {
    let mut bar = Bar::new(visible, started, "slots");
    move |Progress { cases_done, cases, slots_done, slots }| {
        bar.show(format!("{cases_done}/{cases} cases"), slots_done, slots);
    }
}

/// Progress of a ledger's verification on stderr if it is a terminal; for one that began at `started`.
pub(super) fn of_verification(started: Instant) -> impl FnMut(verify::Progress) {
    let mut bar = Bar::new(true, started, "blocks");
    move |verify::Progress { case, cases, done, blocks }| bar.show(format!("case {case}/{cases}"), done, blocks)
}

/// A bar over all cases or one, with the time that is left.
struct Bar {
    visible: bool,
    started: Instant,
    things: &'static str,
    bar: Option<ProgressBar>,
}

impl Bar {
    fn new(visible: bool, started: Instant, things: &'static str) -> Self {
        Self { visible: visible && io::stderr().is_terminal(), started, things, bar: None }
    }

    fn show(&mut self, message: String, done: u64, of: u64) {
        if !self.visible {
            return;
        }
        let elapsed = self.started.elapsed();
        if elapsed < PATIENCE {
            return;
        }
        let bar = self.bar.get_or_insert_with(|| {
            let template = format!("{{msg}} {{wide_bar}} {{pos}}/{{len}} {}, {{eta}} left", self.things);
            let style = ProgressStyle::with_template(&template).expect("the template is well-formed");
            ProgressBar::new(of).with_style(style).with_elapsed(elapsed)
        });
        bar.set_message(message);
        bar.set_length(of);
        bar.set_position(done);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

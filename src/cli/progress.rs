//! How far a run or a verification has come: on a terminal as a bar, elsewhere as a line once a minute.

use crate::{ledger::verify, study::Progress};
use indicatif::{HumanDuration, ProgressBar, ProgressFinish, ProgressStyle};
use std::{
    io::{self, IsTerminal, Write},
    sync::mpsc::{self, Receiver, RecvTimeoutError, Sender},
    thread,
    time::{Duration, Instant},
};

/// Runs shorter than this show no bar.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often a line says how far it is, where there is no terminal.
const BETWEEN_LINES: Duration = Duration::from_secs(60);

/// Progress of a study that begins now, on stderr, if it is to be `visible`.
pub(super) fn on_stderr(visible: bool) -> impl FnMut(Progress) + Send + 'static {
    let mut shown = Shown::new(visible, "slots");
    move |Progress { cases_done, cases, slots_done, slots, slots_kept }| {
        shown.show(Stand { of: format!("{cases_done}/{cases} cases"), done: slots_done, all: slots, kept: slots_kept });
    }
}

/// Progress of a ledger's verification that begins now, on stderr.
pub(super) fn of_verification() -> impl FnMut(verify::Progress) {
    let mut shown = Shown::new(true, "blocks");
    move |verify::Progress { case, cases, done, blocks }| {
        shown.show(Stand { of: format!("case {case}/{cases}"), done, all: blocks, kept: 0 });
    }
}

/// So many things of `all` are done, of which `kept` were there before.
#[derive(Debug)]
struct Stand {
    of: String,
    done: u64,
    all: u64,
    kept: u64,
}

impl Stand {
    /// The time for what is left, at the mean speed of what was done in the time `elapsed`; `None` as long as that is
    /// nothing.
    fn left(&self, elapsed: Duration) -> Option<Duration> {
        let done = self.done - self.kept;
        (done > 0).then(|| elapsed.mul_f64((self.all - self.done) as f64 / done as f64))
    }

    /// `2/5 cases, 60/120 slots, 50 %, 4m 10s so far, 4m 10s left`.
    fn line(&self, things: &str, elapsed: Duration) -> String {
        let seconds = |time: Duration| humantime::format_duration(Duration::from_secs(time.as_secs())).to_string();
        let left = self.left(elapsed).map_or_else(|| "?".to_owned(), seconds);
        let percent = self.done * 100 / self.all.max(1);
        let Self { of, done, all, .. } = self;
        format!("{of}, {done}/{all} {things}, {percent} %, {} so far, {left} left", seconds(elapsed))
    }
}

/// Where progress is shown.
enum Shown {
    Nowhere,
    Bar {
        started: Instant,
        things: &'static str,
        bar: Option<ProgressBar>,
    },
    /// A thread says it from time to time, whether there is any progress or not, until this is dropped.
    Lines(Sender<Stand>),
}

impl Shown {
    fn new(visible: bool, things: &'static str) -> Self {
        match (visible, io::stderr().is_terminal()) {
            (false, _) => Self::Nowhere,
            (true, true) => Self::Bar { started: now(), things, bar: None },
            (true, false) => {
                let (sender, stands) = mpsc::channel();
                thread::spawn(move || say(&stands, things, BETWEEN_LINES, io::stderr()));
                Self::Lines(sender)
            }
        }
    }

    fn show(&mut self, stand: Stand) {
        match self {
            Self::Nowhere => {}
            Self::Bar { started, things, bar } => show(&stand, things, started.elapsed(), bar),
            // Who has nowhere to say it listens no more.
            Self::Lines(sender) => sender.send(stand).unwrap_or_default(),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the time that is left follows from the time that was taken")]
fn now() -> Instant {
    Instant::now()
}

/// Shows on a bar, which is made once there is reason to, how far it is.
fn show(stand: &Stand, things: &str, elapsed: Duration, bar: &mut Option<ProgressBar>) {
    if elapsed < PATIENCE {
        return;
    }
    let bar = bar.get_or_insert_with(|| {
        let template = format!("{{msg}} {{wide_bar}} {{pos}}/{{len}} {things}, {{prefix}} left");
        let style = ProgressStyle::with_template(&template).expect("the template is well-formed");
        ProgressBar::new(stand.all).with_style(style).with_elapsed(elapsed).with_finish(ProgressFinish::AndClear)
    });
    bar.set_message(stand.of.clone());
    let left = stand.left(elapsed);
    bar.set_prefix(left.map_or_else(|| "?".to_owned(), |left| format!("{:#}", HumanDuration(left))));
    bar.set_length(stand.all);
    bar.set_position(stand.done);
}

/// Says how far it is, a line each time that `between` has passed, until nobody tells any more or `out` takes no more.
fn say(stands: &Receiver<Stand>, things: &str, between: Duration, mut out: impl Write) {
    let (started, mut due, mut last) = (now(), between, None::<Stand>);
    loop {
        match stands.recv_timeout(due.saturating_sub(started.elapsed())) {
            Ok(stand) => last = Some(stand),
            Err(RecvTimeoutError::Disconnected) => return,
            Err(RecvTimeoutError::Timeout) => {}
        }
        let elapsed = started.elapsed();
        if elapsed >= due {
            due = elapsed + between;
            let line = last.as_ref().map_or_else(String::new, |stand| stand.line(things, elapsed) + "\n");
            if out.write_all(line.as_bytes()).is_err() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[test]
    fn what_was_there_before_says_nothing_about_speed() {
        let stand = |done, kept| Stand { of: "2/5 cases".to_owned(), done, all: 100, kept };
        let elapsed = Duration::from_millis(10_400);
        // 90 of 100 slots were there, 2 have been closed since: 8 are left at a slot in 5.2 seconds.
        assert_eq!(stand(92, 90).left(elapsed), Some(Duration::from_millis(41_600)));
        assert_eq!((stand(0, 0).left(elapsed), stand(100, 0).left(elapsed)), (None, Some(Duration::ZERO)));
        assert_eq!(stand(92, 90).line("slots", elapsed), "2/5 cases, 92/100 slots, 92 %, 10s so far, 41s left");
        assert_eq!(stand(7, 7).line("slots", elapsed), "2/5 cases, 7/100 slots, 7 %, 10s so far, ? left");
    }

    /// What several may write to and read.
    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Shared {
        /// The lines, once there are so many.
        fn lines(&self, count: usize) -> Vec<String> {
            loop {
                let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
                if text.lines().count() >= count {
                    return text.lines().map(str::to_owned).collect();
                }
                thread::sleep(Duration::from_millis(1));
            }
        }
    }

    #[test]
    fn it_is_said_again_and_again_where_nothing_moves_and_no_more_once_it_is_over() {
        let (sender, stands) = mpsc::channel();
        let said = Shared::default();
        let (out, between) = (said.clone(), Duration::from_millis(20));
        let thread = thread::spawn(move || say(&stands, "slots", between, out));
        for done in [1, 2] {
            sender.send(Stand { of: "0/1 cases".to_owned(), done, all: 4, kept: 0 }).unwrap();
        }
        let lines = said.lines(3);
        assert!(lines.iter().all(|line| line.starts_with("0/1 cases, 2/4 slots, 50 %, 0s so far, ")), "{lines:?}");
        drop(sender);
        thread.join().unwrap();
        let (sender, stands) = mpsc::channel();
        sender.send(Stand { of: "0/1 cases".to_owned(), done: 1, all: 4, kept: 0 }).unwrap();
        drop(sender);
        let said = Shared::default();
        say(&stands, "slots", Duration::from_secs(60), said.clone());
        assert!(said.0.lock().unwrap().is_empty(), "a short run says nothing");
    }
}

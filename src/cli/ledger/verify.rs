//! `sim ledger verify RUN`: counts of what was checked, and the first discrepancy.

use crate::{
    cli::{
        error::CliError,
        print, progress,
        table::{Table, key, words},
        text::count,
    },
    ledger::verify::{self, CaseReport, Report, VerifyError},
};
use std::{path::Path, time::Instant};

/// Verifies the ledger; prints what was covered, whether all of it is in order or not.
pub(super) fn verify(path: &Path) -> Result<(), CliError> {
    match verify::verify(path, &mut progress::of_verification(now())) {
        Ok(report) if report.cases.is_empty() => print(&format!("{} has no blocks yet\n", path.display())),
        Ok(report) => print(&format!("{}{} verifies\n", describe(&report), path.display())),
        Err(error) => {
            if let VerifyError::Discrepancy { so_far, .. } = &error {
                print(&describe(so_far))?;
            }
            Err(error.into())
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the command line measures how long it takes")]
fn now() -> Instant {
    Instant::now()
}

fn describe(report: &Report) -> String {
    report.cases.iter().map(describe_case).collect()
}

fn describe_case(report: &CaseReport) -> String {
    let CaseReport { case, scenario, genesis, closed, slots, bills, channels } = report;
    let table = Table::of(channels)
        .column(key(words("channel")), |of| of.channel.name())
        .column("blocks", |of| of.blocks)
        .column("transactions", |of| of.transactions())
        .column("valid", |of| of.valid)
        .column("invalid", |of| of.invalid)
        .column("signatures", |of| of.signatures)
        .column("facts", |of| of.facts);
    format!(
        "{scenario}, case {case}: {closed} of {} closed, {} derived once more\ngenesis {genesis}\n\n{}\n",
        count(*slots as usize, "slot"),
        count(usize::try_from(*bills).unwrap_or(usize::MAX), "bill"),
        table.draw(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cli::text::plain,
        ledger::fixtures::{day::day, file},
    };

    #[test]
    fn counts_read_like_this() {
        let report = verify::verify(&file(&[day()]).path, &mut |_| {}).unwrap();
        insta::assert_snapshot!(plain(&describe(&report)));
    }
}

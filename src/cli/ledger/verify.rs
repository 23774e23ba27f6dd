//! `sim ledger verify RUN`: counts of what was checked, and the first discrepancy.

use crate::{
    cli::{
        error::CliError,
        print, progress,
        table::{columns, table},
        text::count,
    },
    ledger::verify::{self, CaseReport, Report, VerifyError},
};
use microgrid_agents::ids::ChannelName;
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
            Err(CliError::Unverified(error))
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
    let header = ["channel", "blocks", "transactions", "valid", "invalid", "signatures", "facts"];
    let rows = ChannelName::ALL.iter().zip(channels).map(|(name, channel)| {
        let numbers =
            [channel.blocks, channel.transactions(), channel.valid, channel.invalid, channel.signatures, channel.facts];
        std::iter::once(name.name().to_owned()).chain(numbers.map(|number| number.to_string())).collect()
    });
    format!(
        "{scenario}, case {case}: {closed} of {} closed, {} derived once more\ngenesis {genesis}\n\n{}\n",
        count(*slots as usize, "slot"),
        count(usize::try_from(*bills).unwrap_or(usize::MAX), "bill"),
        table(columns(header, &[0]), rows),
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

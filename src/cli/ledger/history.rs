//! What has stood under a key.

use crate::{
    cli::error::CliError,
    ledger::{query::CaseState, reader::Reader},
};
use microgrid_agents::chain::{fact::Key, transaction::Version};

/// Every fact that has stood under a key, oldest first, each with the transaction that wrote it.
pub(super) fn history(reader: &Reader, case: u32, key: Key) -> Result<String, CliError> {
    let mut text = format!("case {case}, {key}\n");
    let history = CaseState { reader, case }.history(key)?;
    if history.is_empty() {
        text += "nothing has ever stood here\n";
    }
    for (Version(block, transaction), fact) in history {
        let (channel, fact) = (key.channel().name(), fact.to_json());
        text += &format!("{channel} block {block}, transaction {transaction}: {fact}\n");
    }
    text.push('\n');
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::fixtures::{day::day, file};

    #[test]
    fn a_history_reads_like_this() {
        let ledger = file(&[day()]);
        let reader = Reader::open(&ledger.path).unwrap();
        let text = history(&reader, 1, Key::Quote(1, 1)).unwrap() + &history(&reader, 1, Key::Bill(2, 2, 1)).unwrap();
        insta::assert_snapshot!(text);
    }
}

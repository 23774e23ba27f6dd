//! Tables of channels and of their blocks.

use crate::{
    cli::{
        error::CliError,
        table::{columns, table},
    },
    ledger::{
        position::Position,
        reader::{ReadError, Reader},
    },
};
use microgrid_agents::{ids::ChannelName, time::Time};

/// Of hashes, tables show so many digits.
const DIGITS: usize = 16;

/// One line a channel: how many blocks and transactions it has, their size, and the hash of its newest block.
pub(super) fn channels(reader: &Reader, case: u32) -> Result<String, CliError> {
    let header = ["channel", "blocks", "transactions", "valid", "bytes", "head"];
    let mut rows = Vec::new();
    for channel in ChannelName::ALL {
        let sql = "SELECT count(*), count(*) FILTER (WHERE code = 'Valid'), coalesce(sum(octet_length(envelope)), 0)
                   FROM transactions WHERE case_number = ?1 AND channel = ?2";
        let connection = reader.connection();
        let numbers: [i64; 3] = connection
            .query_row(sql, (case, channel.name()), |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?]))
            .map_err(ReadError::from)?;
        let sql = "SELECT count(*), (SELECT lower(hex(header_hash)) FROM blocks
                       WHERE case_number = ?1 AND channel = ?2 ORDER BY number DESC LIMIT 1)
                   FROM blocks WHERE case_number = ?1 AND channel = ?2";
        let (blocks, head): (i64, Option<String>) = connection
            .query_row(sql, (case, channel.name()), |row| Ok((row.get(0)?, row.get(1)?)))
            .map_err(ReadError::from)?;
        let mut row = vec![channel.name().to_owned(), blocks.to_string()];
        row.extend(numbers.map(|number| number.to_string()));
        row.push(head.unwrap_or_default().chars().take(DIGITS).collect());
        rows.push(row);
    }
    Ok(format!("case {case}\n\n{}", table(columns(header, &[0, 5]), rows)))
}

/// One line a block of a channel.
pub(super) fn blocks(reader: &Reader, case: u32, channel: ChannelName) -> Result<String, CliError> {
    let header = ["block", "position", "cut at", "transactions", "valid", "bytes", "header hash"];
    let sql = "SELECT blocks.number, position, time_ns, count(code), count(*) FILTER (WHERE code = 'Valid'),
                   coalesce(sum(octet_length(envelope)), 0), lower(hex(header_hash))
               FROM blocks LEFT JOIN transactions
                   ON transactions.case_number = ?1 AND transactions.channel = ?2 AND block = blocks.number
               WHERE blocks.case_number = ?1 AND blocks.channel = ?2
               GROUP BY blocks.number ORDER BY blocks.number";
    let mut statement = reader.connection().prepare(sql).map_err(ReadError::from)?;
    let line = |row: &rusqlite::Row<'_>| -> rusqlite::Result<Vec<String>> {
        let number = |index| row.get(index).map(|number: i64| number.to_string());
        let time = Time(u64::try_from(row.get::<_, i64>(2)?).unwrap_or(0)).to_string();
        let hash = row.get::<_, String>(6)?.chars().take(DIGITS).collect();
        Ok(vec![number(0)?, number(1)?, time, number(3)?, number(4)?, number(5)?, hash])
    };
    let rows: Result<Vec<_>, _> =
        statement.query_map((case, channel.name()), line).and_then(Iterator::collect).map_err(ReadError::from);
    let place = Position::channel(case, channel);
    Ok(format!("{place}\n\n{}\n", table(columns(header, &[6]), rows?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cli::text::plain,
        ledger::fixtures::{day::day, file},
    };

    #[test]
    fn channels_and_blocks_read_like_this() {
        let ledger = file(&[day()]);
        let reader = Reader::open(&ledger.path).unwrap();
        let blocks = blocks(&reader, 1, ChannelName::Information).unwrap();
        insta::assert_snapshot!(plain(&(channels(&reader, 1).unwrap() + "\n" + &blocks)));
    }
}

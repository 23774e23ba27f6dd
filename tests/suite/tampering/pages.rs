//! Where in a SQLite file the bytes of each value lie, by the file format alone: <https://www.sqlite.org/fileformat2.html>.

use rusqlite::Connection;
use std::path::Path;

/// A row of a table or an entry of an index.
#[derive(Debug)]
pub(crate) struct Record {
    /// Name of the table or index.
    pub(crate) of: String,
    /// Of each column, where its bytes lie in the file; none if the record's header alone tells its value.
    pub(crate) columns: Vec<Vec<usize>>,
}

/// All records of a database that stands alone in its file, those of its schema too.
pub(crate) fn records(path: &Path) -> Vec<Record> {
    let database = Connection::open(path).unwrap();
    let mut query = database.prepare("SELECT name, rootpage FROM sqlite_schema WHERE rootpage > 0").unwrap();
    let roots = query.query_map([], |row| Ok((row.get(0)?, row.get::<_, u32>(1)? as usize))).unwrap();
    let roots: Vec<(String, usize)> = roots.map(Result::unwrap).collect();
    let pages = Pages::new(std::fs::read(path).unwrap());
    let schema = ("sqlite_schema".to_owned(), 1);
    let trees = std::iter::once(schema).chain(roots);
    trees
        .flat_map(|(of, root)| pages.tree(root).into_iter().map(move |columns| Record { of: of.clone(), columns }))
        .collect()
}

struct Pages {
    bytes: Vec<u8>,
    size: usize,
    usable: usize,
}

/// A number of variable length, and how many bytes it has.
fn variable(bytes: impl IntoIterator<Item = u8>) -> (usize, usize) {
    let mut value = 0;
    for (n, byte) in bytes.into_iter().enumerate() {
        value = value << 7 | usize::from(byte & 0x7f);
        if byte < 0x80 {
            return (value, n + 1);
        }
    }
    panic!("a number ends before its bytes do")
}

impl Pages {
    fn new(bytes: Vec<u8>) -> Self {
        let size = usize::from(u16::from_be_bytes([bytes[16], bytes[17]]));
        Self { size, usable: size - usize::from(bytes[20]), bytes }
    }

    fn short(&self, at: usize) -> usize {
        usize::from(u16::from_be_bytes([self.bytes[at], self.bytes[at + 1]]))
    }

    fn long(&self, at: usize) -> usize {
        self.short(at) << 16 | self.short(at + 2)
    }

    fn variable(&self, at: &mut usize) -> usize {
        let (value, length) = variable(self.bytes[*at..].iter().copied());
        *at += length;
        value
    }

    /// Where the columns of all records of a tree lie.
    fn tree(&self, page: usize) -> Vec<Vec<Vec<usize>>> {
        let start = (page - 1) * self.size;
        let header = if page == 1 { 100 } else { start };
        let (interior, of_table) = match self.bytes[header] {
            0x02 => (true, false),
            0x05 => (true, true),
            0x0a => (false, false),
            0x0d => (false, true),
            kind => panic!("page {page} is of kind {kind}"),
        };
        let pointers = header + if interior { 12 } else { 8 };
        let mut records = Vec::new();
        for n in 0..self.short(header + 3) {
            let mut at = start + self.short(pointers + 2 * n);
            if interior {
                records.extend(self.tree(self.long(at)));
                at += 4;
            }
            if !(interior && of_table) {
                let length = self.variable(&mut at);
                if of_table {
                    self.variable(&mut at);
                }
                records.push(self.columns(&self.payload(at, length, of_table)));
            }
        }
        if interior {
            records.extend(self.tree(self.long(header + 8)));
        }
        records
    }

    /// Where the bytes of a record lie: the first in its page, the others in a chain of pages of their own.
    fn payload(&self, at: usize, length: usize, of_table: bool) -> Vec<usize> {
        let most = if of_table { self.usable - 35 } else { (self.usable - 12) * 64 / 255 - 23 };
        let least = (self.usable - 12) * 32 / 255 - 23;
        let fitting = least + length.saturating_sub(least) % (self.usable - 4);
        let local = match length {
            _ if length <= most => length,
            _ if fitting <= most => fitting,
            _ => least,
        };
        let mut places: Vec<usize> = (at..at + local).collect();
        let mut link = at + local;
        while places.len() < length {
            link = (self.long(link) - 1) * self.size;
            places.extend(link + 4..link + 4 + (length - places.len()).min(self.usable - 4));
        }
        places
    }

    /// Divides a record into its columns.
    fn columns(&self, payload: &[usize]) -> Vec<Vec<usize>> {
        let byte = |place: &usize| self.bytes[*place];
        let (header, mut at) = variable(payload.iter().map(byte));
        let mut from = header;
        let mut columns = Vec::new();
        while at < header {
            let (kind, length) = variable(payload[at..].iter().map(byte));
            at += length;
            let size = match kind {
                0 | 8 | 9 => 0,
                1..=4 => kind,
                5 => 6,
                6 | 7 => 8,
                _ => (kind - 12) / 2,
            };
            columns.push(payload[from..from + size].to_vec());
            from += size;
        }
        columns
    }
}

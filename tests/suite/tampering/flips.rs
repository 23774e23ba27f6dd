//! Single bytes, flipped at places that a seed has drawn.

use super::{File, content, every_post, finished_run, pages::records};
use rand::RngExt;
use rand_xoshiro::{Xoshiro256PlusPlus, rand_core::SeedableRng};
use rusqlite::types::Value;
use std::{
    fs,
    io::{Seek, SeekFrom, Write},
    num::NonZero,
    path::Path,
    thread,
};

/// Bytes of one kind.
#[derive(Debug)]
struct Stratum {
    name: &'static str,
    places: Vec<usize>,
    /// How many of them are to be flipped.
    flips: usize,
    /// Whether they are bytes of values: what is there matters, and every change of it must be found.
    matters: bool,
}

/// A byte that is changed, and whether that is found.
#[derive(Clone, Copy, Debug)]
struct Flip {
    stratum: usize,
    place: usize,
    mask: u8,
    found: bool,
}

/// The strata of a ledger, `flips` in each, and three times as many anywhere in the file.
fn strata(file: &File, flips: usize) -> Vec<Stratum> {
    let bytes = fs::read(&file.path).unwrap();
    let records = records(&file.path);
    let of = |wanted: fn(&str) -> bool, columns: std::ops::Range<usize>| -> Vec<usize> {
        let records = records.iter().filter(|record| wanted(&record.of));
        let columns = records.flat_map(|record| &record.columns[columns.start..columns.end.min(record.columns.len())]);
        columns.flatten().copied().collect()
    };
    let signatures = records.iter().filter(|record| record.of == "transactions").flat_map(|record| {
        let envelope = &record.columns[5];
        let text: Vec<u8> = envelope.iter().map(|&place| bytes[place]).collect();
        let text = String::from_utf8(text).expect("an envelope is text");
        let label = r#""signature":""#;
        let starts: Vec<usize> = text.match_indices(label).map(|(at, _)| at + label.len()).collect();
        starts.into_iter().flat_map(|start| envelope[start..start + 128].to_vec())
    });
    let value = |name, places| Stratum { name, places, flips, matters: true };
    let strata = vec![
        value("blocks", of(|name| name == "blocks", 0..9)),
        value("transactions: which", of(|name| name == "transactions", 0..4)),
        value("transactions: codes", of(|name| name == "transactions", 4..5)),
        value("transactions: envelopes", of(|name| name == "transactions", 5..6)),
        value("signatures", signatures.collect()),
        value("facts: keys", of(|name| name == "facts", 0..3)),
        value("facts: values", of(|name| name == "facts", 3..4)),
        value("facts: versions", of(|name| name == "facts", 4..6)),
        value("checkpoints", of(|name| name == "checkpoints", 0..3)),
        value("indexes", of(|name| name.starts_with("sqlite_autoindex"), 0..6)),
        value("schema", of(|name| name == "sqlite_schema", 0..5)),
        Stratum { name: "file header", places: (0..100).collect(), flips, matters: false },
        Stratum { name: "anywhere", places: (0..bytes.len()).collect(), flips: 3 * flips, matters: false },
    ];
    assert_texts_lie_there(file, &strata, &bytes);
    strata
}

/// The bytes of values are those of the rows, as the database itself has them.
fn assert_texts_lie_there(file: &File, strata: &[Stratum], bytes: &[u8]) {
    let database = rusqlite::Connection::open(&file.path).unwrap();
    for (name, texts) in [
        ("transactions: codes", "SELECT code FROM transactions ORDER BY rowid"),
        ("transactions: envelopes", "SELECT envelope FROM transactions ORDER BY rowid"),
        ("facts: values", "SELECT value FROM facts ORDER BY rowid"),
        ("checkpoints", "SELECT content || signature FROM checkpoints"),
    ] {
        let mut query = database.prepare(texts).unwrap();
        let texts: String = query.query_map([], |row| row.get::<_, String>(0)).unwrap().map(Result::unwrap).collect();
        let stratum = strata.iter().find(|stratum| stratum.name == name).unwrap();
        assert!(stratum.places.iter().map(|&place| bytes[place]).eq(texts.bytes()), "{name}");
    }
}

/// Draws the flips of all strata.
fn draw(strata: &[Stratum]) -> Vec<Flip> {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(2023);
    let mut flips = Vec::new();
    for (stratum, Stratum { places, flips: count, .. }) in strata.iter().enumerate() {
        for _ in 0..*count {
            let place = places[random.random_range(0..places.len())];
            flips.push(Flip { stratum, place, mask: random.random_range(1..=255), found: false });
        }
    }
    flips
}

/// Changes a byte of the file, and back again.
fn change(path: &Path, Flip { place, mask, .. }: Flip, original: &[u8]) -> impl FnOnce() + use<> {
    let mut file = fs::OpenOptions::new().write(true).open(path).unwrap();
    let mut put = move |byte| {
        file.seek(SeekFrom::Start(place as u64)).unwrap();
        file.write_all(&[byte]).unwrap();
    };
    let before = original[place];
    put(before ^ mask);
    move || put(before)
}

/// Tries flips one after the other, each on the file as it was.
fn attempt(flips: &mut [Flip], original: &[u8], says: &[Vec<Value>]) {
    let file = File::new(original);
    for flip in flips {
        let undo = change(&file.path, *flip, original);
        flip.found = file.verify().is_err();
        if !flip.found {
            assert!(content(&file.path).is_ok_and(|content| content == says), "{flip:?} changes what the ledger says");
        }
        undo();
        // A changed header may ask for a write-ahead log.
        for beside in ["ledger.db-wal", "ledger.db-shm"] {
            let _ = fs::remove_file(file.folder.path().join(beside));
        }
    }
    assert!(fs::read(&file.path).unwrap() == original, "a verification leaves the file as it is");
}

fn assert_every_flip_is_found_or_harmless(original: &[u8], flips_each: usize) {
    let file = File::new(original);
    file.verify().unwrap_or_else(|error| panic!("{error}"));
    let says = content(&file.path).unwrap();
    let strata = strata(&file, flips_each);
    let mut flips = draw(&strata);
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let share = flips.len().div_ceil(threads);
    thread::scope(|scope| {
        for part in flips.chunks_mut(share) {
            scope.spawn(|| attempt(part, original, &says));
        }
    });
    for (number, Stratum { name, matters, .. }) in strata.iter().enumerate() {
        let of_stratum: Vec<&Flip> = flips.iter().filter(|flip| flip.stratum == number).collect();
        let missed: Vec<&&Flip> = of_stratum.iter().filter(|flip| !flip.found).collect();
        let found = of_stratum.len() - missed.len();
        println!("{name:25} {:5} flips, {found:5} found, {:5} harmless", of_stratum.len(), missed.len());
        assert!(!matters || missed.is_empty(), "{name}: {missed:?} are not found");
        assert!(found > 0, "{name}");
    }
}

#[test]
fn every_flipped_byte_is_found_or_changes_nothing_that_the_ledger_says() {
    assert_every_flip_is_found_or_harmless(every_post(), 180);
}

#[test]
fn so_it_is_where_only_last_posts_are_on_the_chain() {
    assert_every_flip_is_found_or_harmless(&finished_run("Last"), 60);
}

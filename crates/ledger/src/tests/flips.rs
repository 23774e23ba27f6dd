//! Single bytes of the file, flipped.

use super::{File, day::day, file};
use crate::reader::{ReadError, Reader};
use std::fs;

/// Everything that a ledger says, as one text.
fn content(file: &File) -> String {
    let reader = Reader::open(&file.path).unwrap();
    let mut text = format!("{:?}", reader.checkpoints().unwrap());
    reader
        .each_block(1, |block| -> Result<(), ReadError> {
            text += &format!("{block:?}");
            Ok(())
        })
        .unwrap();
    reader
        .each_fact(1, |fact| -> Result<(), ReadError> {
            text += &format!("{fact:?}");
            Ok(())
        })
        .unwrap();
    text
}

#[test]
fn a_flipped_byte_is_found_or_changes_nothing_that_the_ledger_says() {
    let file = file(&[day()]);
    let original = fs::read(&file.path).unwrap();
    let said = content(&file);
    let (mut found, mut harmless) = (0, 0);
    for place in (0..original.len()).step_by(original.len() / 600) {
        let mut bytes = original.clone();
        bytes[place] ^= 1 << (place % 8);
        fs::write(&file.path, bytes).unwrap();
        match file.verify() {
            Ok(_) => {
                assert_eq!(content(&file), said, "byte {place} was flipped");
                harmless += 1;
            }
            Err(_) => found += 1,
        }
    }
    assert!(found > 100 && harmless > 0, "{found} found, {harmless} in free space");
}

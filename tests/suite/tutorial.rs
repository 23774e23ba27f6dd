//! The tutorial's commands run from top to bottom in a fresh checkout, and print what it says they print.

use crate::support::{checkout, repository};
use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// A fenced block: the words behind its fence, and the lines in it.
#[derive(Debug)]
struct Block {
    words: Vec<String>,
    text: String,
}

fn blocks(document: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for line in document.lines() {
        open = match (open.take(), line.strip_prefix("```")) {
            (None, Some(words)) => {
                Some(Block { words: words.split_whitespace().map(str::to_owned).collect(), text: String::new() })
            }
            (Some(block), Some(_)) => {
                blocks.push(block);
                None
            }
            (Some(block), None) => Some(Block { text: block.text + line + "\n", ..block }),
            (None, None) => None,
        };
    }
    assert!(open.is_none(), "a block is not closed");
    blocks
}

/// The path for programs with `sim` on it, and nothing in front of it.
fn search_path() -> OsString {
    let sim = Path::new(env!("CARGO_BIN_EXE_sim")).parent().expect("the program lies in a folder").to_owned();
    let rest = env::var_os("PATH").unwrap_or_default();
    let all: Vec<PathBuf> = [sim].into_iter().chain(env::split_paths(&rest)).collect();
    env::join_paths(all).expect("folders can be joined")
}

/// Runs the commands of a block; they end at the first that fails.
fn play(commands: &str, folder: &Path) -> Output {
    let mut shell = Command::new("sh");
    shell.args(["-euc", commands]).current_dir(folder).env("PATH", search_path());
    for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "RUST_LOG"] {
        shell.env_remove(name);
    }
    shell.output().expect("there is a shell")
}

/// Runs all commands of a document in a fresh checkout, writes its files, and looks for what it says is printed. Tells how
/// many blocks of commands and how many printed lines there are.
fn perform(document: &str) -> (usize, usize) {
    let folder = checkout();
    let (mut printed, mut run, mut quoted) = (String::new(), 0, 0);
    for Block { words, text } in blocks(document) {
        match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            ["sh", ref how @ ..] => {
                let output = play(&text, folder.path());
                printed = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
                let expected = if how == ["fails"] { 2 } else { 0 };
                assert_eq!(output.status.code(), Some(expected), "{text}{printed}");
                run += 1;
            }
            ["text"] => {
                for line in text.lines() {
                    assert!(printed.contains(line), "{line:?} is not printed, but\n{printed}");
                    quoted += 1;
                }
            }
            [_, file] => fs::write(folder.path().join(file), text).expect("the file is written"),
            _ => panic!("a block that is neither commands, nor what they print, nor a file: {words:?}"),
        }
    }
    (run, quoted)
}

#[cfg(unix)]
#[test]
fn the_tutorial_runs_from_top_to_bottom_and_prints_what_it_says() {
    let document = fs::read_to_string(repository("docs/tutorial.md")).expect("there is a tutorial");
    let (run, quoted) = perform(&document);
    assert!(run >= 14 && quoted >= 26, "{run} blocks of commands and {quoted} lines of what they print");
}

#[cfg(unix)]
#[test]
fn the_readme_goes_from_meters_to_a_bill() {
    let document = fs::read_to_string(repository("README.md")).expect("there is a README");
    let (_, story) = document.split_once("## From meters to a bill").expect("the README tells of it");
    let (story, _) = story.split_once("\n## ").expect("another section follows");
    assert_eq!(perform(story), (3, 20));
}

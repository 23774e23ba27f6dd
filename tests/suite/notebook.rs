//! The notebook's snippets run against real output, and what they assert holds.

use crate::support::{Python, repository};
use assert_cmd::Command;
use std::fs;

/// The contents of the notebook's code blocks in this language.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let opening = format!("```{language}\n");
    let parts = text.split(&opening).skip(1);
    parts.map(|part| part.split("```").next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn the_notebook_s_snippets_run_on_what_the_program_leaves() {
    let text = fs::read_to_string(repository("examples/notebook.md")).unwrap();
    let snippets = blocks(&text, "python");
    assert!(snippets.len() >= 6 && snippets.iter().all(|snippet| snippet.contains("assert ")));
    let Some(python) = Python::with("pandas, polars, pyarrow") else { return };
    let folder = tempfile::tempdir().unwrap();
    let scenarios = repository("scenarios").display().to_string();
    let commands = blocks(&text, "sh").concat();
    let commands: Vec<&str> = commands.lines().filter_map(|line| line.strip_prefix("sim ")).collect();
    assert_eq!(commands.len(), 2);
    for arguments in commands {
        let arguments = arguments.split_whitespace().map(|part| part.replace("scenarios/", &format!("{scenarios}/")));
        Command::new(env!("CARGO_BIN_EXE_sim")).args(arguments).arg("-q").current_dir(folder.path()).assert().success();
    }
    let said = python.run(&snippets.join("\n"), [], folder.path());
    assert!(said.contains("0.768"), "the article's table is shown");
}

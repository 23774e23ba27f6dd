//! The notebook's snippets run against real output, and what they assert holds.

use crate::support::repository;
use assert_cmd::Command;
use std::{fs, path::Path, process::Output};

/// The interpreter of CI is named by this variable; without it, the machine's own has to do.
const PYTHON: &str = "NOTEBOOK_PYTHON";

/// The contents of the notebook's code blocks in this language.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let opening = format!("```{language}\n");
    let parts = text.split(&opening).skip(1);
    parts.map(|part| part.split("```").next().unwrap_or_default().to_owned()).collect()
}

fn python(interpreter: &str, script: &str, folder: &Path) -> Option<Output> {
    let mut command = std::process::Command::new(interpreter);
    command.args(["-c", script]).current_dir(folder).output().ok()
}

/// An interpreter with the packages that the notebook imports; `None` if there is none, unless one was named.
fn interpreter() -> Option<String> {
    let named = std::env::var(PYTHON).ok();
    let interpreter = named.clone().unwrap_or_else(|| "python3".to_owned());
    let tried = python(&interpreter, "import pandas, polars, pyarrow", Path::new("."));
    let found = tried.is_some_and(|output| output.status.success());
    assert!(found || named.is_none(), "{interpreter} lacks pandas, polars or pyarrow");
    found.then_some(interpreter)
}

#[test]
fn the_notebook_s_snippets_run_on_what_the_program_leaves() {
    let text = fs::read_to_string(repository("examples/notebook.md")).unwrap();
    let snippets = blocks(&text, "python");
    assert!(snippets.len() >= 6 && snippets.iter().all(|snippet| snippet.contains("assert ")));
    let Some(interpreter) = interpreter() else {
        eprintln!("skipped: no python3 with pandas, polars and pyarrow; {PYTHON} may name one");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let scenarios = repository("scenarios").display().to_string();
    let commands = blocks(&text, "sh").concat();
    let commands: Vec<&str> = commands.lines().filter_map(|line| line.strip_prefix("sim ")).collect();
    assert_eq!(commands.len(), 2);
    for arguments in commands {
        let arguments = arguments.split_whitespace().map(|part| part.replace("scenarios/", &format!("{scenarios}/")));
        Command::new(env!("CARGO_BIN_EXE_sim")).args(arguments).arg("-q").current_dir(folder.path()).assert().success();
    }
    let output = python(&interpreter, &snippets.join("\n"), folder.path()).unwrap();
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}\n{}", said(&output.stdout), said(&output.stderr));
    assert!(said(&output.stdout).contains("0.768"), "the article's table is shown");
}

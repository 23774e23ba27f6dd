//! The committed counts, and how others compare with them.

use comfy_table::{CellAlignment, Table, presets::NOTHING};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, error::Error, fmt, path::PathBuf, process::Command};

/// A path may take so much more than in the baseline.
const MOST_GROWTH: f64 = 0.05;

const ACCEPT: &str = "cargo bench --bench instructions -- --accept";

/// How many instructions each path takes.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Counts {
    /// With which compiler, for which machine: another one's counts say nothing about a change of the code.
    pub(crate) toolchain: String,
    /// By the names of the paths.
    pub(crate) paths: BTreeMap<String, u64>,
}

impl Counts {
    fn file() -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("benches/instructions/baseline.json")
    }

    /// The committed counts.
    pub(crate) fn load() -> Result<Self, Box<dyn Error>> {
        Ok(serde_json::from_slice(&std::fs::read(Self::file())?)?)
    }

    /// Makes these the ones to be committed.
    pub(crate) fn save(&self) -> Result<(), Box<dyn Error>> {
        Ok(std::fs::write(Self::file(), serde_json::to_string_pretty(self)? + "\n")?)
    }
}

/// The release of the compiler, its LLVM and its machine.
pub(crate) fn toolchain() -> Result<String, Box<dyn Error>> {
    let output = Command::new("rustc").arg("-vV").output()?;
    let text = String::from_utf8(output.stdout)?;
    let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).map(str::trim).ok_or("an odd rustc");
    Ok(format!("rustc {}, LLVM {}, {}", field("release:")?, field("LLVM version:")?, field("host:")?))
}

/// Counts beside those of the baseline, if there is one.
#[derive(Debug)]
pub(crate) struct Comparison<'a> {
    pub(crate) before: Option<&'a Counts>,
    pub(crate) now: &'a Counts,
}

impl Comparison<'_> {
    /// Whether the two can be compared, have the same paths, and none has grown by too much.
    pub(crate) fn holds(&self) -> bool {
        self.complaints().is_empty()
    }

    fn complaints(&self) -> Vec<String> {
        let Some(before) = self.before else { return Vec::new() };
        if before.toolchain != self.now.toolchain {
            return vec![format!(
                "The baseline was counted with {}, but this is {}: the two cannot be compared.\n\
                 Count a commit whose speed is known to be good with this toolchain, and accept that: {ACCEPT}",
                before.toolchain, self.now.toolchain,
            )];
        }
        let of_now = self.now.paths.iter().filter_map(|(path, &count)| match before.paths.get(path) {
            None => Some(format!("`{path}` is not in the baseline")),
            Some(&old) if growth(old, count) > MOST_GROWTH => {
                Some(format!("`{path}` has grown by {:.1} %", 100.0 * growth(old, count)))
            }
            Some(_) => None,
        });
        let gone = before.paths.keys().filter(|path| !self.now.paths.contains_key(*path));
        let mut complaints: Vec<String> = of_now.chain(gone.map(|path| format!("`{path}` is gone"))).collect();
        if !complaints.is_empty() {
            complaints.push(format!(
                "At most {:.0} % more than in the baseline is allowed. Where the instructions go: callgrind_annotate on \
                 the files {}/callgrind.*.out\nIf it is worth it: {ACCEPT}",
                100.0 * MOST_GROWTH,
                env!("CARGO_TARGET_TMPDIR"),
            ));
        }
        complaints
    }
}

fn growth(before: u64, now: u64) -> f64 {
    now as f64 / before as f64 - 1.0
}

impl fmt::Display for Comparison<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new();
        table.load_style(NOTHING).set_header(["path", "baseline", "now", "change"]);
        for (path, &count) in &self.now.paths {
            let before = self.before.and_then(|before| before.paths.get(path).copied());
            let text = before.map_or(String::new(), |before| before.to_string());
            let change = before.map_or(String::new(), |before| format!("{:+.1} %", 100.0 * growth(before, count)));
            table.add_row([path.clone(), text, count.to_string(), change]);
        }
        table.column_iter_mut().skip(1).for_each(|column| column.set_cell_alignment(CellAlignment::Right));
        writeln!(f, "{table}")?;
        self.complaints().iter().try_for_each(|complaint| write!(f, "\n{complaint}"))
    }
}

//! Where a run's results go, `<root>/<scenario name>/<start time>-seed<seed>/`, and how files change there: at any
//! moment a reader finds one that is whole.

use super::error::RecordError;
use microgrid_scenario::{DataFile, files};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, DeserializeOwned, MapAccess, SeqAccess, Visitor},
};
use std::{
    collections::BTreeSet,
    fmt,
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, BufWriter, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    time::SystemTime,
};

/// The link to a scenario's newest run.
pub const LATEST: &str = "latest";
/// Where a run's folder keeps the scenario's data files.
pub(super) const DATA: &str = "data";
/// The largest file that is read as one text [bytes], as large as a data file may be.
const LARGEST_TEXT: u64 = 2 << 30;

/// Makes a new folder for a run that started at `started`, and never takes one that is already there.
pub(super) fn create(root: &Path, scenario: &str, started: SystemTime, seed: u64) -> Result<PathBuf, RecordError> {
    let home = root.join(scenario);
    fs::create_dir_all(&home).map_err(RecordError::file("create", &home))?;
    let time = humantime::format_rfc3339_seconds(started).to_string().replace(':', "-");
    let mut name = format!("{time}-seed{seed}");
    for attempt in 2_u32.. {
        let folder = home.join(&name);
        match fs::create_dir(&folder) {
            Ok(()) => return Ok(folder),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => name = format!("{time}-seed{seed}-{attempt}"),
            Err(error) => return Err(RecordError::file("create", &folder)(error)),
        }
    }
    unreachable!("a folder name is free among four billion")
}

/// Points the scenario's `latest` to the run in `folder`, without a moment at which it points nowhere.
pub(super) fn point_latest(folder: &Path) -> Result<(), RecordError> {
    let name = folder.file_name().expect("a run's folder has a name");
    let home = folder.parent().expect("a run's folder lies in its scenario's folder");
    let link = home.join(LATEST);
    let fresh = home.join(format!(".{LATEST}-{}", name.display()));
    symlink(Path::new(name), &fresh).map_err(RecordError::file("link", &fresh))?;
    replace(&fresh, &link)
}

/// Puts `fresh` in the place of `path`, or removes it where that cannot be.
fn replace(fresh: &Path, path: &Path) -> Result<(), RecordError> {
    fs::rename(fresh, path).map_err(|error| {
        remove(fresh);
        RecordError::file("replace", path)(error)
    })
}

/// Removes what is of no use any more; where it cannot be removed, it does no harm.
fn remove(path: &Path) {
    if let Err(error) = fs::remove_file(path) {
        tracing::debug!(path = %path.display(), %error, "a file was left behind");
    }
}

#[cfg(unix)]
fn symlink(target: &Path, link: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, link)
}

#[cfg(windows)]
fn symlink(target: &Path, link: &Path) -> io::Result<()> {
    std::os::windows::fs::symlink_dir(target, link)
}

/// Writes a scenario's data files into the run's folder; returns their paths in it.
pub(super) fn write_inputs(inputs: &[DataFile], folder: &Path) -> Result<Vec<String>, RecordError> {
    let data = folder.join(DATA);
    if !inputs.is_empty() {
        fs::create_dir(&data).map_err(RecordError::file("create", &data))?;
    }
    let write = |input: &DataFile| {
        write_new(&data.join(&input.name), &input.text)?;
        Ok(format!("{DATA}/{}", input.name))
    };
    inputs.iter().map(write).collect()
}

pub(super) fn write_new(path: &Path, text: &str) -> Result<(), RecordError> {
    fs::write(path, text).map_err(RecordError::file("write", path))
}

/// Writes `value` as JSON, replacing what was there in one step, so that a reader finds the old or the new whole.
pub(super) fn write_json(path: &Path, value: &impl Serialize) -> Result<(), RecordError> {
    write_whole(path, |file| {
        serde_json::to_writer_pretty(&mut *file, value).map_err(RecordError::content(path))?;
        file.write_all(b"\n").map_err(RecordError::file("write", path))
    })
}

/// Writes a file with `fill`, replacing what was there in one step, so that a reader finds the old or the new whole.
pub(super) fn write_whole(
    path: &Path,
    fill: impl FnOnce(&mut BufWriter<File>) -> Result<(), RecordError>,
) -> Result<(), RecordError> {
    let mut name = path.file_name().expect("a file has a name").to_owned();
    name.push(".new");
    let fresh = path.with_file_name(name);
    // What was left there, or is no file at all.
    fs::remove_file(&fresh).ok();
    let written = || {
        let mut file = BufWriter::new(File::create(&fresh).map_err(RecordError::file("write", &fresh))?);
        fill(&mut file)?;
        file.flush().map_err(RecordError::file("write", &fresh))
    };
    written().inspect_err(|_| remove(&fresh))?;
    replace(&fresh, path)
}

/// Cuts off what follows the first `length` bytes of a file, and opens it to go on there.
pub(super) fn cut(path: &Path, length: u64) -> Result<File, RecordError> {
    let open = || {
        let mut file = OpenOptions::new().write(true).open(path)?;
        let long_enough = file.metadata()?.len() >= length;
        if long_enough {
            file.set_len(length)?;
            file.seek(SeekFrom::Start(length))?;
        }
        Ok((file, long_enough))
    };
    let (file, long_enough) = open().map_err(RecordError::file("open", path))?;
    if long_enough { Ok(file) } else { Err(RecordError::Short { path: path.to_owned(), length }) }
}

/// Claims the run in `folder` for whoever writes it, until the file that this returns is dropped or the program ends.
pub(super) fn claim(folder: &Path) -> Result<File, RecordError> {
    let path = folder.join(super::SCENARIO);
    let file = open(&path)?;
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Err(RecordError::UnderWay(folder.to_owned())),
        // Some file systems know no locks.
        Ok(()) | Err(TryLockError::Error(_)) => Ok(file),
    }
}

/// A run's own folder, where `folder` may be a link to it that will lead elsewhere later.
pub(super) fn own(folder: &Path) -> PathBuf {
    match (fs::read_link(folder), folder.parent()) {
        (Ok(target), Some(home)) => home.join(target),
        _ => folder.to_owned(),
    }
}

/// Opens a file to read it: a plain one, since others may have no end, or never answer.
pub(super) fn open(path: &Path) -> Result<File, RecordError> {
    files::open(path).map_err(RecordError::file("open", path))
}

pub(super) fn read_text(path: &Path) -> Result<String, RecordError> {
    files::read_text(path, LARGEST_TEXT).map_err(RecordError::file("read", path))
}

pub(super) fn read_bytes(path: &Path) -> Result<Vec<u8>, RecordError> {
    files::read(path, LARGEST_TEXT).map_err(RecordError::file("read", path))
}

pub(super) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, RecordError> {
    let text = read_text(path)?;
    let distinct = serde_json::from_str(&text).map(|Distinct| ());
    distinct.and_then(|()| serde_json::from_str(&text)).map_err(RecordError::damaged(path))
}

/// Any JSON in which no map has a key twice; of two, the types that are read would take the last one.
struct Distinct;

impl<'de> Deserialize<'de> for Distinct {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for Distinct {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self, A::Error> {
        while list.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self, A::Error> {
        let mut keys = BTreeSet::new();
        while let Some(key) = map.next_key::<String>()? {
            if !keys.insert(key.clone()) {
                return Err(de::Error::custom(format!("`{key}` is given twice")));
            }
            map.next_value::<Self>()?;
        }
        Ok(self)
    }
}

/// A JSON list as a file that grows; its text is always that of the whole list printed at once.
#[derive(Debug)]
pub(super) struct JsonList {
    path: PathBuf,
    file: File,
    /// Where the text ends that stays when the list grows [bytes]: behind the opening bracket or the last item.
    pub(super) end: u64,
}

impl JsonList {
    pub(super) fn create(path: &Path) -> Result<Self, RecordError> {
        let file = File::create_new(path).map_err(RecordError::file("create", path))?;
        let mut list = Self { path: path.to_owned(), file, end: 0 };
        list.write("[", "]\n")?;
        Ok(list)
    }

    /// Opens the list in a file to go on behind its first `end` bytes; what follows them is cut off.
    pub(super) fn reopen(path: &Path, end: u64) -> Result<Self, RecordError> {
        let file = cut(path, end)?;
        let mut list = Self { path: path.to_owned(), file, end };
        list.write("", if end == 1 { "]\n" } else { "\n]\n" })?;
        Ok(list)
    }

    pub(super) fn push(&mut self, item: &impl Serialize) -> Result<(), RecordError> {
        let alone = serde_json::to_string_pretty(&[item]).map_err(RecordError::content(&self.path))?;
        let item = alone.trim_start_matches('[').trim_end_matches("\n]");
        let comma = if self.end == 1 { "" } else { "," };
        self.write(&format!("{comma}{item}"), "\n]\n")
    }

    /// Appends all items of such a list in another file, as they stand there and without keeping them in memory.
    pub(super) fn append_from(&mut self, path: &Path) -> Result<(), RecordError> {
        let mut other = open(path)?;
        let length = other.metadata().map_err(RecordError::file("read", path))?.len();
        let (open, close) = ("[\n", "\n]\n");
        let Some(items) = length.checked_sub((open.len() + close.len()) as u64) else { return Ok(()) };
        let comma = if self.end == 1 { "\n" } else { ",\n" };
        let copied = (|| {
            self.file.seek(SeekFrom::Start(self.end))?;
            self.file.write_all(comma.as_bytes())?;
            other.seek(SeekFrom::Start(open.len() as u64))?;
            let copied = io::copy(&mut other.take(items), &mut self.file)?;
            self.file.write_all(close.as_bytes())?;
            Ok(copied)
        })();
        self.end += comma.len() as u64 + copied.map_err(RecordError::file("write", &self.path))?;
        Ok(())
    }

    /// Writes `text` behind what stays and then what closes the list, in one piece, so that the list is whole whoever
    /// ends the program.
    fn write(&mut self, text: &str, closing: &str) -> Result<(), RecordError> {
        self.file
            .seek(SeekFrom::Start(self.end))
            .and_then(|_| self.file.write_all(format!("{text}{closing}").as_bytes()))
            .map_err(RecordError::file("write", &self.path))?;
        self.end += text.len() as u64;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn folders_are_never_taken_twice() {
        let root = tempfile::tempdir().unwrap();
        let started = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_359_313);
        let names: Vec<_> = (0..3)
            .map(|_| create(root.path(), "day", started, 7).unwrap().file_name().unwrap().display().to_string())
            .collect();
        assert_eq!(
            names,
            ["2026-11-22T14-55-13Z-seed7", "2026-11-22T14-55-13Z-seed7-2", "2026-11-22T14-55-13Z-seed7-3"]
        );
    }

    #[test]
    fn latest_follows_the_newest_run_by_a_relative_link() {
        let root = tempfile::tempdir().unwrap();
        for (seconds, name) in [(0, "1970-01-01T00-00-00Z-seed1"), (1, "1970-01-01T00-00-01Z-seed1")] {
            let started = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
            point_latest(&create(root.path(), "day", started, 1).unwrap()).unwrap();
            assert_eq!(fs::read_link(root.path().join("day/latest")).unwrap(), Path::new(name));
        }
        assert_eq!(fs::read_dir(root.path().join("day")).unwrap().count(), 3);
    }

    #[test]
    fn what_cannot_be_replaced_stays_and_nothing_is_left_beside_it() {
        let root = tempfile::tempdir().unwrap();
        let run = create(root.path(), "day", SystemTime::UNIX_EPOCH, 1).unwrap();
        let latest = root.path().join("day/latest");
        fs::create_dir(&latest).unwrap();
        assert!(matches!(point_latest(&run), Err(RecordError::File { action: "replace", path, .. }) if path == latest));
        assert!(matches!(write_json(&latest, &1), Err(RecordError::File { action: "replace", .. })));
        assert_eq!(fs::read_dir(root.path().join("day")).unwrap().count(), 2, "the run and the folder in the way");
    }

    #[test]
    fn json_with_a_key_twice_is_refused_wherever_it_stands() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.json");
        let read = |text: &str| {
            fs::write(&path, text).unwrap();
            read_json::<serde_json::Value>(&path).map_err(|error| error.to_string())
        };
        let fine = r#"{"a": [1, -1, 0.5, null, true, "x", {"a": {}, "b": {"a": []}}], "b": {}}"#;
        assert_eq!(read(fine), Ok(serde_json::from_str(fine).unwrap()));
        for (text, place) in [
            (r#"{"a": 1, "a": 1}"#, "`a` is given twice at line 1 column 12"),
            ("{\"a\": [\n {\"b\": 1, \"c\": 2, \"\\u0062\": 3}]}", "`b` is given twice at line 2 column 26"),
            (r#"[{"": {}, "": {}}]"#, "`` is given twice at line 1 column 12"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(place), "{error}");
        }
        let deep = "[".repeat(100_000);
        assert!(read(&deep).unwrap_err().contains("recursion limit"), "brackets within brackets end");
    }

    #[test]
    fn a_growing_list_is_at_any_time_what_a_whole_one_prints() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("list.json");
        let mut list = JsonList::create(&path).unwrap();
        let items = [vec![], vec!["[", "\n]"], vec!["x"]];
        for done in 0..=items.len() {
            let whole = serde_json::to_string_pretty(&items[..done]).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), format!("{whole}\n"));
            if let Some(item) = items.get(done) {
                list.push(item).unwrap();
            }
        }
    }

    #[test]
    fn a_list_takes_in_others_as_if_it_had_grown_by_their_items() {
        let folder = tempfile::tempdir().unwrap();
        let list = |name: &str, items: &[&str]| {
            let mut list = JsonList::create(&folder.path().join(name)).unwrap();
            items.iter().for_each(|item| list.push(item).unwrap());
            list
        };
        let mut whole = list("whole.json", &[]);
        for (name, items) in [("none", &[][..]), ("first", &["a", "\n]\n"]), ("none_again", &[]), ("second", &["b"])] {
            list(name, items);
            whole.append_from(&folder.path().join(name)).unwrap();
        }
        whole.push(&"c").unwrap();
        let text = serde_json::to_string_pretty(&["a", "\n]\n", "b", "c"]).unwrap() + "\n";
        assert_eq!(fs::read_to_string(folder.path().join("whole.json")).unwrap(), text);
    }

    #[test]
    fn a_list_that_is_cut_off_is_whole_and_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("list.json");
        let mut list = JsonList::create(&path).unwrap();
        let mut ends = vec![list.end];
        for item in ["a", "b", "c"] {
            list.push(&item).unwrap();
            ends.push(list.end);
        }
        for (kept, &end) in ends.iter().enumerate().rev() {
            let mut again = JsonList::reopen(&path, end).unwrap();
            let items = &["a", "b", "c"][..kept];
            assert_eq!(fs::read_to_string(&path).unwrap(), serde_json::to_string_pretty(items).unwrap() + "\n");
            again.push(&"d").unwrap();
            let items: Vec<_> = items.iter().chain(&["d"]).collect();
            assert_eq!(fs::read_to_string(&path).unwrap(), serde_json::to_string_pretty(&items).unwrap() + "\n");
        }
    }
}

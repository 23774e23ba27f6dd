//! Files as somebody gives them: whole and of a size that can be borne.

use super::error::most_like;
use std::{
    fs::{self, File},
    io::{self, ErrorKind, Read},
    path::{Path, PathBuf},
};

/// Fails if what is there is no file that has all it holds: a folder, or a device or pipe, which may never end or never
/// begin.
fn plain(path: &Path) -> io::Result<()> {
    let kind = fs::metadata(path)?.file_type();
    match () {
        () if kind.is_file() => Ok(()),
        () if kind.is_dir() => Err(io::Error::other("it is a folder")),
        () => Err(io::Error::other("it is a device, a pipe or a socket, not a file")),
    }
}

/// Opens a file for reading. Fails if it is none. Nor does reading wait: what a file does not have now, as some of the
/// system's, it does not give.
pub fn open(path: &Path) -> io::Result<File> {
    plain(path)?;
    let mut how = File::options();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut how, libc::O_NONBLOCK);
    how.read(true).open(path)
}

/// Writes a file, or what it holds from now on. Fails if something else is there: whoever opens a pipe waits for who reads
/// from it.
pub fn write(path: &Path, text: &str) -> io::Result<()> {
    if path.exists() {
        plain(path)?;
    }
    fs::write(path, text)
}

/// All that a file holds. Fails if that is more than so many bytes.
pub fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let file = open(path)?;
    let mut length = file.metadata()?.len();
    let mut bytes = Vec::new();
    if length <= most {
        // It may grow meanwhile.
        length = file.take(most + 1).read_to_end(&mut bytes)? as u64;
    }
    if length > most {
        let why = format!("it has {length} bytes or more, and no more than {most} are read of such a file");
        return Err(io::Error::new(ErrorKind::FileTooLarge, why));
    }
    Ok(bytes)
}

/// Why a file or folder cannot be had.
pub fn in_words(error: &io::Error) -> String {
    let words = match error.kind() {
        ErrorKind::NotFound => "there is no such file",
        ErrorKind::PermissionDenied => "it is not permitted",
        ErrorKind::WouldBlock => "it gives nothing to read, and whoever waited for it might wait for ever",
        ErrorKind::NotADirectory | ErrorKind::AlreadyExists => {
            "there is a file where a folder is to be: move it, or name another place"
        }
        ErrorKind::IsADirectory => "there is a folder where a file is to be: move it, or name another place",
        ErrorKind::StorageFull => "there is no room left on the disk",
        ErrorKind::ReadOnlyFilesystem => "nothing can be written there",
        // The system's words, without its number.
        _ => return error.to_string().split(" (os error").next().unwrap_or_default().to_owned(),
    };
    words.to_owned()
}

/// What is there in the place of a path that is not: the same but for capitals, or for slashes the other way round.
pub fn meant(path: &Path) -> Option<PathBuf> {
    if path.exists() {
        return None;
    }
    let mut found = PathBuf::new();
    for part in Path::new(&path.to_str()?.replace('\\', "/")).components() {
        let next = found.join(part);
        found = if next.exists() {
            next
        } else {
            let same = |name: &str| name.to_lowercase() == part.as_os_str().to_string_lossy().to_lowercase();
            let names = fs::read_dir(Path::new(".").join(&found)).ok()?.flatten().map(|entry| entry.file_name());
            found.join(names.filter(|name| name.to_str().is_some_and(same)).min()?)
        };
    }
    Some(found)
}

/// What in these folders `fits` and looks, but for the ending of its name, most like a path, if anything does.
pub fn similar(path: &Path, folders: &[&Path], fits: impl Fn(&Path) -> bool) -> Option<PathBuf> {
    fn stem(path: &Path) -> Option<&str> {
        path.file_stem()?.to_str()
    }
    let entries = folders.iter().flat_map(|folder| fs::read_dir(Path::new(".").join(folder))).flatten().flatten();
    let mut found: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| fits(path)).collect();
    found.sort();
    let closest = most_like(stem(path)?, found.iter().filter_map(|file| stem(file)))?;
    let closest = found.iter().find(|file| stem(file) == Some(closest))?;
    Some(closest.strip_prefix(".").unwrap_or(closest).to_owned())
}

/// The same as text. Fails if it is none.
pub fn read_text(path: &Path, most: u64) -> io::Result<String> {
    String::from_utf8(read(path, most)?).map_err(|error| io::Error::new(ErrorKind::InvalidData, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn no_error_is_told_by_its_number() {
        for number in 1..=133 {
            let said = in_words(&io::Error::from_raw_os_error(number));
            assert!(!said.is_empty() && !said.contains("os error"), "{number}: {said}");
        }
        for (number, begins) in [(libc::EISDIR, "there is a folder"), (libc::ENOSPC, "there is no room")] {
            assert!(in_words(&io::Error::from_raw_os_error(number)).starts_with(begins));
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn reading_never_waits() {
        use std::os::fd::AsRawFd;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.ron");
        fs::write(&path, "some text").unwrap();
        let file = open(&path).unwrap();
        let told = fs::read_to_string(format!("/proc/self/fdinfo/{}", file.as_raw_fd())).unwrap();
        let flags = told.lines().find_map(|line| line.strip_prefix("flags:")).unwrap().trim();
        let flags = i32::from_str_radix(flags, 8).unwrap();
        assert_eq!(flags & libc::O_NONBLOCK, libc::O_NONBLOCK, "{told}");
        assert_eq!(read_text(&path, 100).unwrap(), "some text", "a plain file gives all it has");
        let said = in_words(&ErrorKind::WouldBlock.into());
        assert!(said.starts_with("it gives nothing to read"), "{said}");
    }
}

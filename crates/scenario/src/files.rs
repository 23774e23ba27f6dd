//! Files as somebody gives them: whole and of a size that can be borne.

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Read},
    path::Path,
};

/// Opens a file for reading. Fails if it is none that has all it holds: a folder, or a device or pipe, which may never end
/// or never begin.
pub fn open(path: &Path) -> io::Result<File> {
    let kind = fs::metadata(path)?.file_type();
    let refused = match () {
        () if kind.is_file() => return File::open(path),
        () if kind.is_dir() => "it is a folder",
        () => "it is a device, a pipe or a socket, not a file",
    };
    Err(io::Error::other(refused))
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

/// The same as text. Fails if it is none.
pub fn read_text(path: &Path, most: u64) -> io::Result<String> {
    String::from_utf8(read(path, most)?).map_err(|error| io::Error::new(ErrorKind::InvalidData, error))
}

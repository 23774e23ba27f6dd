//! What a file or a text is that is neither a scenario nor a table, by how it begins.

/// What a file is that holds no text, by how it begins.
pub(super) fn kind_of_file(bytes: &[u8]) -> Option<&'static str> {
    const KINDS: &[(&[u8], &str)] = &[
        (b"PK\x03\x04", "a ZIP archive, as XLSX and ODS files are: save the table as CSV"),
        (b"\xd0\xcf\x11\xe0", "a file of an office program: save the table as CSV"),
        (b"\x1f\x8b", "compressed by gzip: unpack it first"),
        (b"BZh", "compressed by bzip2: unpack it first"),
        (b"\xfd7zXZ", "compressed by xz: unpack it first"),
        (b"\x28\xb5\x2f\xfd", "compressed by zstd: unpack it first"),
        (b"PAR1", "a Parquet file: save the table as CSV"),
        (b"SQLite format 3", "a SQLite database: save the table as CSV"),
        (b"%PDF", "a PDF file"),
        (b"\xff\xfe", "text in UTF-16: save it as UTF-8"),
        (b"\xfe\xff", "text in UTF-16: save it as UTF-8"),
    ];
    KINDS.iter().find(|(begins, _)| bytes.starts_with(begins)).map(|(_, kind)| *kind)
}

/// What a text that begins as no scenario does is, if it is known.
pub(super) fn kind_of_text(text: &str) -> Option<&'static str> {
    let is_remark = |line: &&str| line.trim().is_empty() || line.starts_with('#') && !line.starts_with("#![");
    let text = text.lines().find(|line| !is_remark(line))?.trim_start();
    let word = text.trim_start_matches(|c: char| c.is_alphanumeric() || "_-\"".contains(c));
    let has_name = word.len() < text.len();
    Some(match word.trim_start() {
        _ if text.starts_with('{') || text.starts_with("[{") => "JSON",
        _ if text.starts_with('<') && !text.starts_with("<<") => "XML",
        _ if ["---", "- ", "%YAML"].iter().any(|begins| text.starts_with(begins)) => "YAML",
        // Not of RON without its outermost brackets.
        _ if text.trim_end().ends_with([',', ')', '(']) => return None,
        _ if text.starts_with('[') && text[1..].starts_with(|c: char| c.is_alphanumeric() || c == '[') => "TOML",
        rest if has_name && rest.starts_with(':') => "YAML",
        rest if has_name && rest.starts_with('=') => "TOML",
        rest if has_name && rest.starts_with([',', ';', '\t']) => "a table",
        _ => return None,
    })
}

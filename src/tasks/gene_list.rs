//! Lists of genes from files.

use std::fs::File;
use std::io::{Read, Seek};
use std::path::Path;

use anyhow::{Context, ensure};
use flate2::read::MultiGzDecoder;

use crate::network::filter::GeneList;

/// Larger files are something else.
const LARGEST: u64 = 256 << 20;

/// The list in `path`, compressed (gzip) or not, named after the file: one symbol per line, or the regulators of a table
/// of edges.
///
/// # Errors
/// If the file cannot be read, is too large, or is no such list.
pub fn read(path: &Path) -> anyhow::Result<GeneList> {
    let mut file = File::open(path)?;
    let mut magic = Vec::new();
    Read::by_ref(&mut file).take(2).read_to_end(&mut magic)?;
    file.rewind()?;
    let mut bytes = Vec::new();
    if magic == [0x1f, 0x8b] {
        MultiGzDecoder::new(file).take(LARGEST + 1).read_to_end(&mut bytes).context("unpacking")?;
    } else {
        file.take(LARGEST + 1).read_to_end(&mut bytes)?;
    }
    ensure!(bytes.len() as u64 <= LARGEST, "it is larger than {} MB, which no list of genes is", LARGEST >> 20);
    let text = String::from_utf8(bytes).ok().context("it is no text; expected one symbol per line")?;
    let name = path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned());
    Ok(GeneList::parse(name, &text)?)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn lists_are_read_compressed_or_not() {
        let folder = tempfile::tempdir().unwrap();
        let (plain, packed) = (folder.path().join("tfs.txt"), folder.path().join("tfs.txt.gz"));
        std::fs::write(&plain, "STAT1\nIRF1\n").unwrap();
        let mut encoder = flate2::write::GzEncoder::new(File::create(&packed).unwrap(), flate2::Compression::fast());
        encoder.write_all(b"STAT1\nIRF1\n").unwrap();
        encoder.finish().unwrap();
        assert_eq!(read(&plain).unwrap().name(), "tfs.txt");
        assert_eq!(read(&plain).unwrap().genes(), read(&packed).unwrap().genes());
        std::fs::write(&plain, [0xff, 0xfe, 0x00]).unwrap();
        assert!(read(&plain).unwrap_err().to_string().contains("no text"));
    }
}

//! Opening: is it HDF5, and is all of it there?

use std::fs;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use super::H5adError;
use super::error::root_cause;

const SIGNATURE: [u8; 8] = *b"\x89HDF\r\n\x1a\n";
/// The superblock may follow a user block of 512 bytes or any power of two above.
const FIRST_USER_BLOCK: u64 = 512;
/// Chunks stay decompressed in memory up to this size, per array that is being read.
const CHUNK_CACHE_BYTES: usize = 32 << 20;

/// Whether the file at `path` starts as an HDF5 file does (after a user block, if any). False if it cannot be read.
pub fn looks_like_hdf5(path: &Path) -> bool {
    fs::File::open(path).is_ok_and(|mut file| matches!(find_superblock(&mut file), Ok(Some(_))))
}

/// Open `path` for reading, with errors that tell a damaged file from a foreign one.
pub(super) fn open(path: &Path) -> Result<hdf5::File, H5adError> {
    let io = |error: std::io::Error| H5adError::Open { reason: error.to_string() };
    let mut file = fs::File::open(path).map_err(io)?;
    let metadata = file.metadata().map_err(io)?;
    if metadata.is_dir() {
        return Err(H5adError::Open { reason: "it is a folder".to_owned() });
    }
    let Some(start) = find_superblock(&mut file).map_err(io)? else {
        return Err(H5adError::NotHdf5 { found: beginning(&mut file) });
    };
    if let Some(expected) = end_of_file(&mut file, start).map_err(io)?
        && metadata.len() < expected
    {
        return Err(H5adError::Truncated { found: metadata.len(), expected });
    }
    drop(file);
    let open = |locked: bool| {
        hdf5::File::with_options()
            .with_access_plist(|access| access.chunk_cache(12_421, CHUNK_CACHE_BYTES, 0.75).file_locking(locked))
            .open(path)
            .map_err(|error| root_cause(&error))
    };
    match open(true) {
        Err(reason) if reason.contains("lock file") && reason.contains("temporarily unavailable") => {
            Err(H5adError::Open { reason: "another program has it open for writing; close it there".to_owned() })
        }
        // Network file systems often cannot lock.
        Err(reason) if reason.contains("lock file") => open(false).map_err(|reason| H5adError::Open { reason }),
        other => other.map_err(|reason| H5adError::Open { reason }),
    }
}

fn find_superblock(file: &mut fs::File) -> std::io::Result<Option<u64>> {
    let length = file.metadata()?.len();
    let mut at = 0;
    while at + SIGNATURE.len() as u64 <= length {
        let mut bytes = [0; 8];
        file.seek(SeekFrom::Start(at))?;
        file.read_exact(&mut bytes)?;
        if bytes == SIGNATURE {
            return Ok(Some(at));
        }
        at = if at == 0 { FIRST_USER_BLOCK } else { at * 2 };
    }
    Ok(None)
}

/// The length that the superblock at `start` gives to the file; none for versions unknown to us.
fn end_of_file(file: &mut fs::File, start: u64) -> std::io::Result<Option<u64>> {
    let mut block = [0u8; 64];
    file.seek(SeekFrom::Start(start))?;
    let mut read = 0;
    while read < block.len() {
        match file.read(&mut block[read..])? {
            0 => break,
            more => read += more,
        }
    }
    // Positions of the size of addresses and of the first of base address, another address, end of file.
    let (size_at, first) = match block[8] {
        0 => (13, 24),
        1 => (13, 28),
        2 | 3 => (9, 12),
        _ => return Ok(None),
    };
    let size = usize::from(block[size_at]);
    if !matches!(size, 2 | 4 | 8) || read < first + 3 * size {
        return Ok(None);
    }
    let mut address = [0u8; 8];
    address[..size].copy_from_slice(&block[first + 2 * size..first + 3 * size]);
    Ok(Some(u64::from_le_bytes(address)))
}

fn beginning(file: &mut fs::File) -> String {
    let mut bytes = Vec::new();
    let read = file.seek(SeekFrom::Start(0)).and_then(|_| file.take(16).read_to_end(&mut bytes));
    match read {
        Ok(0) => "nothing (the file is empty)".to_owned(),
        Ok(_) => {
            let text: String =
                bytes.iter().flat_map(|byte| std::ascii::escape_default(*byte)).map(char::from).collect();
            format!("\"{text}\"")
        }
        Err(error) => error.to_string(),
    }
}

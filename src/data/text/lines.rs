//! Lines of a text file, compressed with gzip or not.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::rc::Rc;

use flate2::read::MultiGzDecoder;

use super::TextError;

/// A longer line is no line of a table: a million cells fit.
const LONGEST_LINE: usize = 256 << 20;
const BUFFER: usize = 1 << 18;
/// Gzip shrinks at most 1,032 to 1.
const MOST_COMPRESSION: u64 = 1_100;

/// The lines of a file in order, one at a time.
pub(super) struct Lines {
    reader: Box<dyn BufRead>,
    /// Bytes taken from the file so far.
    taken: Rc<Cell<u64>>,
    length: u64,
    compressed: bool,
    number: usize,
    line: Vec<u8>,
    name: String,
}

/// Counts what is read from the file, compressed as it is.
struct Counted {
    file: File,
    taken: Rc<Cell<u64>>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.taken.set(self.taken.get() + read as u64);
        Ok(read)
    }
}

impl Lines {
    /// Open `path`; gzip is known by its first bytes.
    pub(super) fn open(path: &Path) -> Result<Self, TextError> {
        let name = file_name(path);
        let failed = |error: io::Error| TextError::Read { file: name.clone(), reason: error.to_string() };
        let file = File::open(path).map_err(failed)?;
        let length = file.metadata().map_err(failed)?.len();
        let taken = Rc::new(Cell::new(0));
        let mut plain = BufReader::with_capacity(BUFFER, Counted { file, taken: taken.clone() });
        let compressed = plain.fill_buf().map_err(failed)?.starts_with(&[0x1f, 0x8b]);
        let reader: Box<dyn BufRead> = if compressed {
            Box::new(BufReader::with_capacity(BUFFER, MultiGzDecoder::new(plain)))
        } else {
            Box::new(plain)
        };
        Ok(Self { reader, taken, length, compressed, number: 0, line: Vec::new(), name })
    }

    /// The next line without its end; none after the last.
    pub(super) fn next(&mut self) -> Result<Option<&[u8]>, TextError> {
        self.line.clear();
        let read = (&mut self.reader).take(LONGEST_LINE as u64 + 1).read_until(b'\n', &mut self.line);
        match read {
            Err(error) => {
                let reason = if self.compressed {
                    format!("after line {} the gzip data are damaged or cut short ({error})", self.number)
                } else {
                    error.to_string()
                };
                return Err(TextError::Read { file: self.name.clone(), reason });
            }
            Ok(0) => return Ok(None),
            Ok(_) => {}
        }
        self.number += 1;
        if self.line.len() > LONGEST_LINE {
            return Err(TextError::unexpected(self.place(), "a line of over 256 MiB", "lines of a table"));
        }
        if self.number == 1 {
            if self.line.starts_with(&[0xff, 0xfe]) || self.line.starts_with(&[0xfe, 0xff]) {
                return Err(TextError::unexpected(self.name.clone(), "UTF-16 text", "UTF-8 text; save it as such"));
            }
            if self.line.starts_with(b"\xef\xbb\xbf") {
                self.line.drain(..3);
            }
        }
        while self.line.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
            self.line.pop();
        }
        Ok(Some(&self.line))
    }

    /// The next line that is not empty.
    pub(super) fn next_filled(&mut self) -> Result<Option<&[u8]>, TextError> {
        loop {
            match self.next()? {
                None => return Ok(None),
                Some(line) if line.iter().all(u8::is_ascii_whitespace) => {}
                Some(_) => return Ok(Some(&self.line)),
            }
        }
    }

    /// Name of the file.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Number of the line given last, from 1.
    pub(super) fn number(&self) -> usize {
        self.number
    }

    /// Where the line given last is.
    pub(super) fn place(&self) -> String {
        place(&self.name, self.number)
    }

    /// Share of the file that was read.
    pub(super) fn fraction(&self) -> f32 {
        self.taken.get() as f32 / self.length.max(1) as f32
    }

    /// More bytes of text than this cannot be in the file.
    pub(super) fn most_bytes(&self) -> u64 {
        if self.compressed { self.length.saturating_mul(MOST_COMPRESSION) } else { self.length }
    }
}

/// `matrix.mtx, line 3`.
pub(super) fn place(name: &str, line: usize) -> String {
    format!("{name}, line {line}")
}

/// The name of `path` without its folder.
pub(super) fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}

/// The first bytes of the text in `path`, decompressed: at most `most`.
pub(super) fn beginning(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut plain = BufReader::new(File::open(path)?);
    let mut start = Vec::new();
    if plain.fill_buf()?.starts_with(&[0x1f, 0x8b]) {
        // What can be read of a damaged file tells enough.
        let mut decoder = MultiGzDecoder::new(plain).take(most);
        match decoder.read_to_end(&mut start) {
            Err(error) if start.is_empty() => return Err(error),
            _ => {}
        }
    } else {
        plain.take(most).read_to_end(&mut start)?;
    }
    Ok(start)
}

//! The text of a file, compressed with gzip, in a zip archive, or plain.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::{DeflateDecoder, MultiGzDecoder};

use super::FormatError;

/// Text beyond this is no network that could be shown.
const MOST_BYTES: u64 = 1 << 30;
const MOST: &str = "1 GiB of text";

/// All text of `path`; of a zip archive the first file.
pub(in crate::network) fn text_of(path: &Path) -> Result<String, FormatError> {
    let mut file = BufReader::with_capacity(1 << 16, File::open(path)?);
    let start = file.fill_buf()?;
    if start.starts_with(&[0x1f, 0x8b]) {
        return text(MultiGzDecoder::new(file));
    }
    if start.starts_with(b"PK\x03\x04") {
        return text(first_of_zip(file)?);
    }
    text(file)
}

/// The first `most` bytes of the text of `path` (of a zip archive, of its first file), and whether there are more; no text
/// if it is none.
pub(super) fn beginning_of(path: &Path, most: usize) -> Result<(Option<String>, bool), FormatError> {
    let mut file = BufReader::with_capacity(1 << 16, File::open(path)?);
    let start = file.fill_buf()?;
    let reader: Box<dyn Read> = if start.starts_with(&[0x1f, 0x8b]) {
        Box::new(MultiGzDecoder::new(file))
    } else if start.starts_with(b"PK\x03\x04") {
        first_of_zip(file)?
    } else {
        Box::new(file)
    };
    let mut bytes = Vec::new();
    let mut reader = reader.take(most as u64 + 1);
    // What cannot be decompressed is no text.
    if reader.read_to_end(&mut bytes).is_err() || bytes.contains(&0) {
        return Ok((None, false));
    }
    let more = bytes.len() > most;
    bytes.truncate(most);
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let text = match std::str::from_utf8(text) {
        Ok(text) => text,
        // A letter cut in two at the end.
        Err(error) if more && error.valid_up_to() + 4 > text.len() => {
            std::str::from_utf8(&text[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return Ok((None, more)),
    };
    Ok((Some(text.to_owned()), more))
}

fn text(reader: impl Read) -> Result<String, FormatError> {
    let mut bytes = Vec::new();
    reader.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(FormatError::TooLarge { most: MOST });
    }
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(FormatError::unexpected("line 1", "UTF-16 text", "UTF-8 text; save it as such"));
    }
    let start = if bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    bytes.drain(..start);
    String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let line = 1 + error.as_bytes()[..good].iter().filter(|byte| **byte == b'\n').count();
        FormatError::unexpected(format!("line {line}"), "bytes that are no text", "UTF-8 text")
    })
}

/// The decompressed bytes of the first file of a zip archive.
fn first_of_zip(mut file: BufReader<File>) -> Result<Box<dyn Read>, FormatError> {
    let mut header = [0; 30];
    file.read_exact(&mut header)?;
    let number = |at: usize| u64::from(u16::from_le_bytes([header[at], header[at + 1]]));
    let (method, name, extra) = (number(8), number(26), number(28));
    std::io::copy(&mut (&mut file).take(name + extra), &mut std::io::sink())?;
    match method {
        8 => Ok(Box::new(DeflateDecoder::new(file))),
        0 => {
            let size = u32::from_le_bytes([header[18], header[19], header[20], header[21]]);
            Ok(Box::new(file.take(u64::from(size))))
        }
        _ => Err(FormatError::Syntax { format: "zip", reason: format!("compression method {method} is not known") }),
    }
}

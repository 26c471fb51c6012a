//! The saved file: `NAME.grn.json`.
//!
//! JSON, so that it can be read and compared; versioned, so that old files open for ever. A session refers to the data
//! set and the model by path and content hash; it never contains them. Paths are kept twice, absolute and relative to
//! the session's folder, so that a folder can be moved as a whole.

mod comparing;
mod dto;
mod filter;
mod migrate;
mod notes;
mod page;
mod paths;
pub mod recovery;
mod style;

use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use thiserror::Error;

use crate::document::Document;
use crate::files;

/// Extension of session files, without the first dot.
pub const EXTENSION: &str = "grn.json";
/// Key of the version; its presence makes a JSON file a session.
const VERSION_KEY: &str = "grn_explorer_session";
/// The version written.
const VERSION: u64 = 1;

/// Why a session cannot be opened or saved. The caller adds the file's name.
#[derive(Debug, Error)]
pub enum SessionError {
    /// The operating system said no.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// Some other file.
    #[error("this is not a session of GRN Explorer: {reason}")]
    NotASession {
        /// What was found instead.
        reason: String,
    },
    /// From the future.
    #[error("the session was saved by a newer version of GRN Explorer (format {found}; this one reads up to {newest})")]
    TooNew {
        /// The file's version.
        found: u64,
        /// The newest that can be read.
        newest: u64,
    },
    /// A session, but with a part that makes no sense.
    #[error("the session is damaged: {reason}")]
    Damaged {
        /// Which part and why.
        reason: String,
    },
}

/// Write `document` to `path`, whole or not at all.
pub fn save(document: &Document, path: &Path) -> Result<(), SessionError> {
    let text = to_json(document, &absolute(&folder_of(path)));
    files::write_whole(path, |file| Ok(file.write_all(text.as_bytes())?))
}

/// Read the document in `path`. The files it refers to need not exist; see [`Document::sources`].
pub fn load(path: &Path) -> Result<Document, SessionError> {
    from_json(&std::fs::read_to_string(path)?, &absolute(&folder_of(path)))
}

/// Whether `text`, the beginning of a file, looks like a session.
pub fn looks_like_session(text: &str) -> bool {
    text.trim_start().starts_with('{') && text.contains(VERSION_KEY)
}

fn to_json(document: &Document, folder: &Path) -> String {
    let mut whole = Map::from_iter([(VERSION_KEY.to_owned(), VERSION.into())]);
    let body = serde_json::to_value(dto::Session::of(document, folder)).expect("strings, numbers and maps by string");
    if let Value::Object(body) = body {
        whole.extend(body);
    }
    let mut text = serde_json::to_string_pretty(&Value::Object(whole)).expect("a JSON value");
    text.push('\n');
    text
}

fn from_json(text: &str, folder: &Path) -> Result<Document, SessionError> {
    let whole: Value =
        serde_json::from_str(text).map_err(|error| SessionError::NotASession { reason: error.to_string() })?;
    let Value::Object(mut whole) = whole else {
        return Err(SessionError::NotASession { reason: "it holds no JSON object".to_owned() });
    };
    let version = whole.remove(VERSION_KEY).and_then(|version| version.as_u64());
    let Some(version) = version else {
        return Err(SessionError::NotASession { reason: format!("it has no {VERSION_KEY} number") });
    };
    let body = migrate::migrate(whole, version, migrate::STEPS)?;
    let session: dto::Session = serde_path(body)?;
    session.into_document(folder)
}

fn serde_path(body: Map<String, Value>) -> Result<dto::Session, SessionError> {
    serde_json::from_value(Value::Object(body)).map_err(|error| SessionError::Damaged { reason: error.to_string() })
}

fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests;

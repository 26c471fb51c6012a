//! What can be wrong with a file that holds a network.

use thiserror::Error;

use crate::jobs::Cancelled;
use crate::network::GrnError;

/// Why a network file cannot be read or written. The caller adds the file's name.
#[derive(Debug, Error)]
pub enum FormatError {
    /// The user cancelled.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// The operating system said no.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The ending is that of no format.
    #[error("{ending} is no format of networks; expected one of {known}")]
    UnknownEnding {
        /// What the name ends in.
        ending: String,
        /// All endings.
        known: String,
    },
    /// A place in the file that cannot be understood.
    #[error("{place}: found {found}, expected {expected}")]
    Unexpected {
        /// `line 3`, or `edge 5` where a format has no lines to speak of.
        place: String,
        /// What is there.
        found: String,
        /// What should be there.
        expected: String,
    },
    /// Not the format that its name says.
    #[error("this is no {format} file: {reason}")]
    Syntax {
        /// The format.
        format: &'static str,
        /// Why, with line and column.
        reason: String,
    },
    /// More than is read.
    #[error("the file holds more than {most}; a network of this size cannot be opened")]
    TooLarge {
        /// How much is read at most.
        most: &'static str,
    },
    /// A gene's name cannot be written in this format.
    #[error("the gene name {name:?} cannot be written as {format}; export another format")]
    Name {
        /// The name.
        name: String,
        /// The format.
        format: &'static str,
    },
    /// The contents form no network.
    #[error(transparent)]
    Network(#[from] GrnError),
}

impl FormatError {
    pub(in crate::network) fn unexpected(
        place: impl Into<String>,
        found: impl Into<String>,
        expected: impl Into<String>,
    ) -> Self {
        Self::Unexpected { place: place.into(), found: found.into(), expected: expected.into() }
    }
}

/// `text` for a message: cut, quoted, without control characters.
pub(in crate::network) fn shown(text: &str) -> String {
    const MOST: usize = 40;
    let plain: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).take(MOST).collect();
    let cut = if text.chars().count() > MOST { "…" } else { "" };
    if plain.trim().is_empty() { "nothing".to_owned() } else { format!("{:?}{cut}", plain.trim_end()) }
}

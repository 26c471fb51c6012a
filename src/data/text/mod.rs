//! Screens in text files: matrix market files with their lists, and tables of counts; compressed with gzip or not.
//!
//! `lines` and `fields` read text of any size line by line; `mtx` and `table` make a matrix of it (`effects`: one of effects, without cells; `interventions`: one of a folder of tables), `list` and `labels` the frames of genes and
//! cells; `beside` finds files that belong together by their names. What the files leave open is decided by the rules of
//! `data::import`.

mod beside;
mod effects;
mod error;
mod fields;
mod interventions;
mod labels;
mod lines;
mod list;
mod mtx;
mod orientation;
mod raw_table;
mod table;

use std::io;
use std::path::Path;

use super::import::{Column, categories_of};
use super::{Dataset, ImportOptions};
use crate::jobs::Progress;

pub use effects::{profile, wild_type_beside};
pub use error::TextError;

pub(in crate::data) use beside::data_set_name;
pub(in crate::data) use labels::cell_labels;

/// What a text file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextKind {
    /// A matrix market file, one of its lists, or a folder that holds it.
    Matrix,
    /// A table.
    Table,
    /// A folder with one table per intervention, `iv=3.txt`.
    Interventions,
}

/// Bytes looked at to tell what a file is.
const BEGINNING: u64 = 1 << 20;

/// Tell what text `path` holds by its beginning, decompressed; none if it is no table, or no text.
///
/// # Errors
/// If it cannot be read.
pub fn kind_of(path: &Path) -> io::Result<Option<TextKind>> {
    if path.is_dir() {
        let matrix = beside::matrix_in(path).is_ok().then_some(TextKind::Matrix);
        return Ok(matrix.or_else(|| interventions::tables_in(path).map(|_| TextKind::Interventions)));
    }
    let start = lines::beginning(path, BEGINNING)?;
    if mtx::is_mtx(&start) || (!start.contains(&0) && beside::matrix_of_list(path).is_some()) {
        return Ok(Some(TextKind::Matrix));
    }
    Ok(raw_table::looks_like_table(&start, start.len() as u64 == BEGINNING).then_some(TextKind::Table))
}

/// Read the screen in `path`: what [`kind_of`] knows.
///
/// # Errors
/// Names the file and line, what was found there and what was expected; the caller adds the name of the file that was opened.
pub fn read(path: &Path, options: &ImportOptions, progress: &dyn Progress) -> Result<Dataset, TextError> {
    read_into(u64::MAX, path, options, progress)
}

/// As [`read`], but a matrix market file that needs more than `memory` bytes while it is read is refused before any is taken: its
/// entries may come in any order, so that no part of it can be left out on the way.
pub fn read_into(
    memory: u64,
    path: &Path,
    options: &ImportOptions,
    progress: &dyn Progress,
) -> Result<Dataset, TextError> {
    let failed = |error: io::Error| TextError::Read { file: lines::file_name(path), reason: error.to_string() };
    match kind_of(path).map_err(failed)? {
        Some(TextKind::Matrix) => {
            let matrix = beside::matrix_of_list(path);
            mtx::read(memory, matrix.as_deref().unwrap_or(path), options, progress)
        }
        Some(TextKind::Table) => table::read(path, options, progress),
        Some(TextKind::Interventions) => {
            let tables = interventions::tables_in(path).unwrap_or_default();
            interventions::read(path, &tables, options, progress)
        }
        None if path.is_dir() => mtx::read(memory, path, options, progress),
        None => Err(TextError::unexpected(
            lines::file_name(path),
            "no lines that a separator splits evenly",
            "a table with one row per cell or gene, or a matrix market file",
        )),
    }
}

/// A column of words, or of numbers if all that is not missing are numbers.
fn words_or_numbers(name: &str, words: Vec<String>) -> Column {
    let missing = |word: &String| fields::is_missing(word.as_bytes());
    let number = |word: &String| word.trim().parse::<f64>().ok().filter(|number| !number.is_nan());
    let is_number = words.iter().all(|word| missing(word) || number(word).is_some()) && !words.iter().all(missing);
    if is_number {
        return Column::Numbers(words.iter().map(number).collect());
    }
    Column::Words(categories_of(name, words.into_iter().map(Some)))
}

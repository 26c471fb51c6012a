//! The data frames `obs` and `var`, one column at a time.

use std::collections::HashMap;

use hdf5::Group;

use super::H5adError;
use super::array::{Element, FileArray, join};
use super::text::{one_text, text_attribute};
use crate::data::labels::is_unassigned;
use crate::data::{Categories, nearest};
use crate::words::listed;

/// Where pandas kept the categories before anndata 0.7.
const LEGACY_CATEGORIES: &str = "__categories";

/// A data frame of the file: a group with one member per column, all of one length.
#[derive(Debug)]
pub(super) struct Frame {
    group: Group,
    path: String,
    index: String,
    columns: Vec<String>,
    length: usize,
}

/// A column as stored.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Column {
    /// Words.
    Words(Categories),
    /// Numbers or booleans (0 and 1); none where masked or NaN.
    Numbers(Vec<Option<f64>>),
}

/// How a column is stored, found without reading it.
enum Storage {
    Plain(FileArray),
    Categorical { codes: FileArray, categories: FileArray },
    Masked { values: FileArray, mask: FileArray },
}

impl Frame {
    /// Open the frame at `path` and check that all its columns have one length.
    pub(super) fn open(file: &Group, path: &str) -> Result<Self, H5adError> {
        let expected = "a data frame (a group with one array per column)";
        if !file.link_exists(path) {
            return Err(H5adError::missing(path, expected));
        }
        let Ok(group) = file.group(path) else {
            let found = "a single array, as anndata wrote before version 0.7; open and write it again with anndata";
            return Err(H5adError::unexpected(path, found, expected));
        };
        let index = index_name(&group, path)?;
        let length = FileArray::open(&group, path, &index, "the names of the rows")?.length()?;
        let mut columns = match text_attribute(&group, "column-order") {
            Some(columns) => columns,
            None => group.member_names().map_err(|error| H5adError::unreadable(path, &error))?,
        };
        columns.retain(|column| *column != index && column != LEGACY_CATEGORIES && group.link_exists(column));
        let frame = Self { group, path: path.to_owned(), index, columns, length };
        for column in &frame.columns {
            frame.check_length(column)?;
        }
        Ok(frame)
    }

    /// Number of rows.
    pub(super) fn length(&self) -> usize {
        self.length
    }

    /// Names of the columns, without the index.
    pub(super) fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The names of the rows.
    pub(super) fn row_names(&self) -> Result<Vec<String>, H5adError> {
        let array = FileArray::open(&self.group, &self.path, &self.index, "the names of the rows")?;
        texts_or_numbers(&array)
    }

    /// The column called `name`, or the first that differs only in case.
    pub(super) fn find(&self, name: &str) -> Option<&str> {
        let exact = self.columns.iter().find(|column| *column == name);
        exact.or_else(|| self.columns.iter().find(|column| column.eq_ignore_ascii_case(name))).map(String::as_str)
    }

    /// An error that tells which columns there are.
    pub(super) fn unknown(&self, column: &str) -> H5adError {
        let near = nearest(column, self.columns.iter().map(String::as_str), 3);
        let hint = if near.is_empty() {
            format!("it has {}", listed(&self.columns, 12))
        } else {
            format!("did you mean {}?", near.join(", "))
        };
        H5adError::UnknownColumn { frame: self.path.clone(), column: column.to_owned(), hint }
    }

    /// Whether `column` holds words; false if it cannot be told.
    pub(super) fn has_words(&self, column: &str) -> bool {
        match self.storage(column) {
            Ok(Storage::Plain(array)) => array.element().is_text(),
            Ok(Storage::Categorical { categories, .. }) => categories.element().is_text(),
            Ok(Storage::Masked { values, .. }) => values.element().is_text(),
            Err(_) => false,
        }
    }

    /// The column called `name`, exactly.
    pub(super) fn column(&self, name: &str) -> Result<Column, H5adError> {
        match self.storage(name)? {
            Storage::Plain(array) if array.element().is_text() => {
                let texts = array.texts()?.into_iter().map(Some);
                Ok(Column::Words(categories_of(name, texts)))
            }
            Storage::Plain(array) => Ok(Column::Numbers(numbers(&array)?)),
            Storage::Masked { values, mask } => {
                let mask: Vec<bool> = mask.i64s(0..mask.length()?)?.into_iter().map(|masked| masked != 0).collect();
                if values.element().is_text() {
                    let texts = values.texts()?.into_iter().zip(&mask).map(|(text, masked)| (!masked).then_some(text));
                    Ok(Column::Words(categories_of(name, texts)))
                } else {
                    let numbers = numbers(&values)?.into_iter().zip(&mask);
                    Ok(Column::Numbers(numbers.map(|(number, masked)| number.filter(|_| !masked)).collect()))
                }
            }
            Storage::Categorical { codes, categories } => {
                let levels = texts_or_numbers(&categories)?;
                let read = codes.i64s(0..codes.length()?)?;
                let mut checked = Vec::with_capacity(read.len());
                for (row, code) in read.into_iter().enumerate() {
                    checked.push(match code {
                        -1 => None,
                        _ if code >= 0 && (code as u64) < levels.len() as u64 => Some(code as u32),
                        _ => {
                            let found = format!("code {code} in row {row}");
                            let expected = format!("-1 to {} ({} categories)", levels.len() as i64 - 1, levels.len());
                            return Err(H5adError::unexpected(codes.path(), found, expected));
                        }
                    });
                }
                Ok(Column::Words(Categories { name: name.to_owned(), levels, codes: checked }))
            }
        }
    }

    /// The column as words: numbers are written out, and whole numbers without a fraction.
    pub(super) fn words(&self, name: &str) -> Result<Categories, H5adError> {
        Ok(match self.column(name)? {
            Column::Words(categories) => categories,
            Column::Numbers(numbers) => categories_of(name, numbers.into_iter().map(|number| number.map(written))),
        })
    }

    fn storage(&self, name: &str) -> Result<Storage, H5adError> {
        let path = join(&self.path, name);
        let expected = "a column (an array, or a categorical or nullable group)";
        let Ok(group) = self.group.group(name) else {
            let array = FileArray::open(&self.group, &self.path, name, expected)?;
            let legacy = join(LEGACY_CATEGORIES, name);
            if self.group.link_exists(LEGACY_CATEGORIES) && self.group.link_exists(&legacy) {
                let categories = FileArray::open(&self.group, &self.path, &legacy, "the categories")?;
                return Ok(Storage::Categorical { codes: array, categories });
            }
            return Ok(Storage::Plain(array));
        };
        let encoding = one_text(&group, "encoding-type").unwrap_or_default();
        if encoding == "categorical" || group.link_exists("codes") {
            let codes = FileArray::open(&group, &path, "codes", "whole numbers, one per row")?;
            let categories = FileArray::open(&group, &path, "categories", "the categories")?;
            Ok(Storage::Categorical { codes, categories })
        } else if encoding.starts_with("nullable") || group.link_exists("mask") {
            let values = FileArray::open(&group, &path, "values", "one value per row")?;
            let mask = FileArray::open(&group, &path, "mask", "one boolean per row")?;
            Ok(Storage::Masked { values, mask })
        } else {
            let found =
                if encoding.is_empty() { "a group".to_owned() } else { format!("a group encoded as {encoding}") };
            Err(H5adError::unexpected(&path, found, expected))
        }
    }

    fn check_length(&self, name: &str) -> Result<(), H5adError> {
        let storage = match self.storage(name) {
            Ok(storage) => storage,
            // A column of a kind we do not read is no reason to refuse the file, unless it is asked for.
            Err(H5adError::Unexpected { .. } | H5adError::MissingFilter { .. }) => return Ok(()),
            Err(error) => return Err(error),
        };
        let arrays = match &storage {
            Storage::Plain(array) | Storage::Categorical { codes: array, .. } => vec![array],
            Storage::Masked { values, mask } => vec![values, mask],
        };
        for array in arrays {
            if array.shape() != [self.length] {
                let found = match array.shape() {
                    [length] => format!("{length} values"),
                    shape => format!("shape {shape:?}"),
                };
                let expected = format!("{} (one for each name in {})", self.length, join(&self.path, &self.index));
                return Err(H5adError::unexpected(array.path(), found, expected));
            }
        }
        Ok(())
    }
}

fn index_name(group: &Group, path: &str) -> Result<String, H5adError> {
    if let Some(name) = one_text(group, "_index") {
        if group.link_exists(&name) {
            return Ok(name);
        }
        return Err(H5adError::missing(&join(path, &name), "the names of the rows, as the attribute _index says"));
    }
    let usual = ["_index", "index"].into_iter().find(|name| group.link_exists(name));
    usual.map(str::to_owned).ok_or_else(|| H5adError::missing(&join(path, "_index"), "the names of the rows"))
}

fn numbers(array: &FileArray) -> Result<Vec<Option<f64>>, H5adError> {
    let values = array.f64s(0..array.length()?)?;
    Ok(values.into_iter().map(|value| (!value.is_nan()).then_some(value)).collect())
}

fn texts_or_numbers(array: &FileArray) -> Result<Vec<String>, H5adError> {
    if array.element().is_text() {
        return array.texts();
    }
    if array.element() == Element::Enumeration {
        let values = array.i64s(0..array.length()?)?;
        return Ok(values.into_iter().map(|value| if value != 0 { "True" } else { "False" }.to_owned()).collect());
    }
    if array.element().is_integer() {
        return Ok(array.i64s(0..array.length()?)?.into_iter().map(|value| value.to_string()).collect());
    }
    Ok(array.f64s(0..array.length()?)?.into_iter().map(written).collect())
}

fn written(number: f64) -> String {
    // Rust writes 3 for 3.0, which is what a batch called 3 should be.
    number.to_string()
}

/// Words in order of first occurrence; missing values have no code.
fn categories_of(name: &str, words: impl Iterator<Item = Option<String>>) -> Categories {
    let mut levels = Vec::new();
    let mut codes = Vec::new();
    let mut known: HashMap<String, u32> = HashMap::new();
    for word in words {
        codes.push(word.map(|word| {
            *known.entry(word).or_insert_with_key(|word| {
                levels.push(word.clone());
                (levels.len() - 1) as u32
            })
        }));
    }
    Categories { name: name.to_owned(), levels, codes }
}

/// `categories` without levels that no cell has, and without levels that mean a missing value.
pub(super) fn compact(categories: Categories) -> Categories {
    let mut used = vec![false; categories.levels.len()];
    for code in categories.codes.iter().flatten() {
        used[*code as usize] = true;
    }
    let mut levels = Vec::new();
    let mut numbers = Vec::with_capacity(used.len());
    for (level, used) in categories.levels.into_iter().zip(used) {
        numbers.push((used && !is_unassigned(&level)).then(|| {
            levels.push(level);
            (levels.len() - 1) as u32
        }));
    }
    let codes = categories.codes.into_iter().map(|code| numbers[code? as usize]).collect();
    Categories { name: categories.name, levels, codes }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compacting_drops_unused_levels_and_missing_words() {
        let words = ["b", "nan", "a"].map(|word| Some(word.to_owned()));
        let mut categories = categories_of("batch", words.into_iter().chain([None]));
        categories.levels.push("unused".to_owned());
        let compact = compact(categories);
        assert_eq!(compact.levels, ["b", "a"]);
        assert_eq!(compact.codes, [Some(0), None, Some(1), None]);
        assert_eq!(written(3.0), "3");
    }
}

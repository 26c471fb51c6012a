//! The data frames `obs` and `var`, one column at a time.

use hdf5::Group;

use super::H5adError;
use super::array::{Element, FileArray, join};
use super::compound::read_records;
use super::text::{one_text, text_attribute};
use crate::data::Categories;
use crate::data::import::{Column, Frame, MemoryFrame, categories_of, written};

/// Where pandas kept the categories before anndata 0.7.
const LEGACY_CATEGORIES: &str = "__categories";
const ROW_NAMES: &str = "the names of the rows";

/// A data frame of the file.
#[derive(Debug)]
pub(super) enum FileFrame {
    /// A group with one member per column.
    Members(Members),
    /// One array of records, as anndata wrote before version 0.7, in memory.
    Records(MemoryFrame),
}

/// The members of a group as columns, all of one length.
#[derive(Debug)]
pub(super) struct Members {
    group: Group,
    path: String,
    index: String,
    columns: Vec<String>,
    length: usize,
}

/// How a column is stored, found without reading it.
enum Storage {
    Plain(FileArray),
    Categorical { codes: FileArray, categories: FileArray },
    Masked { values: FileArray, mask: FileArray },
}

impl FileFrame {
    /// Open the frame at `path` and check that all its columns have one length.
    pub(super) fn open(file: &Group, path: &str) -> Result<Self, H5adError> {
        let expected = "a data frame (a group with one array per column)";
        if !file.link_exists(path) {
            return Err(H5adError::missing(path, expected));
        }
        let Ok(group) = file.group(path) else {
            let records = read_records(file, path)?;
            return records.map(Self::Records).ok_or_else(|| H5adError::unexpected(path, "a single array", expected));
        };
        Members::open(group, path).map(Self::Members)
    }
}

impl Members {
    fn open(group: Group, path: &str) -> Result<Self, H5adError> {
        let index = index_name(&group, path)?;
        let length = values_of(&group, path, &index, ROW_NAMES)?.length()?;
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
            let categories = values_of(&group, &path, "categories", "the categories")?;
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

impl Frame for Members {
    type Error = H5adError;

    fn name(&self) -> &str {
        &self.path
    }

    fn length(&self) -> usize {
        self.length
    }

    fn columns(&self) -> &[String] {
        &self.columns
    }

    fn row_names(&self) -> Result<Vec<String>, H5adError> {
        texts_or_numbers(&values_of(&self.group, &self.path, &self.index, ROW_NAMES)?)
    }

    fn has_words(&self, column: &str) -> bool {
        match self.storage(column) {
            Ok(Storage::Plain(array)) => array.element().is_text(),
            Ok(Storage::Categorical { categories, .. }) => categories.element().is_text(),
            Ok(Storage::Masked { values, .. }) => values.element().is_text(),
            Err(_) => false,
        }
    }

    fn column(&self, name: &str) -> Result<Column, H5adError> {
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
}

impl Frame for FileFrame {
    type Error = H5adError;

    fn name(&self) -> &str {
        match self {
            Self::Members(members) => members.name(),
            Self::Records(records) => records.name(),
        }
    }

    fn length(&self) -> usize {
        match self {
            Self::Members(members) => members.length(),
            Self::Records(records) => records.length(),
        }
    }

    fn columns(&self) -> &[String] {
        match self {
            Self::Members(members) => members.columns(),
            Self::Records(records) => records.columns(),
        }
    }

    fn row_names(&self) -> Result<Vec<String>, H5adError> {
        match self {
            Self::Members(members) => members.row_names(),
            Self::Records(records) => Ok(records.row_names()?),
        }
    }

    fn has_words(&self, column: &str) -> bool {
        match self {
            Self::Members(members) => members.has_words(column),
            Self::Records(records) => records.has_words(column),
        }
    }

    fn column(&self, name: &str) -> Result<Column, H5adError> {
        match self {
            Self::Members(members) => members.column(name),
            Self::Records(records) => Ok(records.column(name)?),
        }
    }
}

/// The array `name` of `group`, or its values where it is a nullable array: names and categories have no missing ones.
fn values_of(group: &Group, parent: &str, name: &str, expected: &str) -> Result<FileArray, H5adError> {
    match group.group(name) {
        Ok(nullable) => FileArray::open(&nullable, &join(parent, name), "values", expected),
        Err(_) => FileArray::open(group, parent, name, expected),
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

pub(super) fn texts_or_numbers(array: &FileArray) -> Result<Vec<String>, H5adError> {
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

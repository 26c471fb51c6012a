//! Tables of cells or genes, whatever file they lie in.

use std::collections::HashMap;

use super::ImportError;
use crate::data::labels::is_unassigned;
use crate::data::{Categories, nearest};
use crate::words::listed;

/// A column as stored.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::data) enum Column {
    /// Words.
    Words(Categories),
    /// Numbers or booleans (0 and 1); none where masked or NaN.
    Numbers(Vec<Option<f64>>),
}

/// A table with one row per cell or gene: named rows, and columns of words or numbers that are read one at a time.
pub(in crate::data) trait Frame {
    /// Why a column cannot be read.
    type Error: From<ImportError>;

    /// What people call it: `obs`, `raw/var`, `features.tsv`.
    fn name(&self) -> &str;

    /// Number of rows.
    fn length(&self) -> usize;

    /// Names of the columns, without the row names.
    fn columns(&self) -> &[String];

    /// How many of the columns, from the first on, a labels file gave: perturbations are looked for there first.
    fn label_columns(&self) -> usize {
        0
    }

    /// The names of the rows.
    fn row_names(&self) -> Result<Vec<String>, Self::Error>;

    /// Whether `column` holds words; false if it cannot be told.
    fn has_words(&self, column: &str) -> bool;

    /// The column called `name`, exactly.
    fn column(&self, name: &str) -> Result<Column, Self::Error>;

    /// The column called `name`, or the first that differs only in case.
    fn find(&self, name: &str) -> Option<&str> {
        let exact = self.columns().iter().find(|column| *column == name);
        exact.or_else(|| self.columns().iter().find(|column| column.eq_ignore_ascii_case(name))).map(String::as_str)
    }

    /// The column as words: numbers are written out, and whole numbers without a fraction.
    fn words(&self, name: &str) -> Result<Categories, Self::Error> {
        Ok(match self.column(name)? {
            Column::Words(categories) => categories,
            Column::Numbers(numbers) => categories_of(name, numbers.into_iter().map(|number| number.map(written))),
        })
    }

    /// An error that tells which columns there are.
    fn unknown(&self, column: &str) -> ImportError {
        let near = nearest(column, self.columns().iter().map(String::as_str), 3);
        let hint = if !near.is_empty() {
            format!("did you mean {}?", near.join(", "))
        } else if self.columns().is_empty() {
            "it has no columns".to_owned()
        } else {
            format!("it has {}", listed(self.columns(), 12))
        };
        ImportError::UnknownColumn { frame: self.name().to_owned(), column: column.to_owned(), hint }
    }
}

/// A frame that lies in memory.
#[derive(Clone, Debug, Default)]
pub(in crate::data) struct MemoryFrame {
    name: String,
    rows: Vec<String>,
    names: Vec<String>,
    columns: Vec<Column>,
    from_labels: usize,
}

impl MemoryFrame {
    /// A frame called `name` of named rows, without columns.
    pub(in crate::data) fn new(name: impl Into<String>, rows: Vec<String>) -> Self {
        Self { name: name.into(), rows, ..Self::default() }
    }

    /// Add a column with one value per row. A name that is taken gets a number; the name that the column got is returned.
    pub(in crate::data) fn push(&mut self, name: &str, column: Column) -> String {
        let length = match &column {
            Column::Words(words) => words.codes.len(),
            Column::Numbers(numbers) => numbers.len(),
        };
        debug_assert_eq!(length, self.rows.len(), "one value per row");
        let mut unique = name.to_owned();
        let mut number = 1;
        while self.names.contains(&unique) {
            unique = format!("{name}-{number}");
            number += 1;
        }
        let column = match column {
            Column::Words(words) => Column::Words(Categories { name: unique.clone(), ..words }),
            numbers => numbers,
        };
        self.names.push(unique.clone());
        self.columns.push(column);
        unique
    }

    /// The same frame with `columns` before its own: of two columns of one name these are found.
    pub(in crate::data) fn with_first(self, columns: Vec<(String, Column)>) -> Self {
        let mut frame = Self { from_labels: columns.len(), ..Self::new(self.name, self.rows) };
        for (name, column) in columns.into_iter().chain(self.names.into_iter().zip(self.columns)) {
            frame.push(&name, column);
        }
        frame
    }

    /// The rows named by `rows`, in that order.
    pub(in crate::data) fn select(&self, rows: &[u32]) -> Self {
        let mut frame = Self::new(self.name.clone(), rows.iter().map(|&row| self.rows[row as usize].clone()).collect());
        for (name, column) in self.names.iter().zip(&self.columns) {
            let column = match column {
                Column::Words(words) => Column::Words(Categories {
                    name: words.name.clone(),
                    levels: words.levels.clone(),
                    codes: rows.iter().map(|&row| words.codes[row as usize]).collect(),
                }),
                Column::Numbers(numbers) => Column::Numbers(rows.iter().map(|&row| numbers[row as usize]).collect()),
            };
            frame.push(name, column);
        }
        frame
    }

    /// Add words, none where a row has no value.
    pub(in crate::data) fn push_words(&mut self, name: &str, words: impl Iterator<Item = Option<String>>) {
        self.push(name, Column::Words(categories_of(name, words)));
    }
}

impl Frame for MemoryFrame {
    type Error = ImportError;

    fn name(&self) -> &str {
        &self.name
    }

    fn length(&self) -> usize {
        self.rows.len()
    }

    fn columns(&self) -> &[String] {
        &self.names
    }

    fn label_columns(&self) -> usize {
        self.from_labels
    }

    fn row_names(&self) -> Result<Vec<String>, ImportError> {
        Ok(self.rows.clone())
    }

    fn has_words(&self, column: &str) -> bool {
        let at = self.names.iter().position(|name| name == column);
        at.is_some_and(|at| matches!(self.columns[at], Column::Words(_)))
    }

    fn column(&self, name: &str) -> Result<Column, ImportError> {
        let at = self.names.iter().position(|column| column == name);
        at.map(|at| self.columns[at].clone()).ok_or_else(|| self.unknown(name))
    }
}

/// A frame with further columns before its own.
#[derive(Debug)]
pub(in crate::data) struct Extended<'a, F> {
    base: &'a F,
    first: Vec<(String, Column)>,
    names: Vec<String>,
}

impl<'a, F: Frame> Extended<'a, F> {
    /// `base` with the columns `first`, each with one value per row; they hide columns of the same name.
    pub(in crate::data) fn new(base: &'a F, first: Vec<(String, Column)>) -> Self {
        let mut names: Vec<String> = first.iter().map(|(name, _)| name.clone()).collect();
        names.extend(base.columns().iter().filter(|name| !first.iter().any(|(own, _)| own == *name)).cloned());
        Self { base, first, names }
    }

    fn own(&self, name: &str) -> Option<&Column> {
        self.first.iter().find(|(own, _)| own == name).map(|(_, column)| column)
    }
}

impl<F: Frame> Frame for Extended<'_, F> {
    type Error = F::Error;

    fn name(&self) -> &str {
        self.base.name()
    }

    fn length(&self) -> usize {
        self.base.length()
    }

    fn columns(&self) -> &[String] {
        &self.names
    }

    fn label_columns(&self) -> usize {
        self.first.len()
    }

    fn row_names(&self) -> Result<Vec<String>, F::Error> {
        self.base.row_names()
    }

    fn has_words(&self, column: &str) -> bool {
        self.own(column).map_or_else(|| self.base.has_words(column), |own| matches!(own, Column::Words(_)))
    }

    fn column(&self, name: &str) -> Result<Column, F::Error> {
        self.own(name).map_or_else(|| self.base.column(name), |own| Ok(own.clone()))
    }
}

/// Rust writes 3 for 3.0, which is what a batch called 3 should be.
pub(in crate::data) fn written(number: f64) -> String {
    number.to_string()
}

/// Words in order of first occurrence; missing values have no code.
pub(in crate::data) fn categories_of(name: &str, words: impl Iterator<Item = Option<String>>) -> Categories {
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

    #[test]
    fn a_frame_in_memory_finds_columns_in_any_case_and_keeps_both_of_one_name() {
        let mut frame = MemoryFrame::new("cells.tsv", vec!["a".into(), "b".into()]);
        assert_eq!(frame.unknown("gene").to_string(), "cells.tsv has no column gene; it has no columns");
        frame.push("Batch", Column::Numbers(vec![Some(1.0), None]));
        frame.push_words("Batch", ["x", "y"].map(|word| Some(word.to_owned())).into_iter());
        assert_eq!(frame.columns(), ["Batch", "Batch-1"]);
        assert_eq!(frame.find("batch"), Some("Batch"));
        assert!(!frame.has_words("Batch") && frame.has_words("Batch-1"));
        let words = frame.words("Batch").expect("there");
        assert_eq!((words.levels, words.codes), (vec!["1".to_owned()], vec![Some(0), None]));
        assert_eq!(
            frame.column("batsch").expect_err("absent").to_string(),
            "cells.tsv has no column batsch; did you mean Batch, Batch-1?"
        );
    }
}

//! Lists beside a matrix: features and barcodes, one line each.

use std::path::Path;

use super::TextError;
use super::fields::{Fields, Separator, text};
use super::lines::{Lines, file_name};
use super::raw_table::ROW_NAMES;
use crate::data::import::MemoryFrame;
use crate::data::labels::is_ensembl;
use crate::jobs::Progress;

/// Lines looked at to find the separator.
const SAMPLE: usize = 50;
/// More columns than any list has.
const MOST_COLUMNS: usize = 200;

/// A list, column by column.
#[derive(Debug)]
pub(super) struct List {
    /// Name of the file.
    pub(super) name: String,
    /// Names of the columns, where a first line gave them.
    pub(super) header: Option<Vec<String>>,
    /// All of one length, at least one.
    pub(super) columns: Vec<Vec<String>>,
}

impl List {
    /// Read the list in `path`. Empty lines at the end do not count.
    pub(super) fn read(path: &Path, progress: &dyn Progress) -> Result<Self, TextError> {
        let mut lines = Lines::open(path)?;
        let mut sample: Vec<Vec<u8>> = Vec::new();
        while sample.len() < SAMPLE
            && let Some(line) = lines.next()?
        {
            sample.push(line.to_vec());
        }
        while sample.last().is_some_and(Vec::is_empty) && sample.len() < SAMPLE {
            sample.pop();
        }
        // Gene names may have spaces in them.
        let separator = Separator::sniff(&sample).filter(|separator| *separator != Separator::Space);
        let width = match separator {
            Some(separator) => sample.last().map_or(1, |line| Fields::new(line, separator).count()).min(MOST_COLUMNS),
            None => 1,
        };
        let mut columns: Vec<Vec<String>> = vec![Vec::new(); width];
        let mut add = |line: &[u8]| match separator {
            Some(separator) => {
                let mut fields = Fields::new(line, separator);
                for column in &mut columns {
                    column.push(fields.next().map_or_else(String::new, |field| text(&field)));
                }
            }
            None => {
                let field = Fields::new(line, Separator::Tab).next().unwrap_or_default();
                columns[0].push(text(&field));
            }
        };
        sample.iter().for_each(|line| add(line));
        let mut empty = 0;
        while let Some(line) = lines.next()? {
            if line.is_empty() {
                empty += 1;
                continue;
            }
            (0..std::mem::take(&mut empty)).for_each(|_| add(b""));
            add(line);
            if lines.number().is_multiple_of(1 << 16) {
                progress.check()?;
            }
        }
        Ok(Self { name: file_name(path), header: None, columns })
    }

    /// Number of lines, the header aside.
    pub(super) fn length(&self) -> usize {
        self.columns[0].len()
    }

    /// Whether the first line can be names of columns: it has a usual one, or is no identifier where all others are.
    pub(super) fn may_have_header(&self) -> bool {
        let first =
            |column: &Vec<String>| column.first().is_some_and(|name| ROW_NAMES.contains(&name.to_lowercase().as_str()));
        let stranger = |column: &Vec<String>| {
            column
                .split_first()
                .is_some_and(|(first, rest)| !rest.is_empty() && !is_id(first) && rest.iter().all(|name| is_id(name)))
        };
        self.columns.iter().any(|column| first(column) || stranger(column))
    }

    /// Take the first line for the names of the columns.
    pub(super) fn take_header(&mut self) {
        if self.length() > 0 {
            self.header = Some(self.columns.iter_mut().map(|column| column.remove(0)).collect());
        }
    }

    fn column_name(&self, at: usize) -> Option<&str> {
        self.header.as_ref().map(|header| header[at].as_str()).filter(|name| !name.is_empty())
    }

    /// The list as cells: the first column are their names.
    pub(super) fn into_cells(self) -> MemoryFrame {
        let names: Vec<String> = (1..self.columns.len())
            .map(|at| self.column_name(at).map_or_else(|| format!("column {}", at + 1), str::to_owned))
            .collect();
        let mut columns = self.columns.into_iter();
        let mut frame = MemoryFrame::new(self.name, columns.next().unwrap_or_default());
        for (name, column) in names.iter().zip(columns) {
            frame.push(name, super::words_or_numbers(name, column));
        }
        frame
    }

    /// The list as genes. Without names of columns they are those of 10x: identifier, symbol, type of feature.
    pub(super) fn into_genes(mut self) -> MemoryFrame {
        let usual = ["gene_id", "gene_name", "feature_type"];
        let ids = |column: &[String]| 2 * column.iter().filter(|name| is_id(name)).count() > column.len();
        if self.header.is_none() && self.columns.len() >= 2 {
            // Some write the symbol first.
            if ids(&self.columns[1]) && !ids(&self.columns[0]) {
                self.columns.swap(0, 1);
            }
            let identifiers = std::mem::take(&mut self.columns[0]);
            let symbols = std::mem::take(&mut self.columns[1]);
            let rows = symbols
                .into_iter()
                .zip(&identifiers)
                .map(|(symbol, id)| if symbol.is_empty() { id.clone() } else { symbol })
                .collect();
            let mut frame = MemoryFrame::new(self.name, rows);
            frame.push_words(usual[0], identifiers.into_iter().map(Some));
            for (at, column) in self.columns.into_iter().enumerate().skip(2) {
                let name = usual.get(at).map_or_else(|| format!("column {}", at + 1), |&name| name.to_owned());
                frame.push_words(&name, column.into_iter().map(Some));
            }
            return frame;
        }
        self.into_cells()
    }
}

/// Whether `name` is an Ensembl identifier, with its version or without.
fn is_id(name: &str) -> bool {
    is_ensembl(name.split_once('.').map_or(name, |(id, _)| id))
}

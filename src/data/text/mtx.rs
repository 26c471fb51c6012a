//! Matrix market files with lists of genes and cells beside them, as Cell Ranger and many others write them.
//!
//! Format: NIST, "The Matrix Market Exchange Formats: Initial Design" (1996): coordinate or array, real, integer or pattern, general.

use std::path::Path;

use super::TextError;
use super::beside::{data_set_name, matrix_files};
use super::error::shown;
use super::fields::{Fields, Separator, number};
use super::labels::cell_labels;
use super::lines::Lines;
use super::list::List;
use crate::data::import::{Frame, MemoryFrame, ReadMatrix, Source, Triplets, finish_features};
use crate::data::reduce::BYTES_PER_VALUE;
use crate::data::{Choice, Dataset, ImportOptions, Orientation};
use crate::jobs::Progress;
use crate::words::{counted, grouped};

/// What every such file begins with.
pub(super) const BANNER: &[u8] = b"%%MatrixMarket";
/// The shortest line of an entry: `1 1`.
const SHORTEST_ENTRY: u64 = 4;
/// Lines between two questions whether to go on.
const CHECK: usize = 1 << 14;

/// Read the matrix that `path` names: the file, one of its lists, or the folder that holds it.
pub(super) fn read(
    memory: u64,
    path: &Path,
    options: &ImportOptions,
    progress: &dyn Progress,
) -> Result<Dataset, TextError> {
    progress.stage("Opening the file", None);
    let files = matrix_files(path)?;
    let mut lines = Lines::open(&files.matrix)?;
    let header = Header::read(&mut lines)?;
    let mut features = List::read(&files.features, progress)?;
    let mut barcodes = List::read(&files.barcodes, progress)?;
    let (orientation, reason) = orientation(&header, &mut features, &mut barcodes, lines.name(), options)?;
    progress.check()?;
    let (genes_name, cells_name) = (features.name.clone(), barcodes.name.clone());
    let features = features.into_genes();
    let barcodes = barcodes.into_cells();
    let read = header.entries(&mut lines, orientation == Orientation::GenesInRows, memory, progress)?;

    let what = match orientation {
        Orientation::GenesInRows => "genes × cells",
        Orientation::CellsInRows => "cells × genes",
    };
    let mut source = Source { name: data_set_name(path), path: path.to_owned(), ..Source::default() };
    source.choices.push(Choice {
        what: "matrix".to_owned(),
        chosen: format!("{} ({what})", lines.name()),
        reason: format!("{reason}, by {genes_name} and {cells_name}"),
        alternatives: Vec::new(),
    });
    let taken = [files.matrix.as_path(), &files.features, &files.barcodes];
    let cells = labelled(barcodes, &files.matrix, &taken, &mut source, options, progress)?;
    finish_features(read, cells, &features, source, options, progress)
}

/// `cells` with the columns of a second file before their own.
pub(super) fn labelled(
    cells: MemoryFrame,
    data: &Path,
    taken: &[&Path],
    source: &mut Source,
    options: &ImportOptions,
    progress: &dyn Progress,
) -> Result<MemoryFrame, TextError> {
    let names = cells.row_names()?;
    let Some(labels) = cell_labels(data, taken, &names, options, progress)? else { return Ok(cells) };
    source.choices.push(labels.choice);
    source.warnings.extend(labels.warnings);
    Ok(cells.with_first(labels.columns))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layout {
    /// `row column value`, one line each.
    Coordinate { entries: usize, has_values: bool },
    /// All values, column by column.
    Array,
}

#[derive(Clone, Copy, Debug)]
struct Header {
    rows: usize,
    columns: usize,
    layout: Layout,
}

impl Header {
    fn read(lines: &mut Lines) -> Result<Self, TextError> {
        let expected = "%%MatrixMarket matrix coordinate (or array) and real, integer or pattern, general";
        let banner = lines.next()?.unwrap_or_default().to_vec();
        let place = lines.place();
        let words: Vec<String> =
            Fields::new(&banner, Separator::Space).map(|word| super::fields::text(&word).to_lowercase()).collect();
        let word = |at: usize| words.get(at).map_or("", String::as_str);
        let known = banner.starts_with(BANNER)
            && word(1) == "matrix"
            && matches!(word(2), "coordinate" | "array")
            && matches!(word(3), "real" | "integer" | "double" | "pattern" | "unsigned-integer")
            && matches!(word(4), "" | "general")
            && !(word(2) == "array" && word(3) == "pattern");
        if !known {
            return Err(TextError::unexpected(place, shown(&banner), expected));
        }
        let (is_array, has_values) = (word(2) == "array", word(3) != "pattern");
        loop {
            let Some(line) = lines.next_filled()? else {
                return Err(TextError::unexpected(lines.place(), "the end of the file", "the size of the matrix"));
            };
            if line.starts_with(b"%") {
                continue;
            }
            let line = line.to_vec();
            let numbers: Option<Vec<usize>> = Fields::new(&line, Separator::Space)
                .map(|field| std::str::from_utf8(&field).ok()?.parse().ok())
                .collect();
            let most = u32::MAX as usize;
            return match numbers.as_deref() {
                Some(&[rows, columns, entries]) if !is_array && rows < most && columns < most => {
                    let layout = Layout::Coordinate { entries, has_values };
                    Ok(Self { rows, columns, layout })
                }
                Some(&[rows, columns]) if is_array && rows < most && columns < most => {
                    Ok(Self { rows, columns, layout: Layout::Array })
                }
                _ => {
                    let expected = if is_array { "rows and columns" } else { "rows, columns and number of entries" };
                    Err(TextError::unexpected(lines.place(), shown(&line), expected))
                }
            };
        }
    }

    /// Read the entries as cells × genes; `swapped` if the file has genes in its rows.
    fn entries(
        &self,
        lines: &mut Lines,
        swapped: bool,
        memory: u64,
        progress: &dyn Progress,
    ) -> Result<ReadMatrix, TextError> {
        let mut triplets = Triplets::default();
        match self.layout {
            Layout::Coordinate { entries, has_values } => {
                self.reserve(lines, &mut triplets, entries as u64, memory)?;
                self.coordinates(lines, swapped, entries, has_values, &mut triplets, progress)?;
            }
            Layout::Array => {
                let entries = (self.rows as u64).saturating_mul(self.columns as u64);
                // Each value takes two bytes at least; most are zero and take no place.
                if entries > lines.most_bytes() / 2 {
                    return Err(self.too_many(lines, entries));
                }
                self.array(lines, swapped, &mut triplets, progress)?;
            }
        }
        let (cells, genes) = if swapped { (self.columns, self.rows) } else { (self.rows, self.columns) };
        Ok(triplets.into_matrix(cells, genes)?)
    }

    fn too_many(&self, lines: &Lines, entries: u64) -> TextError {
        let found = format!("a size of {entries} entries");
        TextError::unexpected(lines.place(), found, "no more than the file can hold")
    }

    fn reserve(&self, lines: &Lines, triplets: &mut Triplets, entries: u64, memory: u64) -> Result<(), TextError> {
        let places = (self.rows as u64).saturating_mul(self.columns as u64);
        if entries > lines.most_bytes() / SHORTEST_ENTRY || entries > places.saturating_mul(2) {
            return Err(self.too_many(lines, entries));
        }
        // The entries, and the matrix that they become.
        let bytes = entries.saturating_mul(Triplets::BYTES + BYTES_PER_VALUE);
        if bytes > memory {
            return Err(TextError::TooLarge { place: lines.name().to_owned(), bytes });
        }
        if !triplets.reserve(entries as usize) {
            return Err(TextError::TooLarge { place: lines.name().to_owned(), bytes: entries * Triplets::BYTES });
        }
        Ok(())
    }

    fn coordinates(
        &self,
        lines: &mut Lines,
        swapped: bool,
        entries: usize,
        has_values: bool,
        triplets: &mut Triplets,
        progress: &dyn Progress,
    ) -> Result<(), TextError> {
        let mut read = 0usize;
        loop {
            if read.is_multiple_of(CHECK) {
                progress.check()?;
                progress.stage("Reading the matrix", Some(lines.fraction()));
            }
            let Some(line) = lines.next()? else { break };
            let line = line.trim_ascii();
            if line.is_empty() || line.starts_with(b"%") {
                continue;
            }
            let entry = parse_entry(line, has_values);
            let in_range = |index: u32, length: usize| index >= 1 && index as usize <= length;
            let Some((row, column, value)) =
                entry.filter(|&(row, column, _)| in_range(row, self.rows) && in_range(column, self.columns))
            else {
                let found = shown(line);
                let value = if has_values { " and a finite number" } else { "" };
                let expected = format!("a row from 1 to {}, a column from 1 to {}{value}", self.rows, self.columns);
                return Err(TextError::unexpected(lines.place(), found, expected));
            };
            read += 1;
            if read > entries {
                let expected = format!("the end of the file after {} (the size says so)", counted(entries, "entrie"));
                return Err(TextError::unexpected(
                    lines.place(),
                    "another entry",
                    expected.replace("entrie ", "entry "),
                ));
            }
            let (cell, gene) = if swapped { (column, row) } else { (row, column) };
            triplets.push(cell - 1, gene - 1, value);
        }
        if read < entries {
            let found = format!("the end of the file after {} entries", grouped(read));
            return Err(TextError::unexpected(lines.place(), found, format!("{} entries", grouped(entries))));
        }
        Ok(())
    }

    fn array(
        &self,
        lines: &mut Lines,
        swapped: bool,
        triplets: &mut Triplets,
        progress: &dyn Progress,
    ) -> Result<(), TextError> {
        for column in 0..self.columns as u32 {
            progress.check()?;
            progress.stage("Reading the matrix", Some(lines.fraction()));
            for row in 0..self.rows as u32 {
                let Some(line) = lines.next_filled()? else {
                    let expected = format!("{} values", grouped(self.rows * self.columns));
                    return Err(TextError::unexpected(lines.place(), "the end of the file", expected));
                };
                let Some(value) = number(line).filter(|value| value.is_finite()) else {
                    let found = shown(line);
                    return Err(TextError::unexpected(lines.place(), found, "one finite number"));
                };
                let (cell, gene) = if swapped { (column, row) } else { (row, column) };
                triplets.push(cell, gene, value);
            }
        }
        Ok(())
    }
}

/// Row, column (from 1) and value, 1 where the file has none.
fn parse_entry(line: &[u8], has_values: bool) -> Option<(u32, u32, f32)> {
    let mut fields = Fields::new(line, Separator::Space);
    let index = |field: &[u8]| std::str::from_utf8(field).ok()?.parse::<u32>().ok();
    let row = index(&fields.next()?)?;
    let column = index(&fields.next()?)?;
    let value = if has_values { number(&fields.next()?).filter(|value| value.is_finite())? } else { 1.0 };
    fields.next().is_none().then_some((row, column, value))
}

/// Which axis the cells are, by the lengths of the lists; their first lines may be names of columns.
fn orientation(
    header: &Header,
    features: &mut List,
    barcodes: &mut List,
    matrix: &str,
    options: &ImportOptions,
) -> Result<(Orientation, String), TextError> {
    for (gene_header, cell_header) in [(false, false), (true, false), (false, true), (true, true)] {
        let genes = features.length().checked_sub(usize::from(gene_header));
        let cells = barcodes.length().checked_sub(usize::from(cell_header));
        let (Some(genes), Some(cells)) = (genes, cells) else { continue };
        if gene_header && !features.may_have_header() || cell_header && !barcodes.may_have_header() {
            continue;
        }
        let in_rows = (genes, cells) == (header.rows, header.columns);
        let in_columns = (cells, genes) == (header.rows, header.columns);
        if !in_rows && !in_columns {
            continue;
        }
        if gene_header {
            features.take_header();
        }
        if cell_header {
            barcodes.take_header();
        }
        let fits = format!("{} and {}", counted(genes, "gene"), counted(cells, "cell"));
        return Ok(match (in_rows && in_columns, options.orientation) {
            (true, Some(orientation)) => (orientation, format!("{fits} fit both ways; named by you")),
            (true, None) => {
                (Orientation::GenesInRows, format!("{fits} fit both ways; genes × cells is what Cell Ranger writes"))
            }
            _ if in_rows => (Orientation::GenesInRows, fits),
            _ => (Orientation::CellsInRows, fits),
        });
    }
    let lists = format!(
        "{} has {} and {} {}",
        features.name,
        counted(features.length(), "gene"),
        barcodes.name,
        counted(barcodes.length(), "cell")
    );
    Err(TextError::Sizes { matrix: matrix.to_owned(), rows: header.rows, columns: header.columns, lists })
}

/// Whether the file at `path` is one of these, by its first bytes.
pub(super) fn is_mtx(start: &[u8]) -> bool {
    start.starts_with(BANNER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_read_in_every_form() {
        assert_eq!(parse_entry(b"3 7 12", true), Some((3, 7, 12.0)));
        assert_eq!(parse_entry(b"3\t7  1.5e1", true), Some((3, 7, 15.0)));
        assert_eq!(parse_entry(b"3 7", false), Some((3, 7, 1.0)));
        for (line, has_values) in
            [("3 7", true), ("3 7 1", false), ("3 7 1 1", true), ("3 -7 1", true), ("3 7 nan", true), ("x", true)]
        {
            assert_eq!(parse_entry(line.as_bytes(), has_values), None, "{line}");
        }
    }
}

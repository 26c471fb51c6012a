//! A second file with what is known of each cell.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::beside::label_files;
use super::fields::{Fields, Separator, is_missing, number, text};
use super::lines::{Lines, file_name};
use super::{TextError, words_or_numbers};
use crate::data::import::{Column, categories_of};
use crate::data::{Choice, ImportOptions, Warning};
use crate::jobs::Progress;
use crate::words::{counted, grouped, listed};

/// What the user writes for no file.
const NO_FILE: &str = "none";
/// Lines looked at to find the separator.
const SAMPLE: usize = 50;
/// More columns than any such table has.
const MOST_COLUMNS: usize = 2_000;

/// Columns of cells from a second file, in the order of the cells.
#[derive(Debug)]
pub(in crate::data) struct CellLabels {
    pub(in crate::data) columns: Vec<(String, Column)>,
    pub(in crate::data) choice: Choice,
    pub(in crate::data) warnings: Vec<Warning>,
}

/// The columns of the file that the options name, or of the first beside `data` that is called as such files are and holds its cells. `taken`
/// are files that serve otherwise.
///
/// # Errors
/// If a file was named, and cannot be read or is about other cells.
pub(in crate::data) fn cell_labels(
    data: &Path,
    taken: &[&Path],
    cells: &[String],
    options: &ImportOptions,
    progress: &dyn Progress,
) -> Result<Option<CellLabels>, TextError> {
    let beside = label_files(data, taken);
    match &options.labels_file {
        Some(file) if file.as_os_str() == NO_FILE => Ok(None),
        Some(file) => {
            let path = named_file(data, file);
            let others = beside.into_iter().filter(|other| *other != path).collect::<Vec<_>>();
            Ok(Some(read(&path, cells, progress)?.finish(cells, "named by you", &others)))
        }
        None => {
            for (at, path) in beside.iter().enumerate() {
                match read(path, cells, progress) {
                    Ok(table) => {
                        let others = beside.iter().enumerate().filter(|(other, _)| *other != at);
                        let others: Vec<PathBuf> = others.map(|(_, path)| path.clone()).collect();
                        return Ok(Some(table.finish(cells, "found beside the data", &others)));
                    }
                    Err(TextError::Cancelled(cancelled)) => return Err(cancelled.into()),
                    // A file that happens to have such a name, but is something else, is no reason to fail.
                    Err(_) => {}
                }
            }
            Ok(None)
        }
    }
}

/// A relative name is looked up beside the data first.
fn named_file(data: &Path, file: &Path) -> PathBuf {
    if file.is_relative() {
        let folder = if data.is_dir() { Some(data) } else { data.parent() };
        if let Some(beside) = folder.map(|folder| folder.join(file)).filter(|beside| beside.exists()) {
            return beside;
        }
    }
    file.to_owned()
}

struct Table {
    name: String,
    header: Vec<String>,
    columns: Vec<Vec<String>>,
    /// The column with the names of cells.
    key: usize,
    /// Per line, the cell it is about.
    cells: Vec<Option<u32>>,
}

/// Names of cells, also without the number of their lane (`-1`) where that is unique.
struct CellNames<'a> {
    exact: HashMap<&'a str, u32>,
    short: HashMap<&'a str, Option<u32>>,
}

fn without_lane(name: &str) -> &str {
    let number = |lane: &str| !lane.is_empty() && lane.bytes().all(|byte| byte.is_ascii_digit());
    name.rsplit_once(['-', '.']).filter(|(_, lane)| number(lane)).map_or(name, |(barcode, _)| barcode)
}

impl<'a> CellNames<'a> {
    fn new(cells: &'a [String]) -> Self {
        let mut exact = HashMap::with_capacity(cells.len());
        let mut short = HashMap::with_capacity(cells.len());
        for (row, cell) in cells.iter().enumerate() {
            exact.entry(cell.as_str()).or_insert(row as u32);
            short.entry(without_lane(cell)).and_modify(|found| *found = None).or_insert(Some(row as u32));
        }
        Self { exact, short }
    }

    fn find(&self, name: &str) -> Option<u32> {
        let exact = self.exact.get(name).copied();
        exact.or_else(|| self.short.get(without_lane(name)).copied().flatten())
    }
}

/// Read `path`. An error if no column holds names of cells.
fn read(path: &Path, cells: &[String], progress: &dyn Progress) -> Result<Table, TextError> {
    progress.stage("Reading the labels", None);
    let mut lines = Lines::open(path)?;
    let mut sample: Vec<Vec<u8>> = Vec::new();
    while sample.len() < SAMPLE
        && let Some(line) = lines.next_filled()?
    {
        sample.push(line.to_vec());
    }
    let separator = Separator::sniff(&sample).ok_or_else(|| {
        TextError::unexpected(
            lines.name(),
            "lines that no separator splits evenly",
            "a table (.csv or .tsv) with one row per cell",
        )
    })?;
    let split = |line: &[u8]| Fields::new(line, separator).map(|field| text(&field)).collect::<Vec<String>>();
    let first = split(&sample[0]);
    let width = sample.get(1).map_or(first.len(), |line| split(line).len());
    if width > MOST_COLUMNS {
        let found = format!("{} columns", grouped(width));
        return Err(TextError::unexpected(lines.name(), found, "a table with one row and a few columns per cell"));
    }
    let names = CellNames::new(cells);
    let has_header = first.len() < width || !first.iter().any(|field| names.find(field).is_some());
    let mut header = if has_header { first.clone() } else { Vec::new() };
    if has_header && header.len() < width {
        header.insert(0, String::new());
    }
    let mut columns: Vec<Vec<String>> = vec![Vec::new(); width];
    let mut add = |line: &[u8], number: usize| {
        let mut found = 0;
        for field in Fields::new(line, separator) {
            if let Some(column) = columns.get_mut(found) {
                column.push(text(&field));
            }
            found += 1;
        }
        if found != width {
            let place = super::lines::place(&file_name(path), number);
            return Err(TextError::unexpected(
                place,
                counted(found, "field"),
                format!("{width}, as in the lines before"),
            ));
        }
        Ok(())
    };
    for (at, line) in sample.iter().enumerate().skip(usize::from(has_header)) {
        add(line, at + 1)?;
    }
    while let Some(line) = lines.next_filled()? {
        let line = line.to_vec();
        add(&line, lines.number())?;
        if lines.number().is_multiple_of(1 << 14) {
            progress.check()?;
        }
    }
    let found = |column: &Vec<String>| column.iter().filter(|name| names.find(name).is_some()).count();
    let best = (0..width).map(|at| (found(&columns[at]), at)).max_by_key(|&(found, at)| (found, std::cmp::Reverse(at)));
    let Some((_, key)) = best.filter(|(found, _)| *found > 0) else {
        let first_row: Vec<String> = columns.iter().filter_map(|column| column.first().cloned()).collect();
        return Err(TextError::OtherCells {
            file: lines.name().to_owned(),
            cells: listed(cells, 2),
            first: listed(&first_row, 4),
        });
    };
    let rows = columns[key].iter().map(|name| names.find(name)).collect();
    if header.is_empty() {
        // Two columns without names: cells and what they got.
        let name = |at: usize| if width == 2 { "perturbation".to_owned() } else { format!("column {}", at + 1) };
        header = (0..width).map(name).collect();
    }
    Ok(Table { name: lines.name().to_owned(), header, columns, key, cells: rows })
}

impl Table {
    /// The columns in the order of `cells`.
    fn finish(self, cells: &[String], why: &str, others: &[PathBuf]) -> CellLabels {
        let Self { name, header, columns, key, cells: rows } = self;
        let mut lines_of: Vec<Vec<u32>> = vec![Vec::new(); cells.len()];
        let mut strangers = 0;
        for (line, cell) in rows.iter().enumerate() {
            match cell {
                Some(cell) => lines_of[*cell as usize].push(line as u32),
                None => strangers += 1,
            }
        }
        let known = lines_of.iter().filter(|lines| !lines.is_empty()).count();
        let repeated = lines_of.iter().filter(|lines| lines.len() > 1).count();
        let mut warnings = Vec::new();
        let mut warn = |message: String| warnings.push(Warning { message });
        if known < cells.len() {
            warn(format!("{} of {} cells are not in {name}", grouped(cells.len() - known), grouped(cells.len())));
        }
        if repeated > 0 {
            warn(format!("{} in several rows of {name}: their labels were joined by +", counted(repeated, "cell")));
        }
        let mut result = Vec::new();
        for (at, column) in columns.iter().enumerate().filter(|(at, _)| *at != key) {
            let title = if header[at].is_empty() { format!("column {}", at + 1) } else { header[at].clone() };
            let is_number =
                column.iter().all(|field| is_missing(field.as_bytes()) || number(field.as_bytes()).is_some());
            let values = lines_of.iter().map(|lines| match lines[..] {
                [] => None,
                [line] => Some(column[line as usize].clone()),
                _ if is_number => Some(column[lines[0] as usize].clone()),
                _ => {
                    let mut distinct: Vec<&str> = Vec::new();
                    for &line in lines {
                        let word = column[line as usize].as_str();
                        if !distinct.contains(&word) && !is_missing(word.as_bytes()) {
                            distinct.push(word);
                        }
                    }
                    Some(distinct.join("+"))
                }
            });
            let column = if is_number {
                words_or_numbers(&title, values.map(Option::unwrap_or_default).collect())
            } else {
                Column::Words(categories_of(&title, values))
            };
            result.push((title, column));
        }
        let by = if header[key].is_empty() { "its first column".to_owned() } else { format!("column {}", header[key]) };
        let mut reason = format!("{why}; {by} has {} of {}", grouped(known), counted(cells.len(), "cell"));
        if strangers > 0 {
            reason.push_str(&format!(", and {}", counted(strangers, "other")));
        }
        let choice = Choice {
            what: "labels file".to_owned(),
            chosen: name,
            reason,
            alternatives: others.iter().map(|path| file_name(path)).collect(),
        };
        CellLabels { columns: result, choice, warnings }
    }
}

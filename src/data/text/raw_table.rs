//! A table as its file has it: names of rows and columns, numbers, and columns of words.

use std::collections::HashSet;
use std::path::Path;

use super::TextError;
use super::error::shown;
use super::fields::{Fields, Separator, is_missing, number, text};
use super::lines::{Lines, place};
use crate::data::Values;
use crate::data::labels::{KIND_COLUMNS, PERTURBATION_COLUMNS};
use crate::jobs::Progress;
use crate::words::{counted, grouped};

/// Lines, and bytes, looked at to tell what each column holds.
const SAMPLE: usize = 200;
const SAMPLE_BYTES: usize = 64 << 20;
/// A table with more columns is no table.
const MOST_COLUMNS: usize = 1 << 22;
/// What people call the column with the names of the rows.
pub(super) const ROW_NAMES: &[&str] = &[
    "",
    "unnamed: 0",
    "index",
    "cell",
    "cells",
    "cell_id",
    "cellid",
    "cell_name",
    "barcode",
    "barcodes",
    "cell_barcode",
    "gene",
    "genes",
    "gene_id",
    "geneid",
    "gene_name",
    "gene_symbol",
    "symbol",
    "id",
    "name",
    "rownames",
    "row_names",
    "v1",
    "x",
];
/// Columns of numbers that are known not to be genes.
const FACTS: &[&str] = &[
    "control",
    "is_control",
    "batch",
    "gem_group",
    "gemgroup",
    "lane",
    "library",
    "channel",
    "replicate",
    "sample",
    "cell_type",
    "celltype",
    "cell_line",
    "cellline",
    "n_counts",
    "ncounts",
    "total_counts",
    "n_genes",
    "ngenes",
    "n_genes_by_counts",
    "umi_count",
    "umi_counts",
    "read_count",
    "coverage",
    "ncount_rna",
    "nfeature_rna",
    "percent_mito",
    "percent.mt",
    "pct_counts_mt",
    "mitopercent",
    "nperts",
    "guide_count",
    "n_guides",
    "number_of_cells",
    "doublet_score",
    "cluster",
    "leiden",
    "louvain",
    "seurat_clusters",
    "orig.ident",
];

/// Of these, those that hold 0 and 1: other numbers under such a name are values of a condition.
const FLAGS: &[&str] = &["control", "is_control"];

/// Whether a column of this name tells something of cells, whatever it holds.
pub(super) fn is_fact(name: &str) -> bool {
    // Genes are written with capitals, these names usually not.
    let known = |list: &[&str]| list.contains(&name);
    known(FACTS)
        || known(PERTURBATION_COLUMNS)
        || known(KIND_COLUMNS)
        || FACTS.contains(&name.to_lowercase().as_str()) && name.contains(['_', '.'])
}

/// A table in memory.
#[derive(Debug)]
pub(super) struct RawTable {
    /// Name of the file.
    pub(super) name: String,
    pub(super) separator: Separator,
    /// Names of the rows, where the table has them.
    pub(super) rows: Option<Vec<String>>,
    /// Names of the columns of numbers, where the table has them.
    pub(super) columns: Option<Vec<String>>,
    /// Columns of words, and of numbers known not to be genes: name, and one field per row.
    pub(super) facts: Vec<(String, Vec<String>)>,
    pub(super) height: usize,
    pub(super) width: usize,
    /// The numbers that are not zero, row by row, as in a sparse matrix; NaN where a number is missing.
    pub(super) starts: Vec<usize>,
    pub(super) indices: Vec<u32>,
    pub(super) values: Values,
    /// The first number that is missing or not finite: where, and what is there.
    pub(super) gap: Option<(String, String)>,
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    RowName,
    /// Number of the column among the facts.
    Fact(usize),
    /// Number of the column among those of numbers.
    Number(u32),
}

/// What the first lines tell of a table.
struct Plan {
    separator: Separator,
    has_header: bool,
    roles: Vec<Role>,
    /// One per column of the file; empty without a header.
    header: Vec<String>,
    has_row_names: bool,
    facts: Vec<String>,
    width: usize,
}

/// Whether bytes, of which there are `more` in the file, begin a table.
pub(super) fn looks_like_table(start: &[u8], more: bool) -> bool {
    let letter = start.iter().find(|byte| !byte.is_ascii_whitespace());
    if start.contains(&0) || matches!(letter, None | Some(b'{' | b'[' | b'<' | b'%')) {
        return false;
    }
    let mut lines: Vec<Vec<u8>> =
        start.split(|&byte| byte == b'\n').map(|line| line.trim_ascii_end().to_vec()).collect();
    if more && lines.len() > 1 {
        // The last may be cut.
        lines.pop();
    }
    lines.retain(|line| !line.is_empty());
    lines.truncate(SAMPLE);
    if lines.len() < 2 {
        // Lines may be very long; then there are separators enough in one.
        return more
            && [b'\t', b',', b';']
                .iter()
                .any(|separator| start.iter().filter(|byte| *byte == separator).count() > 100);
    }
    Separator::sniff(&lines).is_some()
}

impl RawTable {
    /// Read the table in `path`.
    pub(super) fn read(path: &Path, progress: &dyn Progress) -> Result<Self, TextError> {
        progress.stage("Opening the file", None);
        let mut lines = Lines::open(path)?;
        let mut sample: Vec<Vec<u8>> = Vec::new();
        let mut numbers: Vec<usize> = Vec::new();
        let mut bytes = 0;
        while sample.len() < SAMPLE
            && bytes < SAMPLE_BYTES
            && let Some(line) = lines.next_filled()?
        {
            bytes += line.len();
            let line = line.to_vec();
            sample.push(line);
            numbers.push(lines.number());
            progress.check()?;
        }
        let plan = Plan::of(&sample, lines.name())?;
        let mut table = Self {
            name: lines.name().to_owned(),
            separator: plan.separator,
            rows: plan.has_row_names.then(Vec::new),
            columns: plan.column_names(),
            facts: plan.facts.iter().map(|name| (name.clone(), Vec::new())).collect(),
            height: 0,
            width: plan.width,
            starts: vec![0],
            indices: Vec::new(),
            values: Values::default(),
            gap: None,
        };
        for (line, &number) in sample.iter().zip(&numbers).skip(usize::from(plan.has_header)) {
            progress.check()?;
            table.add(line, number, &plan)?;
        }
        drop(sample);
        loop {
            progress.check()?;
            if table.height.is_multiple_of(64) {
                progress.stage("Reading the table", Some(lines.fraction()));
            }
            let number = lines.number() + 1;
            let Some(line) = lines.next()? else { break };
            if !line.iter().all(u8::is_ascii_whitespace) {
                table.add(line, number, &plan)?;
            }
        }
        Ok(table)
    }

    fn add(&mut self, line: &[u8], line_number: usize, plan: &Plan) -> Result<(), TextError> {
        let mut found = 0;
        for (at, field) in Fields::new(line, plan.separator).enumerate() {
            found += 1;
            match plan.roles.get(at) {
                None => {}
                Some(Role::RowName) => {
                    if let Some(rows) = &mut self.rows {
                        rows.push(text(&field));
                    }
                }
                Some(Role::Fact(fact)) => self.facts[*fact].1.push(text(&field)),
                Some(Role::Number(column)) => {
                    let value = match number(&field) {
                        Some(value) => value,
                        None if is_missing(&field) => f32::NAN,
                        None => {
                            let place = format!("{}, {}", place(&self.name, line_number), plan.column_place(at));
                            return Err(TextError::unexpected(place, shown(&field), "a number"));
                        }
                    };
                    if !value.is_finite() && self.gap.is_none() {
                        let place = format!("{}, {}", place(&self.name, line_number), plan.column_place(at));
                        self.gap = Some((place, shown(&field)));
                    }
                    if value != 0.0 {
                        self.indices.push(*column);
                        self.values.push(value);
                    }
                }
            }
        }
        if found != plan.roles.len() {
            let place = place(&self.name, line_number);
            let expected = format!("{} as in the lines before", grouped(plan.roles.len()));
            return Err(TextError::unexpected(place, counted(found, "field"), expected));
        }
        self.starts.push(self.values.len());
        self.height += 1;
        Ok(())
    }
}

impl Plan {
    fn of(sample: &[Vec<u8>], file: &str) -> Result<Self, TextError> {
        let table = "a table with one row per cell or gene";
        let separator = Separator::sniff(sample)
            .ok_or_else(|| TextError::unexpected(file, "lines that no separator splits evenly", table))?;
        let Some((first, rest)) = sample.split_first().filter(|(_, rest)| !rest.is_empty()) else {
            return Err(TextError::unexpected(file, "a single line", table));
        };
        let width = Fields::new(&rest[0], separator).count();
        if width > MOST_COLUMNS {
            let found = format!("{} columns", grouped(width));
            return Err(TextError::unexpected(file, found, "a table with fewer than 4,194,304 columns"));
        }
        let mut header: Vec<String> = Fields::new(first, separator).map(|field| text(&field)).collect();
        let without_corner = header.len() < width;
        let is_number = |field: &String| number(field.as_bytes()).is_some();
        let numbered = |fields: &[String]| {
            let mut indices = fields.iter().map(|field| field.parse::<usize>().ok());
            let first = indices.next().flatten();
            first.is_some_and(|first| first <= 1 && indices.zip(first + 1..).all(|(index, next)| index == Some(next)))
        };
        let named = header.iter().skip(1).any(|field| !is_number(field) && !is_missing(field.as_bytes()));
        let has_header = without_corner
            || named
            || header.first().is_some_and(|corner| !is_number(corner)) && numbered(&header[1..]);
        if has_header && without_corner {
            header.insert(0, String::new());
        }
        let data = if has_header { rest } else { sample };
        // Per column: fields that are numbers, and fields that are neither numbers nor missing.
        let mut words = vec![0usize; width];
        let mut numbers = vec![0usize; width];
        let mut flags = vec![true; width];
        let mut first_column = HashSet::new();
        let mut distinct = true;
        for line in data {
            for (at, field) in Fields::new(line, separator).take(width).enumerate() {
                let is_number = number(&field).is_some() && !is_missing(&field);
                numbers[at] += usize::from(is_number);
                flags[at] &= matches!(field.trim_ascii(), b"0" | b"1");
                words[at] += usize::from(!is_number && !is_missing(&field));
                if at == 0 {
                    distinct &= first_column.insert(text(&field));
                }
            }
        }
        let name = |at: usize| if has_header { header[at].as_str() } else { "" };
        let corner = name(0).to_lowercase();
        let is_corner = has_header && ROW_NAMES.contains(&corner.as_str());
        let has_row_names = without_corner
            || (words[0] > 0 && distinct && (is_corner || !is_fact(name(0))))
            || (has_header && ["", "unnamed: 0", "index"].contains(&corner.as_str()) && distinct);
        let mut plan = Self {
            separator,
            has_header,
            roles: Vec::new(),
            header: Vec::new(),
            has_row_names,
            facts: Vec::new(),
            width: 0,
        };
        for at in 0..width {
            let role = if at == 0 && has_row_names {
                Role::RowName
            } else if words[at] > numbers[at]
                || (words[at] + numbers[at] == 0 && data.len() > 1)
                || (has_header && is_fact(name(at)) && (flags[at] || !FLAGS.contains(&name(at))))
            {
                let fact = if has_header { header[at].clone() } else { format!("column {}", at + 1) };
                plan.facts.push(fact);
                Role::Fact(plan.facts.len() - 1)
            } else {
                plan.width += 1;
                Role::Number((plan.width - 1) as u32)
            };
            plan.roles.push(role);
        }
        if plan.width == 0 {
            return Err(TextError::unexpected(file, "no column of numbers", table));
        }
        if has_header {
            plan.header = header;
        }
        Ok(plan)
    }

    fn column_names(&self) -> Option<Vec<String>> {
        let numbers = self.roles.iter().zip(&self.header).filter(|(role, _)| matches!(role, Role::Number(_)));
        self.has_header.then(|| numbers.map(|(_, name)| name.clone()).collect())
    }

    /// `column GENE3`.
    fn column_place(&self, at: usize) -> String {
        match self.header.get(at).filter(|name| !name.is_empty()) {
            Some(name) => format!("column {name}"),
            None => format!("column {}", at + 1),
        }
    }
}

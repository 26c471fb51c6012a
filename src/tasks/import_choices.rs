//! How a data set is read, kept in a small file: beside the data, where it is found by itself, or anywhere, to be named.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::data::preview::Preview;
use crate::data::{Choice, ImportOptions};
use crate::files;

/// What is added to the name of the data for the file of its choices.
pub const ENDING: &str = ".import.toml";
/// The reason that readers give for what was decided for them.
const NAMED: &str = "named by you";

/// What is decided about a file before it is read, and where that was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decisions {
    /// All of it.
    pub options: ImportOptions,
    /// The file that some or all of it came from, and what it says.
    pub file: Option<(PathBuf, ImportOptions)>,
}

impl From<ImportOptions> for Decisions {
    fn from(options: ImportOptions) -> Self {
        Self { options, file: None }
    }
}

impl Decisions {
    /// Those in the file `path`.
    ///
    /// # Errors
    /// If it cannot be read, or is no file of choices.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let failed = || format!("cannot read the choices in {}", path.display());
        let text = std::fs::read_to_string(path).with_context(failed)?;
        let options: ImportOptions = toml::from_str(&text).with_context(failed)?;
        Ok(Self { options: options.clone(), file: Some((path.to_owned(), options)) })
    }

    /// Those in the file beside `data`, if there is one.
    ///
    /// # Errors
    /// If there is one that cannot be read.
    pub fn beside(data: &Path) -> anyhow::Result<Self> {
        let path = beside(data);
        if path.is_file() { Self::read(&path) } else { Ok(Self::default()) }
    }

    /// The same with `options` going before what the file says.
    pub fn under(mut self, options: ImportOptions) -> Self {
        self.options = options.over(self.options);
        self
    }

    /// `choices` with the file named where a decision came from there.
    pub(super) fn named_in(&self, choices: &[Choice]) -> Vec<Choice> {
        let Some((path, written)) = &self.file else { return choices.to_vec() };
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let from_file = |choice: &Choice| {
            let same =
                |of: fn(&ImportOptions) -> Option<&str>| of(written).is_some() && of(written) == of(&self.options);
            match choice.what.as_str() {
                "matrix" => same(|options| options.matrix.as_deref()),
                "perturbation column" => same(|options| options.perturbation_column.as_deref()),
                "gene names" => same(|options| options.gene_column.as_deref()),
                "batch" => same(|options| options.batch_column.as_deref()),
                "cell type" => same(|options| options.cell_type_column.as_deref()),
                "guide column" => same(|options| options.guide_column.as_deref()),
                "values" => written.matrix_kind.is_some() && written.matrix_kind == self.options.matrix_kind,
                "control" => {
                    !written.control_labels.is_empty() && written.control_labels == self.options.control_labels
                }
                "unassigned" => {
                    !written.unassigned_labels.is_empty() && written.unassigned_labels == self.options.unassigned_labels
                }
                "combinations" => same(|options| options.combination_separator.as_deref()),
                "kind of perturbation" => written.kind.is_some() && written.kind == self.options.kind,
                "genes held" => written.genes.is_some() && written.genes == self.options.genes,
                "labels file" => written.labels_file.is_some() && written.labels_file == self.options.labels_file,
                "orientation" => written.orientation.is_some() && written.orientation == self.options.orientation,
                "guide calls" | "guides" => {
                    written.guide_threshold.is_some() && written.guide_threshold == self.options.guide_threshold
                }
                _ => false,
            }
        };
        let renamed = |choice: &Choice| match choice.reason.strip_prefix(NAMED) {
            Some(rest) if from_file(choice) => Choice { reason: format!("named in {name}{rest}"), ..choice.clone() },
            _ => choice.clone(),
        };
        choices.iter().map(renamed).collect()
    }
}

/// Where the choices about `data` are found by themselves: `screen.h5ad.import.toml`.
pub fn beside(data: &Path) -> PathBuf {
    // A folder may be given with a slash at its end.
    let mut name = data.components().as_path().as_os_str().to_owned();
    name.push(ENDING);
    PathBuf::from(name)
}

/// Write `options` to `path`, for the file `data`.
///
/// # Errors
/// If it cannot be written.
pub fn write(path: &Path, options: &ImportOptions, data: &Path) -> anyhow::Result<()> {
    let name = data.file_name().unwrap_or_default().to_string_lossy();
    let table = toml::to_string_pretty(options).context("the choices cannot be written as TOML")?;
    let text = format!(
        "# How grn-explorer reads {name}. Beside the data, as {name}{ENDING}, it is found by itself;\n\
         # from anywhere else it is named with --import FILE.\n\n{table}"
    );
    files::write_whole(path, |file| file.write_all(text.as_bytes()))
        .with_context(|| format!("cannot write {}", path.display()))
}

/// Everything that was decided about a file, by rule or by the user, so that it is read the same way even by other rules.
pub fn settled(options: &ImportOptions, preview: &Preview) -> ImportOptions {
    let chosen = |what: &str| preview.choices.iter().find(|choice| choice.what == what);
    // A file that this program wrote needs no decisions about its labels.
    let own = chosen("perturbation column").is_some_and(|choice| choice.reason == "written by this program");
    let mut settled = options.clone();
    // Tables and 10x files have but one matrix, which has no name.
    let is_path = |name: &str| matches!(name, "X" | "raw/X" | "raw.X") || name.starts_with("layers/");
    let matrix = chosen("matrix").filter(|choice| is_path(&choice.chosen));
    settled.matrix = settled.matrix.or_else(|| matrix.map(|choice| choice.chosen.clone()));
    if !own {
        let column = chosen("perturbation column").filter(|choice| choice.chosen != "none");
        settled.perturbation_column =
            settled.perturbation_column.or_else(|| column.map(|choice| choice.chosen.clone()));
        if settled.control_labels.is_empty() {
            settled.control_labels = preview.control_labels();
        }
    }
    let column = |what: &str| chosen(what).map_or_else(|| "none".to_owned(), |choice| choice.chosen.clone());
    settled.batch_column = settled.batch_column.or_else(|| Some(column("batch")));
    settled.cell_type_column = settled.cell_type_column.or_else(|| Some(column("cell type")));
    settled.guide_column = settled.guide_column.or_else(|| Some(column("guide column")));
    settled.kind = settled.kind.or(Some(preview.kind));
    settled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_beside_the_data_are_found_and_named_as_the_reason() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("screen.h5ad");
        assert_eq!(Decisions::beside(&data).unwrap(), Decisions::default());
        let options = ImportOptions {
            perturbation_column: Some("gene".into()),
            control_labels: vec!["NT".into()],
            combination_separator: Some("--".into()),
            ..ImportOptions::default()
        };
        let path = beside(&data);
        assert_eq!(beside(Path::new("/data/run1/")), Path::new("/data/run1.import.toml"));
        assert!(path.ends_with("screen.h5ad.import.toml"));
        write(&path, &options, &data).unwrap();
        let found = Decisions::beside(&data).unwrap();
        assert_eq!(found.options, options);
        let changed = found.under(ImportOptions { control_labels: vec!["ctrl".into()], ..ImportOptions::default() });
        assert_eq!(changed.options.control_labels, ["ctrl"]);
        assert_eq!(changed.options.perturbation_column.as_deref(), Some("gene"));
        let choice = |what: &str, reason: &str| Choice {
            what: what.into(),
            chosen: String::new(),
            reason: reason.into(),
            alternatives: Vec::new(),
        };
        let named = changed.named_in(&[
            choice("perturbation column", "named by you"),
            choice("control", "named by you; 12 cells"),
            choice("matrix", "the only one"),
        ]);
        let reasons: Vec<&str> = named.iter().map(|choice| choice.reason.as_str()).collect();
        assert_eq!(reasons, ["named in screen.h5ad.import.toml", "named by you; 12 cells", "the only one"]);
    }

    #[test]
    fn a_file_that_is_not_of_choices_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.toml");
        std::fs::write(&path, "perturbation_colum = \"gene\"\n").unwrap();
        let error = format!("{:#}", Decisions::read(&path).unwrap_err());
        assert!(error.contains("x.toml") && error.contains("perturbation_colum"), "{error}");
    }
}

//! Genes, captured guides and other features in one matrix, as Cell Ranger writes them.

use super::guides::{CALL_COLUMN, DEFAULT_GUIDE_THRESHOLD, Guide, call_guides};
use super::{Column, Frame, ImportError, MemoryFrame, ReadMatrix, Source, understand};
use crate::data::{Choice, CsrMatrix, Dataset, ImportOptions, Values};
use crate::jobs::{Cancelled, Progress};
use crate::words::{counted, listed};

/// Column of the features that tells what each is.
pub(in crate::data) const TYPE_COLUMN: &str = "feature_type";
/// Column of the features that tells the gene that a guide targets.
pub(in crate::data) const TARGET_COLUMN: &str = "target_gene_name";
const GENES: &str = "Gene Expression";
const GUIDES: &str = "CRISPR Guide Capture";

/// Which features are genes, and which are captured guides.
#[derive(Debug)]
pub(in crate::data) struct FeatureTypes {
    /// Rising.
    pub(in crate::data) genes: Vec<u32>,
    /// Rising.
    pub(in crate::data) guides: Vec<u32>,
    /// What was taken for genes, and what was left out.
    pub(in crate::data) choice: Choice,
}

impl FeatureTypes {
    /// Those of `features`; none where all are genes. Features that are neither (antibodies, tags) are left out.
    pub(in crate::data) fn of(features: &MemoryFrame) -> Result<Option<Self>, ImportError> {
        let Some(types) = types(features)? else { return Ok(None) };
        let of = |wanted: &str| -> Vec<u32> {
            types.iter().zip(0..).filter(|(kind, _)| *kind == wanted).map(|(_, at)| at).collect()
        };
        let (genes, guides) = (of(GENES), of(GUIDES));
        if genes.is_empty() {
            let mut found = types.clone();
            found.sort();
            found.dedup();
            let found = format!("only features of type {}", listed(&found, 4));
            let expected = format!("genes (type {GENES})");
            return Err(ImportError::Features { frame: features.name().to_owned(), found, expected });
        }
        let rest = types.len() - genes.len() - guides.len();
        let mut reason = format!("of type {GENES}");
        if rest > 0 {
            let mut others: Vec<String> =
                types.iter().filter(|kind| *kind != GENES && *kind != GUIDES).cloned().collect();
            others.sort();
            others.dedup();
            reason = format!("{reason}; {} left out ({})", counted(rest, "other feature"), listed(&others, 3));
        }
        let chosen = counted(genes.len(), "gene");
        let choice = Choice { what: "features".to_owned(), chosen, reason, alternatives: Vec::new() };
        Ok(Some(Self { genes, guides, choice }))
    }

    /// Label `cells` by the molecules `counts` of the captured guides (cells × guides). Gives back the name of the new column.
    pub(in crate::data) fn call(
        &self,
        counts: &CsrMatrix,
        features: &MemoryFrame,
        cells: &mut MemoryFrame,
        source: &mut Source,
        options: &ImportOptions,
    ) -> Result<String, ImportError> {
        let threshold = options.guide_threshold.unwrap_or(DEFAULT_GUIDE_THRESHOLD);
        let guides = named(features, &self.guides)?;
        let calls = call_guides(counts, &guides, threshold, options.guide_threshold.is_some());
        source.choices.push(calls.choice);
        source.warnings.extend(calls.warnings);
        Ok(cells.push(CALL_COLUMN, Column::Words(calls.labels)))
    }
}

/// The data set of a matrix cells × features: features that are genes become its genes, captured guides become labels of the cells.
pub(in crate::data) fn finish_features<E>(
    read: ReadMatrix,
    mut cells: MemoryFrame,
    features: &MemoryFrame,
    mut source: Source,
    options: &ImportOptions,
    progress: &dyn Progress,
) -> Result<Dataset, E>
where
    E: From<ImportError> + From<Cancelled>,
{
    let Some(types) = FeatureTypes::of(features)? else {
        let understood = understand::<E, _, _>(&cells, features, None, None, options, progress)?;
        return understood.finish(read, source, options, progress);
    };
    source.choices.push(types.choice.clone());
    let mut sure = None;
    if !types.guides.is_empty() {
        progress.stage("Calling guides", None);
        let counts = select_columns(&read.matrix, &types.guides)?;
        sure = Some(types.call(&counts, features, &mut cells, &mut source, options)?);
        progress.check()?;
    }
    let matrix = select_columns(&read.matrix, &types.genes)?;
    let mut evidence = super::Evidence::default();
    evidence.add_all(matrix.values().iter());
    let read = ReadMatrix { matrix, evidence, added_up: read.added_up };
    let var = features.select(&types.genes);
    let understood = understand::<E, _, _>(&cells, &var, None, sure.as_deref(), options, progress)?;
    understood.finish(read, source, options, progress)
}

/// The type of each feature; none where the file does not tell, or all are genes.
fn types(features: &MemoryFrame) -> Result<Option<Vec<String>>, ImportError> {
    if !features.columns().iter().any(|column| column == TYPE_COLUMN) {
        return Ok(None);
    }
    let words = features.words(TYPE_COLUMN)?;
    if !words.levels.iter().any(|level| level != GENES)
        || !words.levels.iter().any(|level| level == GENES || level == GUIDES)
    {
        return Ok(None);
    }
    let name = |code: &Option<u32>| code.map(|code| words.levels[code as usize].clone()).unwrap_or_default();
    Ok(Some(words.codes.iter().map(name).collect()))
}

fn named(features: &MemoryFrame, guides: &[u32]) -> Result<Vec<Guide>, ImportError> {
    let names = features.row_names()?;
    let has_targets = features.columns().iter().any(|column| column == TARGET_COLUMN);
    let targets = if has_targets { Some(features.words(TARGET_COLUMN)?) } else { None };
    let guide = |&at: &u32| {
        let target = targets.as_ref().and_then(|targets| {
            let target = &targets.levels[targets.codes[at as usize]? as usize];
            (!target.trim().is_empty()).then(|| target.clone())
        });
        Guide { name: names[at as usize].clone(), target }
    };
    Ok(guides.iter().map(guide).collect())
}

/// The `columns` of `matrix`, which are increasing.
fn select_columns(matrix: &CsrMatrix, columns: &[u32]) -> Result<CsrMatrix, ImportError> {
    const GONE: u32 = u32::MAX;
    let mut place = vec![GONE; matrix.columns()];
    for (new, &old) in columns.iter().enumerate() {
        place[old as usize] = new as u32;
    }
    let mut starts = Vec::with_capacity(matrix.rows() + 1);
    starts.push(0);
    let (mut indices, mut values) = (Vec::new(), Values::default());
    for row in 0..matrix.rows() {
        for (column, value) in matrix.row(row).iter() {
            if place[column as usize] != GONE {
                indices.push(place[column as usize]);
                values.push(value);
            }
        }
        starts.push(indices.len());
    }
    Ok(CsrMatrix::new(matrix.rows(), columns.len(), starts, indices, values)?)
}

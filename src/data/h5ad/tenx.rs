//! Cell Ranger's .h5: since version 3 a group `matrix` with features of several types, before one group per genome.
//!
//! Format: 10x Genomics, "HDF5 Feature-Barcode Matrix Format" and, for version 2, "HDF5 Gene-Barcode Matrix Format". The matrix is genes × cells
//! in compressed columns, which are cells × genes in compressed rows.

use std::path::Path;

use hdf5::Group;

use super::H5adError;
use super::array::{FileArray, join};
use super::matrix::{FileMatrix, Keep};
use super::read::named;
use crate::data::import::{
    Column, FeatureTypes, Frame, MemoryFrame, Source, TARGET_COLUMN, TYPE_COLUMN, Understood, categories_of, understand,
};
use crate::data::text::{cell_labels, data_set_name};
use crate::data::{Choice, ImportOptions};
use crate::jobs::{Part, Progress};
use crate::words::{counted, grouped};

/// Where the parts of the matrix lie in the file.
#[derive(Debug)]
pub(super) enum TenX {
    /// `matrix`, written since version 3.
    Features,
    /// A group per genome, written before; their names, sorted.
    Genomes(Vec<String>),
}

impl TenX {
    /// How `file` is laid out; none if Cell Ranger did not write it.
    pub(super) fn find(file: &Group) -> Option<Self> {
        let has = |group: &Group, names: &[&str]| names.iter().all(|name| group.link_exists(name));
        if let Ok(matrix) = file.group("matrix")
            && has(&matrix, &["barcodes", "features"])
        {
            return Some(Self::Features);
        }
        let mut genomes = file.member_names().ok()?;
        genomes.retain(|name| file.group(name).is_ok_and(|group| has(&group, &["barcodes", "genes", "indptr"])));
        genomes.sort();
        (!genomes.is_empty()).then_some(Self::Genomes(genomes))
    }

    /// Everything but the matrix of the genes; where guides were captured, their counts are read and called.
    pub(super) fn labels_and_names(
        &self,
        file: &Group,
        path: &Path,
        options: &ImportOptions,
        progress: &dyn Progress,
    ) -> Result<(FileMatrix, Understood, Source), H5adError> {
        let (place, layout, choice) = match self {
            Self::Features => ("matrix".to_owned(), "Cell Ranger 3 or later", None),
            Self::Genomes(genomes) => {
                let (genome, choice) = choose_genome(file, genomes, options)?;
                (genome, "Cell Ranger 2", choice)
            }
        };
        let group = file.group(&place).map_err(|error| H5adError::unreadable(&place, &error))?;
        let barcodes = FileArray::open(&group, &place, "barcodes", "the names of the cells")?.texts()?;
        let (features, columns, names) = match self {
            Self::Features => features(&group, &place)?,
            Self::Genomes(_) => genes(&group, &place)?,
        };
        let cells = barcodes.len();
        check_shape(&group, &place, columns, cells)?;
        progress.check()?;
        let types = FeatureTypes::of(&features)?;
        let matrix = |chosen: Option<&[u32]>| FileMatrix::of_rows(&group, &place, cells, columns, chosen);

        let mut source = Source { name: data_set_name(path), path: path.to_owned(), ..Source::default() };
        source.choices.push(Choice {
            what: "matrix".to_owned(),
            chosen: place.clone(),
            reason: format!("written by {layout}, {} features × {} cells", grouped(columns), grouped(cells)),
            alternatives: choice.unwrap_or_default(),
        });
        let labels = cell_labels(path, &[], &barcodes, options, progress)?;
        let mut frame = MemoryFrame::new(join(&place, "barcodes"), barcodes);
        if let Some(labels) = labels {
            source.choices.push(labels.choice);
            source.warnings.extend(labels.warnings);
            frame = frame.with_first(labels.columns);
        }
        let Some(types) = types else {
            let understood = understand::<H5adError, _, _>(&frame, &features, None, None, options, progress)?;
            return Ok((matrix(None)?, understood, source));
        };
        source.choices.push(types.choice.clone());
        let mut sure = None;
        if !types.guides.is_empty() {
            // Few of the values are theirs.
            let keep = Keep { stored: Some(0), ..Keep::default() };
            let guides = matrix(Some(&types.guides))?;
            let read = guides.read(&keep, &Part::named(progress, "Calling guides", 0.0..1.0));
            let guide_names: Vec<String> = types.guides.iter().map(|&guide| names[guide as usize].clone()).collect();
            let read = read.map_err(|error| named(error, &frame.row_names().unwrap_or_default(), &guide_names))?;
            sure = Some(types.call(&read.matrix, &features, &mut frame, &mut source, options)?);
        }
        let var = features.select(&types.genes);
        let understood = understand::<H5adError, _, _>(&frame, &var, None, sure.as_deref(), options, progress)?;
        Ok((matrix(Some(&types.genes))?, understood, source))
    }
}

/// The genome that the user names as matrix, or the one with most values; and the others.
fn choose_genome(
    file: &Group,
    genomes: &[String],
    options: &ImportOptions,
) -> Result<(String, Option<Vec<String>>), H5adError> {
    let chosen = match &options.matrix {
        Some(wanted) => genomes.iter().find(|genome| *genome == wanted).ok_or_else(|| H5adError::UnknownMatrix {
            matrix: wanted.clone(),
            available: crate::words::listed(genomes, 12),
        })?,
        None => {
            let stored = |genome: &&String| file.dataset(&join(genome, "data")).map_or(0, |data| data.size());
            // Of equals the first.
            let most = genomes.iter().rev().max_by_key(stored);
            most.unwrap_or(&genomes[0])
        }
    };
    let others: Vec<String> = genomes.iter().filter(|genome| *genome != chosen).cloned().collect();
    Ok((chosen.clone(), Some(others)))
}

/// A frame, its length, and the names of its rows.
type Features = (MemoryFrame, usize, Vec<String>);

fn features(group: &Group, place: &str) -> Result<Features, H5adError> {
    let place = join(place, "features");
    let group = group.group("features").map_err(|error| H5adError::unreadable(&place, &error))?;
    let names = FileArray::open(&group, &place, "name", "the names of the features")?.texts()?;
    let mut frame = MemoryFrame::new(place.as_str(), names.clone());
    for (member, column) in
        [("id", "gene_id"), ("feature_type", TYPE_COLUMN), ("genome", "genome"), (TARGET_COLUMN, TARGET_COLUMN)]
    {
        // Not all are always there.
        if group.link_exists(member) {
            let words = FileArray::open(&group, &place, member, "one word per feature")?;
            push_words(&mut frame, &words, column, names.len())?;
        }
    }
    Ok((frame, names.len(), names))
}

fn genes(group: &Group, place: &str) -> Result<Features, H5adError> {
    let identifiers = FileArray::open(group, place, "genes", "the identifiers of the genes")?;
    let names = if group.link_exists("gene_names") {
        FileArray::open(group, place, "gene_names", "the names of the genes")?.texts()?
    } else {
        identifiers.texts()?
    };
    let mut frame = MemoryFrame::new(join(place, "genes"), names.clone());
    push_words(&mut frame, &identifiers, "gene_id", names.len())?;
    Ok((frame, names.len(), names))
}

fn push_words(frame: &mut MemoryFrame, array: &FileArray, name: &str, length: usize) -> Result<(), H5adError> {
    let words = array.texts()?;
    if words.len() != length {
        let expected = format!("{length}, one for each name");
        return Err(H5adError::unexpected(array.path(), counted(words.len(), "word"), expected));
    }
    frame.push(name, Column::Words(categories_of(name, words.into_iter().map(Some))));
    Ok(())
}

fn check_shape(group: &Group, place: &str, features: usize, cells: usize) -> Result<(), H5adError> {
    let shape = FileArray::open(group, place, "shape", "two numbers, features and cells")?;
    let length = shape.length()?;
    let expected = format!("[{features}, {cells}], as many features and cells as there are names");
    if length != 2 {
        return Err(H5adError::unexpected(shape.path(), counted(length, "number"), expected));
    }
    let found = shape.i64s(0..2)?;
    if found != [features as i64, cells as i64] {
        return Err(H5adError::unexpected(shape.path(), format!("{found:?}"), expected));
    }
    Ok(())
}

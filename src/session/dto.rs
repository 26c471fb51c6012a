//! The layout of version 1, field by field. The program's own types may change; this may not.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::SessionError;
use super::comparing::Comparing;
use super::filter::Filter;
use super::notes::Notes;
use super::page::Page;
use super::paths::Paths;
use super::style;
use crate::data::ImportOptions;
use crate::document::{self, Document, FileReference, GeneAttribute, NetworkFilter, Sources, Style};
use crate::layout;
use crate::models::{AskedCells, TrainConfig};
use crate::training::DeviceChoice;

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Session {
    program_version: String,
    dataset: Option<File>,
    import: ImportOptions,
    model: Option<File>,
    #[serde(skip_serializing_if = "Option::is_none")]
    network: Option<File>,
    training: TrainConfig,
    device: DeviceChoice,
    /// What sessions had before there were filters that combine; read, no longer written.
    #[serde(skip_serializing)]
    threshold: Option<Edges>,
    filter: Option<Filter>,
    layout: Layout,
    #[serde(skip_serializing_if = "Option::is_none")]
    paths: Option<Paths>,
    positions: BTreeMap<String, [f32; 2]>,
    pinned: BTreeSet<String>,
    selection: Vec<String>,
    knock_out: BTreeMap<String, f32>,
    #[serde(skip_serializing_if = "AskedCells::is_usual")]
    asked_cells: AskedCells,
    /// What sessions had before colours could say more; read, no longer written.
    #[serde(skip_serializing)]
    colour_by: Option<Colour>,
    style: Option<style::Style>,
    reference: Option<File>,
    #[serde(skip_serializing_if = "Option::is_none")]
    compared: Option<File>,
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<File>,
    #[serde(skip_serializing_if = "Option::is_none")]
    comparing: Option<Comparing>,
    gene_table: Option<File>,
    gene_sets: Option<File>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gene_names: Option<File>,
    page: Page,
    #[serde(flatten)]
    notes: Notes,
}

/// A reference to a file.
#[derive(Debug, Serialize, Deserialize)]
struct File {
    /// Absolute when saved.
    path: PathBuf,
    /// From the session's folder, where there is a way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    relative: Option<PathBuf>,
    hash: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Edges {
    Top(usize),
    MinimumProbability(f32),
    TopPerRegulator(usize),
}

/// How the network is laid out.
#[derive(Debug, Serialize, Deserialize)]
#[serde(default)]
struct Layout {
    method: Method,
    #[serde(skip_serializing_if = "Option::is_none")]
    centre: Option<String>,
    repulsion: f32,
    spring: f32,
    gravity: f32,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Method {
    Force,
    Layered,
    Circular,
    Communities,
    Concentric,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Colour {
    Prediction,
    Measurement,
    Role,
}

impl Session {
    pub(super) fn of(document: &Document, folder: &Path) -> Self {
        let file = |reference: &Option<FileReference>| reference.as_ref().map(|reference| File::of(reference, folder));
        Self {
            program_version: env!("CARGO_PKG_VERSION").to_owned(),
            dataset: file(&document.sources.dataset),
            import: document.sources.import.clone(),
            model: file(&document.sources.model),
            network: file(&document.sources.network),
            training: document.training.clone(),
            device: document.device,
            threshold: None,
            filter: Some(Filter::of(&document.filter)),
            layout: Layout::of(&document.layout),
            paths: document.paths.as_ref().map(Paths::of),
            positions: (*document.positions).clone(),
            pinned: document.pinned.clone(),
            selection: document.selection.clone(),
            knock_out: document.knock_out.clone(),
            asked_cells: document.asked_cells,
            colour_by: None,
            style: Some(style::Style::of(&document.style)),
            reference: file(&document.sources.reference),
            compared: file(&document.sources.compared),
            before: file(&document.sources.before),
            comparing: document.comparing.as_ref().map(Comparing::of),
            gene_table: file(&document.sources.gene_table),
            gene_sets: file(&document.sources.gene_sets),
            gene_names: file(&document.sources.gene_names),
            page: Page::of(&document.page),
            notes: Notes::of(&document.notes),
        }
    }

    pub(super) fn into_document(self, folder: &Path) -> Result<Document, SessionError> {
        let mut numbers = self.positions.values().flatten().chain(self.knock_out.values());
        if numbers.any(|number| !number.is_finite()) {
            return Err(SessionError::Damaged { reason: "a position or dose is not a number".to_owned() });
        }
        Ok(Document {
            sources: Sources {
                dataset: self.dataset.map(|file| file.into_reference(folder)),
                import: self.import,
                model: self.model.map(|file| file.into_reference(folder)),
                network: self.network.map(|file| file.into_reference(folder)),
                reference: self.reference.map(|file| file.into_reference(folder)),
                compared: self.compared.map(|file| file.into_reference(folder)),
                before: self.before.map(|file| file.into_reference(folder)),
                gene_table: self.gene_table.map(|file| file.into_reference(folder)),
                gene_sets: self.gene_sets.map(|file| file.into_reference(folder)),
                gene_names: self.gene_names.map(|file| file.into_reference(folder)),
            },
            training: self.training,
            device: self.device,
            filter: match (self.filter, self.threshold) {
                (Some(filter), _) => filter.into_filter()?,
                (None, Some(edges)) => edges.into_filter()?,
                (None, None) => Document::default().filter,
            },
            layout: self.layout.into_layout()?,
            paths: self.paths.map(Paths::into_query).transpose()?,
            positions: Arc::new(self.positions),
            pinned: self.pinned,
            selection: self.selection,
            knock_out: self.knock_out,
            asked_cells: self.asked_cells,
            style: match (self.style, self.colour_by) {
                (Some(style), _) => style.into_style(),
                (None, colour) => Style {
                    gene_colour: match colour {
                        None | Some(Colour::Prediction) => GeneAttribute::Prediction,
                        Some(Colour::Measurement) => GeneAttribute::Measurement,
                        Some(Colour::Role) => GeneAttribute::Nothing,
                    },
                    ..Style::default()
                },
            },
            comparing: self.comparing.map(Comparing::into_comparing),
            page: self.page.into_page()?,
            notes: self.notes.into_notes(),
        })
    }
}

impl Edges {
    fn into_filter(self) -> Result<NetworkFilter, SessionError> {
        Ok(match self {
            Self::Top(edges) => NetworkFilter::top(edges),
            Self::TopPerRegulator(edges) => NetworkFilter::per_regulator(edges),
            Self::MinimumProbability(least) if (0.0..=1.0).contains(&least) => NetworkFilter::probable(least),
            Self::MinimumProbability(least) => {
                return Err(SessionError::Damaged { reason: format!("the threshold {least} is no probability") });
            }
        })
    }
}

impl Default for Layout {
    fn default() -> Self {
        Self::of(&document::Layout::default())
    }
}

impl Layout {
    fn of(layout: &document::Layout) -> Self {
        Self {
            method: match layout.method {
                layout::Method::Force => Method::Force,
                layout::Method::Layered => Method::Layered,
                layout::Method::Circular => Method::Circular,
                layout::Method::Communities => Method::Communities,
                layout::Method::Concentric => Method::Concentric,
            },
            centre: layout.centre.clone(),
            repulsion: layout.repulsion,
            spring: layout.spring,
            gravity: layout.gravity,
        }
    }

    fn into_layout(self) -> Result<document::Layout, SessionError> {
        let layout = document::Layout {
            method: match self.method {
                Method::Force => layout::Method::Force,
                Method::Layered => layout::Method::Layered,
                Method::Circular => layout::Method::Circular,
                Method::Communities => layout::Method::Communities,
                Method::Concentric => layout::Method::Concentric,
            },
            centre: self.centre,
            repulsion: self.repulsion,
            spring: self.spring,
            gravity: self.gravity,
        };
        match layout.fault() {
            Some(reason) => Err(SessionError::Damaged { reason }),
            None => Ok(layout),
        }
    }
}

impl File {
    fn of(reference: &FileReference, folder: &Path) -> Self {
        let path = std::path::absolute(&reference.path).unwrap_or_else(|_| reference.path.clone());
        let relative = path.strip_prefix(folder).ok().map(Path::to_owned);
        Self { path, relative, hash: reference.hash.clone() }
    }

    /// The file beside the session, if it is there; else the one where it was.
    fn into_reference(self, folder: &Path) -> FileReference {
        let beside = self.relative.map(|relative| folder.join(relative)).filter(|path| path.exists());
        FileReference { path: beside.unwrap_or(self.path), hash: self.hash }
    }
}

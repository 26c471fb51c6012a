//! Reading what lies beside the network. The document says which files; this follows it, also after a session was opened.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;

use super::{DEFECT, Work, file_name};
use crate::app::attached::Attachment;
use crate::app::state::{Severity, State};
use crate::document::FileReference;
use crate::jobs::{Job, Outcome, Progress, ProgressUpdate};
use crate::network::Grn;
use crate::network::gene_names::GeneNames;
use crate::network::gene_sets::GeneSets;
use crate::network::gene_table::GeneTable;
use crate::network::reference::ReferenceNetwork;
use crate::tasks::networks::OpenedNetwork;
use crate::tasks::{networks, open};
use crate::words::{counted, grouped};

/// What was read.
enum Read {
    Reference(ReferenceNetwork),
    GeneTable(GeneTable),
    GeneSets(GeneSets),
    GeneNames(GeneNames),
    Network(OpenedNetwork),
}

/// The file of each kind that was read or is being read.
#[derive(Default)]
pub(super) struct Attaching {
    known: [Option<PathBuf>; Attachment::ALL.len()],
    running: Vec<(Attachment, FileReference, Job<(Read, String)>)>,
}

impl Attaching {
    fn known(&mut self, kind: Attachment) -> &mut Option<PathBuf> {
        &mut self.known[kind as usize]
    }

    /// What is in `file` (none if in no file) is at hand and need not be read.
    pub(super) fn take(&mut self, kind: Attachment, file: Option<&FileReference>) {
        self.running.retain(|(other, ..)| *other != kind);
        *self.known(kind) = file.map(|file| file.path.clone());
    }

    /// What is being read, for the status bar.
    pub(super) fn activities(&self) -> impl Iterator<Item = (String, ProgressUpdate)> + '_ {
        self.running.iter().map(|(_, file, job)| (format!("Reading {}", file_name(&file.path)), job.progress()))
    }
}

impl Work {
    /// Lay `path` beside the network.
    pub(in crate::app) fn attach(&mut self, kind: Attachment, path: PathBuf, state: &mut State) {
        *self.attaching.known(kind) = None;
        // The hash is known when it was read.
        *kind.source(&mut state.document.sources) = Some(FileReference { path, hash: String::new() });
    }

    pub(super) fn poll_attaching(&mut self, state: &mut State) {
        for kind in Attachment::ALL {
            let wanted = kind.source(&mut state.document.sources).clone();
            if wanted.as_ref().map(|file| &file.path) == self.attaching.known(kind).as_ref() {
                continue;
            }
            state.runtime.attached.forget(kind);
            // Dropping the job before cancels it.
            self.attaching.running.retain(|(other, ..)| *other != kind);
            *self.attaching.known(kind) = wanted.as_ref().map(|file| file.path.clone());
            if let Some(file) = wanted {
                let path = file.path.clone();
                let job = Job::spawn("attachment", self.wake(), move |progress| {
                    let read = match kind {
                        Attachment::Reference => Read::Reference(networks::reference(&path, progress)?),
                        Attachment::GeneTable => Read::GeneTable(GeneTable::read(&path)?),
                        Attachment::GeneSets => Read::GeneSets(GeneSets::read(&path)?),
                        Attachment::GeneNames => Read::GeneNames(GeneNames::read(&path)?),
                        Attachment::Compared | Attachment::Before => {
                            let opened = networks::open(&path, progress)?;
                            anyhow::ensure!(!opened.grn.edges().is_empty(), "it holds no edge");
                            Read::Network(opened)
                        }
                    };
                    progress.check()?;
                    let hash = open::model_reference(&path).context("reading the file again")?.hash;
                    anyhow::Ok((read, hash))
                });
                self.attaching.running.push((kind, file, job));
            }
        }
        let mut ended = Vec::new();
        self.attaching.running.retain_mut(|(kind, file, job)| match job.poll() {
            None => true,
            Some(outcome) => {
                ended.push((*kind, file.clone(), outcome));
                false
            }
        });
        for (kind, file, outcome) in ended {
            match outcome {
                Outcome::Finished((read, hash)) => show(kind, &file, read, hash, state),
                Outcome::Cancelled => {}
                Outcome::Failed { message, panicked } => {
                    *kind.source(&mut state.document.sources) = None;
                    *self.attaching.known(kind) = None;
                    let title = format!("{} cannot be read", file_name(&file.path));
                    let remedy = if panicked { DEFECT } else { kind.expected() };
                    state.runtime.tell(Severity::Error, title, message, remedy);
                }
            }
        }
    }
}

/// Keep what was read, and say what it is.
fn show(kind: Attachment, file: &FileReference, read: Read, hash: String, state: &mut State) {
    let name = file_name(&file.path);
    let network = state.network().cloned();
    let attached = &mut state.runtime.attached;
    // A table or a reference of other genes is of no use: say so.
    let (detail, useless) = match read {
        Read::Reference(reference) => {
            let genes = counted(reference.gene_count(), "gene");
            let signed = grouped(reference.signed_count());
            let edges = counted(reference.edge_count(), "edge");
            let detail = format!("{}: {edges} between {genes}, {signed} with sign", reference.layout());
            attached.reference = Some(Arc::new(reference));
            (detail, false)
        }
        Read::GeneTable(table) => {
            let found = network.as_ref().map_or(0, |network| table.found_in(network));
            let columns = counted(table.columns().count(), "column");
            let detail = format!(
                "{columns}; {} of its {} genes are in the network",
                grouped(found),
                grouped(table.gene_count())
            );
            attached.gene_table = Some(Arc::new(table));
            (detail, found == 0 && network.is_some())
        }
        Read::Network(opened) => {
            let genes = counted(opened.grn.genes().len(), "gene");
            let edges = counted(opened.grn.edges().len(), "edge");
            let shared = |network: &Arc<Grn>| {
                opened.grn.genes().iter().filter(|gene| network.find(&gene.symbol).is_some()).count()
            };
            let none_shared = network.as_ref().is_some_and(|network| shared(network) == 0);
            let opened = Some(Arc::new(opened));
            *(if kind == Attachment::Before { &mut attached.before } else { &mut attached.compared }) = opened;
            (format!("{edges} between {genes}"), none_shared)
        }
        Read::GeneNames(names) => {
            let known =
                |network: &Arc<Grn>| network.genes().iter().filter(|gene| names.gene(&gene.symbol).is_some()).count();
            let found = network.as_ref().map_or(0, known);
            let detail = format!(
                "{}: {} beside {}; {} are in the network",
                names.layout(),
                counted(names.other_count(), "other name"),
                counted(names.gene_count(), "symbol"),
                grouped(found)
            );
            attached.gene_names = Some(Arc::new(names));
            (detail, found == 0 && network.is_some())
        }
        Read::GeneSets(sets) => {
            let detail = counted(sets.sets.len(), "gene set");
            attached.gene_sets = Some(Arc::new(sets));
            (detail, false)
        }
    };
    if !file.hash.is_empty() && file.hash != hash {
        let title = format!("{name} holds something else than when the session was saved");
        state.runtime.tell(Severity::Warning, title, detail, "Look over the results again");
    } else if useless {
        state.runtime.tell(
            Severity::Warning,
            format!("{name} read"),
            detail,
            "Is it about the same species, by symbol?",
        );
    } else {
        state.runtime.tell(Severity::Done, format!("{name} read"), detail, "");
    }
    *kind.source(&mut state.document.sources) = Some(FileReference { path: file.path.clone(), hash });
}

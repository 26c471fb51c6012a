//! From columns of cells, genes and a matrix to a [`Dataset`](super::Dataset): the one way that every file format takes.
//!
//! A reader of a format gives two [`Frame`]s, the cells' and the genes', and the matrix; what the file leaves open is decided here by the
//! rules of published screens ([`super::labels`]), or by the user's [`ImportOptions`](super::ImportOptions). [`understand`] needs no matrix, so that a wrong label is told
//! before a long read; [`Understood::finish`] takes it.

mod choose;
mod error;
mod evidence;
mod features;
mod frame;
mod genes;
mod guides;
mod repeated;
mod screen;
mod triplets;

pub use error::ImportError;
pub use guides::DEFAULT_GUIDE_THRESHOLD;

pub(in crate::data) use evidence::{Evidence, kind_label};
pub(in crate::data) use features::{FeatureTypes, TARGET_COLUMN, TYPE_COLUMN, finish_features};
pub(in crate::data) use frame::{Column, Extended, Frame, MemoryFrame, categories_of, written};
pub(in crate::data) use repeated::add_up_repeated;
pub(in crate::data) use screen::{Notes, ReadMatrix, Source, Understood, understand};
pub(in crate::data) use triplets::Triplets;

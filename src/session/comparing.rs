//! How a comparison with another network is kept.

use serde::{Deserialize, Serialize};

use crate::document::{self, ComparedWith, OtherEdges};

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Comparing {
    with: With,
    #[serde(default)]
    edges: Edges,
    #[serde(default)]
    overlaid: bool,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum With {
    File,
    Reference,
    Before,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Edges {
    #[default]
    SameNumber,
    SameFilter,
    BetweenShown,
}

impl Comparing {
    pub(super) fn of(comparing: &document::Comparing) -> Self {
        Self {
            with: match comparing.with {
                ComparedWith::File => With::File,
                ComparedWith::Reference => With::Reference,
                ComparedWith::Before => With::Before,
            },
            edges: match comparing.edges {
                OtherEdges::SameNumber => Edges::SameNumber,
                OtherEdges::SameFilter => Edges::SameFilter,
                OtherEdges::BetweenShown => Edges::BetweenShown,
            },
            overlaid: comparing.overlaid,
        }
    }

    pub(super) fn into_comparing(self) -> document::Comparing {
        document::Comparing {
            with: match self.with {
                With::File => ComparedWith::File,
                With::Reference => ComparedWith::Reference,
                With::Before => ComparedWith::Before,
            },
            edges: match self.edges {
                Edges::SameNumber => OtherEdges::SameNumber,
                Edges::SameFilter => OtherEdges::SameFilter,
                Edges::BetweenShown => OtherEdges::BetweenShown,
            },
            overlaid: self.overlaid,
        }
    }
}

//! How the style of the network is kept.

use serde::{Deserialize, Serialize};

use crate::document;
use crate::document::{EdgeAttribute, GeneAttribute};

#[derive(Debug, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Style {
    gene_colour: Gene,
    gene_size: Gene,
    edge_colour: Edge,
    edge_width: Edge,
    mark_known: bool,
    show_missing: bool,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Gene {
    Nothing,
    Prediction,
    Measurement,
    OutDegree,
    InDegree,
    PageRank,
    Betweenness,
    Community,
    KnockDown,
    Column(String),
    File,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Edge {
    Nothing,
    Sign,
    Rank,
    Probability,
    Evidence,
    Agreement,
    FalseDiscovery,
    HeldOut,
    Reference,
    File,
}

impl Default for Style {
    fn default() -> Self {
        Self::of(&document::Style::default())
    }
}

impl Style {
    pub(super) fn of(style: &document::Style) -> Self {
        Self {
            gene_colour: Gene::of(&style.gene_colour),
            gene_size: Gene::of(&style.gene_size),
            edge_colour: Edge::of(style.edge_colour),
            edge_width: Edge::of(style.edge_width),
            mark_known: style.mark_known,
            show_missing: style.show_missing,
        }
    }

    pub(super) fn into_style(self) -> document::Style {
        document::Style {
            gene_colour: self.gene_colour.into_attribute(),
            gene_size: self.gene_size.into_attribute(),
            edge_colour: self.edge_colour.into_attribute(),
            edge_width: self.edge_width.into_attribute(),
            mark_known: self.mark_known,
            show_missing: self.show_missing,
        }
    }
}

impl Gene {
    fn of(attribute: &GeneAttribute) -> Self {
        match attribute {
            GeneAttribute::Nothing => Self::Nothing,
            GeneAttribute::Prediction => Self::Prediction,
            GeneAttribute::Measurement => Self::Measurement,
            GeneAttribute::OutDegree => Self::OutDegree,
            GeneAttribute::InDegree => Self::InDegree,
            GeneAttribute::PageRank => Self::PageRank,
            GeneAttribute::Betweenness => Self::Betweenness,
            GeneAttribute::Community => Self::Community,
            GeneAttribute::KnockDown => Self::KnockDown,
            GeneAttribute::Column(name) => Self::Column(name.clone()),
            GeneAttribute::File => Self::File,
        }
    }

    fn into_attribute(self) -> GeneAttribute {
        match self {
            Self::Nothing => GeneAttribute::Nothing,
            Self::Prediction => GeneAttribute::Prediction,
            Self::Measurement => GeneAttribute::Measurement,
            Self::OutDegree => GeneAttribute::OutDegree,
            Self::InDegree => GeneAttribute::InDegree,
            Self::PageRank => GeneAttribute::PageRank,
            Self::Betweenness => GeneAttribute::Betweenness,
            Self::Community => GeneAttribute::Community,
            Self::KnockDown => GeneAttribute::KnockDown,
            Self::Column(name) => GeneAttribute::Column(name),
            Self::File => GeneAttribute::File,
        }
    }
}

impl Edge {
    fn of(attribute: EdgeAttribute) -> Self {
        match attribute {
            EdgeAttribute::Nothing => Self::Nothing,
            EdgeAttribute::Sign => Self::Sign,
            EdgeAttribute::Rank => Self::Rank,
            EdgeAttribute::Probability => Self::Probability,
            EdgeAttribute::Evidence => Self::Evidence,
            EdgeAttribute::Agreement => Self::Agreement,
            EdgeAttribute::FalseDiscovery => Self::FalseDiscovery,
            EdgeAttribute::HeldOut => Self::HeldOut,
            EdgeAttribute::Reference => Self::Reference,
            EdgeAttribute::File => Self::File,
        }
    }

    fn into_attribute(self) -> EdgeAttribute {
        match self {
            Self::Nothing => EdgeAttribute::Nothing,
            Self::Sign => EdgeAttribute::Sign,
            Self::Rank => EdgeAttribute::Rank,
            Self::Probability => EdgeAttribute::Probability,
            Self::Evidence => EdgeAttribute::Evidence,
            Self::Agreement => EdgeAttribute::Agreement,
            Self::FalseDiscovery => EdgeAttribute::FalseDiscovery,
            Self::HeldOut => EdgeAttribute::HeldOut,
            Self::Reference => EdgeAttribute::Reference,
            Self::File => EdgeAttribute::File,
        }
    }
}

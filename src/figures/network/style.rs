//! How a network is shown: what colours, sizes and widths say.

use std::sync::Arc;

use crate::evaluation::networks::EdgeVerdict;
use crate::figures::scene::Colour;
use crate::network::{GeneId, Sign, SignEvidence};

/// What the nodes' colours show.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum NodeColour {
    /// Nothing.
    #[default]
    Plain,
    /// A shift per gene: from below zero over zero to above.
    Shift {
        /// By position of the gene in the network; not finite for none.
        values: Vec<f32>,
        /// Where the colour scale ends; none for the 98th percentile of the absolute values.
        limit: Option<f32>,
        /// What the values are, with the unit: `Predicted shift (log)`.
        label: String,
    },
    /// A number per gene: from the least shown to the most.
    Amount {
        /// By position of the gene in the network; not finite for none.
        values: Vec<f32>,
        /// What the values are: `Betweenness`.
        label: String,
    },
    /// What has arrived at each gene, as a share of the most: on a logarithmic scale that stays the same from figure to
    /// figure. Nothing arrived where it is zero.
    Arrived {
        /// By position of the gene in the network, 0 to 1; not finite for none.
        shares: Vec<f32>,
        /// The share at which the scale begins; smaller ones look like it.
        least: f32,
        /// What the values are: `Arrived by step 2`.
        label: String,
        /// What else the legend says of them.
        note: String,
    },
    /// A group per gene. The first [`GROUP_COLOURS`] groups have colours of their own, the rest share one.
    Groups {
        /// By position of the gene in the network: a position in `names`.
        of_gene: Vec<Option<u32>>,
        /// What the groups are called.
        names: Vec<String>,
        /// What they are: `Community`.
        label: String,
    },
    /// Colours that a file gave, by position of the gene in the network; those without one are plain.
    Given(Arc<[Option<Colour>]>),
}

/// Groups that have a colour of their own.
pub const GROUP_COLOURS: usize = 7;

/// What the nodes' sizes show.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum NodeSize {
    /// The number of targets shown.
    #[default]
    Targets,
    /// Nothing: all the same.
    Same,
    /// The size of a number per gene, whatever its sign; the area of a disc grows with it.
    Amount {
        /// By position of the gene in the network; not finite for none, drawn smallest.
        values: Vec<f32>,
        /// What the values are.
        label: String,
    },
    /// Diameters that a file gave, in the units of the positions, by position of the gene in the network.
    Given(Arc<[Option<f32>]>),
}

/// What the edges' colours show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum EdgeColour {
    /// Activation or repression.
    #[default]
    Sign,
    /// Nothing.
    Plain,
    /// The probability.
    Probability,
    /// What the sign rests on.
    Evidence,
    /// The share of an ensemble's members that keep the edge.
    Agreement,
    /// The false discovery rate.
    FalseDiscovery,
    /// What held-out cells say, by rank − 1 of the network's edges.
    Tested(Arc<[EdgeVerdict]>),
    /// Whether the reference knows the edge.
    Known,
    /// Colours that a file gave, by rank − 1 of the network's edges; those without one have that of their sign.
    Given(Arc<[Option<Colour>]>),
}

/// What the edges' widths show.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum EdgeWidth {
    /// The rank among the edges shown.
    #[default]
    Rank,
    /// Nothing: all the same.
    Same,
    /// The probability.
    Probability,
    /// The share of an ensemble's members that keep the edge.
    Agreement,
    /// Whether the reference knows the edge.
    Known,
    /// Widths that a file gave, in the units of the positions, by rank − 1 of the network's edges.
    Given(Arc<[Option<f32>]>),
}

/// What a reference network says about the edges shown.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReferenceLines {
    /// What it is called: `CollecTRI`.
    pub label: String,
    /// By rank − 1 of the network's edges: whether the reference knows the edge.
    pub known: Vec<bool>,
    /// Whether known edges carry a mark beside their colour.
    pub mark: bool,
    /// Edges of the reference that the network does not show; drawn dashed.
    pub missing: Vec<(GeneId, GeneId, Sign)>,
}

/// How a network is shown.
#[derive(Clone, Debug, PartialEq)]
pub struct NetworkStyle {
    /// Font size in points: 6 to 8 in print, 11 to 13 on the screen.
    pub text_size: f32,
    /// Whether the strip that explains it is drawn.
    pub legend: bool,
    /// What the nodes' colours show.
    pub colour: NodeColour,
    /// What the nodes' sizes show.
    pub size: NodeSize,
    /// What the edges' colours show.
    pub edge_colour: EdgeColour,
    /// What the edges' widths show.
    pub edge_width: EdgeWidth,
    /// How many edges every member of an ensemble keeps, its best; none for as many as are shown.
    pub members_keep: Option<usize>,
    /// What a reference network says about the edges.
    pub reference: Option<ReferenceLines>,
    /// Genes that the user selected; their edges are drawn above the others.
    pub selected: Vec<GeneId>,
    /// Ranks of edges to point out instead of those of the selected genes; rising.
    pub emphasised: Vec<u32>,
    /// What the legend calls them; where it is given, the edges of selected genes are never pointed out instead.
    pub emphasis: Option<String>,
    /// The gene under the pointer.
    pub hovered: Option<GeneId>,
    /// Genes knocked out in the prediction that is shown.
    pub knocked_out: Vec<GeneId>,
    /// Whether genes without a visible edge are shown too.
    pub isolated: bool,
    /// Whether genes that were perturbed in the screen carry a ring.
    pub mark_perturbed: bool,
}

impl Default for NetworkStyle {
    fn default() -> Self {
        Self {
            text_size: 7.0,
            legend: true,
            colour: NodeColour::Plain,
            size: NodeSize::default(),
            edge_colour: EdgeColour::default(),
            edge_width: EdgeWidth::default(),
            members_keep: None,
            reference: None,
            selected: Vec::new(),
            emphasised: Vec::new(),
            emphasis: None,
            hovered: None,
            knocked_out: Vec::new(),
            isolated: false,
            mark_perturbed: true,
        }
    }
}

/// A colour that depends on the theme.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Tint {
    /// From the lowest (−1) over none (0) to the highest (1).
    Diverging(f32),
    /// From the least (0) to the most (1).
    Sequential(f32),
    /// One of the first [`GROUP_COLOURS`] groups, or one of the rest.
    Group(u32),
}

/// The colour of an edge.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum EdgeTint {
    /// That of its sign.
    #[default]
    Sign,
    /// That of edges without a sign.
    Plain,
    /// From the least probable (0) to the most (1).
    Sequential(f32),
    /// What its sign rests on.
    Evidence(SignEvidence),
    /// What held-out cells say.
    Tested(EdgeVerdict),
    /// Known to the reference, or not.
    Known(bool),
    /// Known to the reference only.
    Missing,
    /// What a file gave.
    Given(Colour),
    /// In both of two networks that are compared.
    Both,
    /// Only in the first.
    Left,
    /// Only in the second.
    Right,
}

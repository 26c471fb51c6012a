//! The network as a figure: regulators and targets where the layout put them, arrows for activation, tees for repression.
//!
//! [`NetworkFigure`] is plain data; [`NetworkFigure::scene`] draws it through a [`Camera`] and is quick enough to be called
//! for every frame in which something changed.

mod build;
mod camera;
mod compare;
mod draw;
mod edges;
mod hits;
mod labels;
mod legend;
mod links;
mod style;

pub use camera::{Area, Camera};
pub use compare::{CompareFigure, CompareScene, CompareStyle, Pane};
pub use hits::{NetworkHits, NodeHit};
pub use labels::PlacedLabel;
pub(in crate::figures) use legend::bar_of;
pub use legend::{EdgeKey, GroupKey, NetworkLegend, ScaleKey, ScaleKind, SizeKey, WidthKey};
pub use style::{
    EdgeColour, EdgeTint, EdgeWidth, GROUP_COLOURS, NetworkStyle, NodeColour, NodeSize, ReferenceLines, Tint,
};

use super::scene::{Colour, Scene};
use crate::network::{GeneId, Sign};

/// A gene of the figure.
#[derive(Clone, Debug, PartialEq)]
pub struct NetworkNode {
    /// Which gene of the network.
    pub gene: GeneId,
    /// What is written beside it.
    pub label: String,
    /// In the layout's plane.
    pub position: [f32; 2],
    /// In points when neighbours are 40 points apart; grows and shrinks a little with the zoom.
    pub radius: f32,
    /// What its colour says; none for the theme's plain node.
    pub tint: Option<Tint>,
    /// A colour of its own, before that of its tint.
    pub fill: Option<Colour>,
    /// Its label is placed before those of lower priority.
    pub priority: f32,
    /// Selected by the user.
    pub selected: bool,
    /// Under the pointer.
    pub hovered: bool,
    /// Perturbed in the screen.
    pub perturbed: bool,
    /// Knocked out in the prediction that is shown.
    pub knocked_out: bool,
    /// Whether its expression was measured.
    pub measured: bool,
    /// Drawn as an outline only: it is there for its place.
    pub faint: bool,
}

impl NetworkNode {
    /// A gene at `position` with nothing special about it.
    pub(super) fn plain(gene: GeneId, position: [f32; 2]) -> Self {
        Self {
            gene,
            label: String::new(),
            position,
            radius: 4.0,
            tint: None,
            fill: None,
            priority: 0.0,
            selected: false,
            hovered: false,
            perturbed: false,
            knocked_out: false,
            measured: true,
            faint: false,
        }
    }
}

/// A regulator → target edge of the figure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NetworkEdge {
    /// Position of the regulator in [`NetworkFigure::nodes`].
    pub from: usize,
    /// Position of the target.
    pub to: usize,
    /// Arrow, tee or plain end.
    pub sign: Sign,
    /// In points when neighbours are 40 points apart.
    pub width: f32,
    /// 0 to 1; drawn by mixing with the background, so that files need no transparency.
    pub opacity: f32,
    /// What its colour says.
    pub tint: EdgeTint,
    /// Carries a band beside its colour: the reference knows it.
    pub marked: bool,
    /// Not in the network itself.
    pub dashed: bool,
    /// Drawn above the others in full strength.
    pub highlighted: bool,
    /// Bent, because the reverse edge exists too.
    pub curved: bool,
}

/// The data of the figure.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NetworkFigure {
    /// Genes.
    pub nodes: Vec<NetworkNode>,
    /// Edges, least important first: later ones are drawn over earlier ones, and of very many in sight only the last ones
    /// are drawn.
    pub edges: Vec<NetworkEdge>,
    /// What the strip below explains; none for no strip.
    pub legend: Option<NetworkLegend>,
    /// Font size in points.
    pub text_size: f32,
    /// Typical distance between neighbours in the layout's plane; none to estimate it from the positions.
    pub spacing: Option<f32>,
    /// The edges of the genes pointed at stand out; otherwise those of a list do.
    pub by_gene: bool,
}

/// The drawn network.
#[derive(Clone, Debug, PartialEq)]
pub struct NetworkScene {
    /// What to draw.
    pub scene: Scene,
    /// Where nodes and edges are.
    pub hits: NetworkHits,
    /// Where the network is drawn: the figure less its legend. Give it to the camera's functions.
    pub area: Area,
    /// The labels that found room.
    pub labels: Vec<PlacedLabel>,
}

//! Another network beside the open one.

/// Which network the open one is compared with; [`super::Sources`] says where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ComparedWith {
    /// Another model or network file.
    File,
    /// The reference network.
    Reference,
    /// The network that a training run replaced.
    Before,
}

/// Which edges of the other network are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OtherEdges {
    /// As many of its best edges as are shown of the first, that pass the other filters: fair where the probabilities of the
    /// two are on different scales.
    #[default]
    SameNumber,
    /// Those that pass the same filters, numbers and probabilities too.
    SameFilter,
    /// All between the genes shown of the first: for networks that rank no edges.
    BetweenShown,
}

/// A comparison with another network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Comparing {
    /// With which.
    pub with: ComparedWith,
    /// Which of its edges.
    pub edges: OtherEdges,
    /// One over the other instead of side by side.
    pub overlaid: bool,
}

impl Comparing {
    /// A comparison as it begins.
    pub fn with(with: ComparedWith) -> Self {
        let edges = if with == ComparedWith::Reference { OtherEdges::BetweenShown } else { OtherEdges::default() };
        Self { with, edges, overlaid: false }
    }
}

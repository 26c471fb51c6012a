//! What colours, sizes and widths of the network say.

/// What the colour or size of a gene says.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum GeneAttribute {
    /// Nothing.
    Nothing,
    /// The predicted shift under the knock-out asked for.
    Prediction,
    /// The measured shift under the perturbation shown.
    Measurement,
    /// Number of edges shown out of the gene.
    OutDegree,
    /// Number of edges shown into the gene.
    InDegree,
    /// PageRank in the edges shown.
    PageRank,
    /// Betweenness in the edges shown.
    Betweenness,
    /// Community of the edges shown.
    Community,
    /// Its own measured shift when it was perturbed.
    KnockDown,
    /// A column of the user's table.
    Column(String),
    /// As the network file has it.
    File,
}

/// What the colour or width of an edge says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EdgeAttribute {
    /// Nothing.
    Nothing,
    /// Activation or repression; colours only.
    Sign,
    /// The rank among the edges shown; widths only.
    Rank,
    /// The probability.
    Probability,
    /// What its sign rests on; colours only.
    Evidence,
    /// The share of an ensemble's members that keep it.
    Agreement,
    /// Its false discovery rate; colours only.
    FalseDiscovery,
    /// What cells say that were held out of the training; colours only.
    HeldOut,
    /// Whether the reference network knows it.
    Reference,
    /// As the network file has it.
    File,
}

/// What colours, sizes and widths of the network say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Style {
    /// Colour of genes.
    pub gene_colour: GeneAttribute,
    /// Size of genes.
    pub gene_size: GeneAttribute,
    /// Colour of edges.
    pub edge_colour: EdgeAttribute,
    /// Width of edges.
    pub edge_width: EdgeAttribute,
    /// Mark edges that the reference network knows, whatever their colour.
    pub mark_known: bool,
    /// Show edges of the reference network between the genes shown that are not among those shown.
    pub show_missing: bool,
}

impl Default for Style {
    fn default() -> Self {
        Self {
            gene_colour: GeneAttribute::Prediction,
            gene_size: GeneAttribute::OutDegree,
            edge_colour: EdgeAttribute::Sign,
            edge_width: EdgeAttribute::Rank,
            mark_known: true,
            show_missing: false,
        }
    }
}

impl GeneAttribute {
    /// Its name for people: `PageRank`.
    pub fn label(&self) -> &str {
        match self {
            Self::Nothing => "Nothing",
            Self::Prediction => "Predicted shift",
            Self::Measurement => "Measured shift",
            Self::OutDegree => "Targets",
            Self::InDegree => "Regulators",
            Self::PageRank => "PageRank",
            Self::Betweenness => "Betweenness",
            Self::Community => "Community",
            Self::KnockDown => "Own shift",
            Self::Column(name) => name,
            Self::File => "As in the file",
        }
    }
}

impl EdgeAttribute {
    /// Its name for people: `Probability`.
    pub fn label(self) -> &'static str {
        match self {
            Self::Nothing => "Nothing",
            Self::Sign => "Sign",
            Self::Rank => "Rank",
            Self::Probability => "Probability",
            Self::Evidence => "Evidence",
            Self::Agreement => "Agreement",
            Self::FalseDiscovery => "False discovery",
            Self::HeldOut => "Held-out test",
            Self::Reference => "Reference",
            Self::File => "As in the file",
        }
    }
}

impl Style {
    /// In words, for the metadata of figures: `colour of genes: community; size of genes: targets; …`.
    pub fn describe(&self) -> String {
        let column = |attribute: &GeneAttribute| match attribute {
            GeneAttribute::Column(name) => format!("column {name}"),
            known => lower(known.label()),
        };
        let mut words = format!(
            "colour of genes: {}; size of genes: {}; colour of edges: {}; width of edges: {}",
            column(&self.gene_colour),
            column(&self.gene_size),
            lower(self.edge_colour.label()),
            lower(self.edge_width.label())
        );
        if self.show_missing {
            words.push_str("; with the other edges of the reference network");
        }
        words
    }
}

/// In small letters but for a name of its own.
fn lower(label: &str) -> String {
    if label == "PageRank" { label.to_owned() } else { label.to_lowercase() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_what_everything_shows() {
        let style = Style {
            gene_colour: GeneAttribute::Column("Essentiality".into()),
            gene_size: GeneAttribute::PageRank,
            edge_colour: EdgeAttribute::Evidence,
            show_missing: true,
            ..Style::default()
        };
        assert_eq!(
            style.describe(),
            "colour of genes: column Essentiality; size of genes: PageRank; colour of edges: evidence; width of edges: rank; \
             with the other edges of the reference network"
        );
    }
}

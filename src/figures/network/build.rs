//! From a [`Grn`] to its figure.

use std::collections::BTreeSet;

use super::{NetworkEdge, NetworkFigure, NetworkLegend, NetworkNode};
use crate::network::{Edge, GeneId, Grn, Sign};

/// What the nodes' colours show.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum NodeColour {
    /// Nothing.
    #[default]
    Plain,
    /// A shift per gene.
    Shift {
        /// By position of the gene in the network; not finite for none.
        values: Vec<f32>,
        /// Where the colour scale ends; none for the 98th percentile of the absolute values.
        limit: Option<f32>,
        /// What the values are, with the unit: `Predicted shift (log)`.
        label: String,
    },
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
    /// Genes that the user selected; their edges are drawn above the others.
    pub selected: Vec<GeneId>,
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
            selected: Vec::new(),
            hovered: None,
            knocked_out: Vec::new(),
            isolated: false,
            mark_perturbed: true,
        }
    }
}

/// Radius of a gene without targets, and what the gene with most targets has more.
const RADIUS: [f32; 2] = [4.2, 7.3];
/// Width of the worst edge, and what the best has more.
const WIDTH: [f32; 2] = [0.6, 1.7];
/// Opacity of the worst edge, and what the best has more.
const OPACITY: [f32; 2] = [0.45, 0.5];

impl NetworkFigure {
    /// The figure of the `visible` edges of `grn`. `positions` has one point per gene of the network; genes without
    /// position (the slice is short, or the point not finite) are left out.
    pub fn of<'a>(
        grn: &Grn,
        visible: impl IntoIterator<Item = &'a Edge>,
        positions: &[[f32; 2]],
        style: &NetworkStyle,
    ) -> Self {
        let genes = grn.genes();
        let placed = |gene: usize| positions.get(gene).is_some_and(|at| at.iter().all(|part| part.is_finite()));
        let mut visible: Vec<&Edge> = visible.into_iter().collect();
        visible.retain(|edge| placed(edge.regulator.0 as usize) && placed(edge.target.0 as usize));
        visible.sort_by_key(|edge| std::cmp::Reverse(edge.rank));

        let mut targets = vec![0_u32; genes.len()];
        let mut shown = vec![style.isolated; genes.len()];
        for edge in &visible {
            targets[edge.regulator.0 as usize] += 1;
            shown[edge.regulator.0 as usize] = true;
            shown[edge.target.0 as usize] = true;
        }
        for gene in style.selected.iter().chain(&style.knocked_out).chain(&style.hovered) {
            if let Some(shown) = shown.get_mut(gene.0 as usize) {
                *shown = true;
            }
        }
        let most = targets.iter().copied().max().unwrap_or(0);
        let radius = |count: u32| RADIUS[0] + RADIUS[1] * share(count, most).sqrt();
        let shift = Shifts::of(&style.colour, &shown);

        let mut at_node = vec![usize::MAX; genes.len()];
        let mut nodes = Vec::new();
        for (at, gene) in genes.iter().enumerate().filter(|(at, _)| shown[*at] && placed(*at)) {
            let id = GeneId(at as u32);
            at_node[at] = nodes.len();
            nodes.push(NetworkNode {
                gene: id,
                label: gene.symbol.clone(),
                position: positions[at],
                radius: radius(targets[at]),
                shift: shift.as_ref().and_then(|shift| shift.share(at)),
                fill: None,
                priority: targets[at] as f32 + if gene.perturbed_cells > 0 { 0.5 } else { 0.0 },
                selected: style.selected.contains(&id),
                hovered: style.hovered == Some(id),
                perturbed: style.mark_perturbed && gene.perturbed_cells > 0,
                knocked_out: style.knocked_out.contains(&id),
                measured: gene.measured,
            });
        }

        let pairs: BTreeSet<(GeneId, GeneId)> = visible.iter().map(|edge| (edge.regulator, edge.target)).collect();
        let count = visible.len();
        let edges: Vec<NetworkEdge> = visible
            .iter()
            .enumerate()
            .map(|(at, edge)| {
                let quality = if count > 1 { at as f32 / (count - 1) as f32 } else { 1.0 };
                let touched = |gene: &GeneId| *gene == edge.regulator || *gene == edge.target;
                NetworkEdge {
                    from: at_node[edge.regulator.0 as usize],
                    to: at_node[edge.target.0 as usize],
                    sign: edge.sign,
                    width: WIDTH[0] + WIDTH[1] * quality * quality,
                    opacity: OPACITY[0] + OPACITY[1] * quality,
                    highlighted: style.selected.iter().chain(&style.hovered).any(touched),
                    curved: edge.regulator != edge.target && pairs.contains(&(edge.target, edge.regulator)),
                }
            })
            .collect();

        let legend = style.legend.then(|| NetworkLegend {
            signs: [Sign::Activates, Sign::Represses, Sign::Unknown]
                .into_iter()
                .filter(|sign| edges.iter().any(|edge| edge.sign == *sign))
                .collect(),
            ranks: (count > 1).then(|| {
                let (worst, best) = (0, count - 1);
                [(visible[best].rank, edges[best].width), (visible[worst].rank, edges[worst].width)]
            }),
            targets: target_steps(most).into_iter().map(|count| (count, radius(count))).collect(),
            no_value: shift.is_some() && nodes.iter().any(|node| node.shift.is_none() && node.measured),
            shift: shift.map(|shift| (shift.limit, shift.label)),
            perturbed: nodes.iter().any(|node| node.perturbed),
            knocked_out: nodes.iter().any(|node| node.knocked_out),
            unmeasured: nodes.iter().any(|node| !node.measured),
        });
        Self { nodes, edges, legend, text_size: style.text_size, spacing: None }
    }
}

fn share(count: u32, most: u32) -> f32 {
    if most == 0 { 0.0 } else { count as f32 / most as f32 }
}

/// Numbers of targets for the legend: 1, about a third, and the most.
fn target_steps(most: u32) -> Vec<u32> {
    match most {
        0 => vec![],
        1 => vec![1],
        2..=4 => vec![1, most],
        _ => vec![1, (most / 3).max(2), most],
    }
}

/// Values with the limit of their colour scale.
struct Shifts<'a> {
    values: &'a [f32],
    limit: f32,
    label: String,
}

impl<'a> Shifts<'a> {
    fn of(colour: &'a NodeColour, shown: &[bool]) -> Option<Self> {
        let NodeColour::Shift { values, limit, label } = colour else { return None };
        let limit = limit.filter(|limit| limit.is_finite() && *limit > 0.0).unwrap_or_else(|| {
            let mut sizes: Vec<f32> = values
                .iter()
                .zip(shown)
                .filter(|(value, shown)| value.is_finite() && **shown)
                .map(|(value, _)| value.abs())
                .collect();
            sizes.sort_by(f32::total_cmp);
            let high = sizes.get((sizes.len().saturating_sub(1)) * 98 / 100).copied().unwrap_or(0.0);
            rounded_up(high)
        });
        Some(Self { values, limit, label: label.clone() })
    }

    fn share(&self, gene: usize) -> Option<f32> {
        let value = *self.values.get(gene)?;
        value.is_finite().then(|| (value / self.limit).clamp(-1.0, 1.0))
    }
}

/// The next of 1, 1.5, 2, 3, 4, 5, 6, 8 times a power of ten.
fn rounded_up(value: f32) -> f32 {
    if !(value.is_finite() && value > 0.0) {
        return 1.0;
    }
    let power = 10.0_f32.powf(value.log10().floor());
    let steps = [1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0];
    steps.into_iter().map(|step| step * power).find(|step| *step >= value * 0.999).unwrap_or(10.0 * power)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_round() {
        assert_eq!([0.37, 1.0, 1.2, 0.0, f32::NAN].map(rounded_up), [0.4, 1.0, 1.5, 1.0, 1.0]);
    }
}

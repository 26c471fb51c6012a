//! Where the genes of a network lie: the layouts of the window and of the command line.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::document::{Document, Layout};
use crate::jobs::{Cancelled, Part, Progress};
use crate::layout::{
    ForceLayout, LayoutConfig, LayoutEdge, LayoutNode, Method, by_community, circular, concentric, layered,
};
use crate::network::statistics::{Topology, communities};
use crate::network::{Edge, GeneId, Grn};

/// Between two steps of a layout that follows the pointer.
const STEP: Duration = Duration::from_millis(8);

/// Of more than [`LARGE`] genes, where fewer than one in so many have a place, all are laid out afresh but for those that are pinned.
const LEAST_KNOWN: usize = 8;
/// Up to so many genes the eye follows single ones: they stay where they are.
const LARGE: usize = 500;

/// Which genes the layout moves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Moving {
    /// Those that have no position yet; the others keep theirs where that is possible, and unless they are very few.
    #[default]
    New,
    /// This one, which was put elsewhere, and those near it.
    Around(GeneId),
    /// All that are not pinned, from where they are.
    All,
}

/// What is laid out.
#[derive(Clone, Debug)]
pub struct Arranging {
    /// The whole network.
    pub network: Arc<Grn>,
    /// The edges shown, by position in [`Grn::edges`].
    pub edges: Vec<u32>,
    /// How.
    pub layout: Layout,
    /// Seed and shape of the area.
    pub config: LayoutConfig,
    /// Where each gene of the network is; none (or a shorter list) for those without a position.
    pub start: Vec<Option<[f32; 2]>>,
    /// Genes that must stay, by position in the network; a shorter list for none.
    pub pinned: Vec<bool>,
    /// What moves.
    pub moving: Moving,
}

impl Arranging {
    /// The `edges` of `network` laid out afresh by `layout`.
    pub fn fresh<'a>(network: &Arc<Grn>, edges: impl IntoIterator<Item = &'a Edge>, layout: Layout) -> Self {
        Self {
            network: network.clone(),
            edges: edges.into_iter().map(|edge| edge.rank - 1).collect(),
            layout,
            config: LayoutConfig::default(),
            start: Vec::new(),
            pinned: Vec::new(),
            moving: Moving::New,
        }
    }

    /// The `edges` of `network` as `document` has them: its layout, where its genes are, and which of them stay.
    pub fn of_document<'a>(network: &Arc<Grn>, edges: impl IntoIterator<Item = &'a Edge>, document: &Document) -> Self {
        let genes = network.genes();
        Self {
            start: genes.iter().map(|gene| document.positions.get(&gene.symbol).copied()).collect(),
            pinned: genes.iter().map(|gene| document.pinned.contains(&gene.symbol)).collect(),
            ..Self::fresh(network, edges, document.layout.clone())
        }
    }

    /// The genes that have an edge shown, in the order of the network: those that are laid out.
    pub fn genes(&self) -> Vec<GeneId> {
        let mut shown = vec![false; self.network.genes().len()];
        for edge in self.shown() {
            shown[edge.regulator.0 as usize] = true;
            shown[edge.target.0 as usize] = true;
        }
        (0..shown.len() as u32).filter(|gene| shown[*gene as usize]).map(GeneId).collect()
    }

    fn shown(&self) -> impl Iterator<Item = &Edge> {
        self.edges.iter().map(|&at| &self.network.edges()[at as usize])
    }

    /// Lay out: one point for each of [`Arranging::genes`]. `on_the_way` sees the points after every step.
    ///
    /// # Errors
    /// When cancelled.
    pub fn run(
        &self,
        progress: &dyn Progress,
        on_the_way: &mut dyn FnMut(&[[f32; 2]]),
    ) -> Result<Vec<[f32; 2]>, Cancelled> {
        let Prepared { genes, slot, nodes, edges, start, before } = self.prepare();
        let pinned = |at: usize| self.pinned.get(genes[at].0 as usize).copied().unwrap_or(false);
        let config = self.layout.config(self.config);
        let all_known = start.iter().all(Option::is_some);
        let stays = all_known && !matches!(self.moving, Moving::All);
        let mut positions = match self.layout.method {
            Method::Force => {
                let mut layout = self.forces(&genes, &nodes, &edges, &start);
                match self.moving {
                    Moving::New => {}
                    Moving::All => layout.loosen(),
                    Moving::Around(gene) => {
                        if let Some(&at) = slot.get(gene.0 as usize) {
                            layout.disturb(at as usize);
                        }
                    }
                }
                while layout.step() {
                    progress.check()?;
                    on_the_way(&turned(layout.positions(), &before));
                }
                return Ok(turned(layout.positions(), &before).into_owned());
            }
            // What is in order stays in order: only new genes, or the user, ask for another.
            _ if stays => start.iter().map(|at| at.unwrap_or_default()).collect(),
            Method::Layered => layered(&nodes, &edges, &config),
            Method::Circular => circular(&nodes, &edges, &config),
            Method::Communities => {
                let found = Part::named(progress, "Finding communities", 0.0..0.3);
                let topology = Topology::of(self.network.genes().len(), self.shown());
                let number = communities(&topology, self.config.seed, &found)?.of_gene;
                let of_node: Vec<u32> = genes.iter().map(|gene| number[gene.0 as usize].unwrap_or(u32::MAX)).collect();
                by_community(
                    &nodes,
                    &edges,
                    &of_node,
                    &LayoutConfig { aspect: config.aspect, ..self.config },
                    progress,
                )?
            }
            Method::Concentric => {
                let centre = self.layout.centre.as_deref().and_then(|symbol| self.network.find(symbol));
                let centre = centre.map_or(u32::MAX, |gene| slot[gene.0 as usize]);
                concentric(&nodes, &edges, centre as usize, &config)
            }
        };
        progress.check()?;
        for (at, position) in positions.iter_mut().enumerate().filter(|(at, _)| pinned(*at)) {
            *position = start[at].unwrap_or(*position);
        }
        on_the_way(&positions);
        Ok(positions)
    }

    /// Where every gene of the network is: those that are shown stay where all of them have a place, and are laid out
    /// otherwise; the others are nowhere (not finite).
    ///
    /// # Errors
    /// When cancelled.
    pub fn positions(&self, progress: &dyn Progress) -> Result<Vec<[f32; 2]>, Cancelled> {
        let start = |gene: &GeneId| self.start.get(gene.0 as usize).copied().flatten();
        match self.genes().iter().map(start).collect::<Option<Vec<[f32; 2]>>>() {
            Some(placed) => Ok(self.by_gene(&placed)),
            None => Ok(self.by_gene(&self.run(progress, &mut |_| {})?)),
        }
    }

    /// `placed`, one point for each of [`Arranging::genes`], by gene of the network; not finite for all others.
    pub fn by_gene(&self, placed: &[[f32; 2]]) -> Vec<[f32; 2]> {
        let mut positions = vec![[f32::NAN; 2]; self.network.genes().len()];
        for (gene, position) in self.genes().iter().zip(placed) {
            positions[gene.0 as usize] = *position;
        }
        positions
    }

    fn prepare(&self) -> Prepared {
        let genes = self.genes();
        let mut slot = vec![u32::MAX; self.network.genes().len()];
        genes.iter().enumerate().for_each(|(at, gene)| slot[gene.0 as usize] = at as u32);
        let edges: Vec<LayoutEdge> = self
            .shown()
            .map(|edge| LayoutEdge {
                from: slot[edge.regulator.0 as usize],
                to: slot[edge.target.0 as usize],
                weight: edge.probability,
            })
            .collect();
        let nodes = nodes(genes.len(), &edges);
        let place = |gene: &GeneId| {
            self.start.get(gene.0 as usize).copied().flatten().filter(|at| at.iter().all(|at| at.is_finite()))
        };
        let mut start: Vec<Option<[f32; 2]>> = genes.iter().map(place).collect();
        let known = start.iter().flatten().count();
        let mut before = Vec::new();
        if self.moving == Moving::New && genes.len() > LARGE && known * LEAST_KNOWN < genes.len() {
            let pinned = |gene: &GeneId| self.pinned.get(gene.0 as usize).copied().unwrap_or(false);
            before.clone_from(&start);
            // The places of so few would bend all the others around them.
            for (at, gene) in start.iter_mut().zip(&genes) {
                *at = at.filter(|_| pinned(gene));
            }
            // What is pinned says already how the layout lies.
            if start.iter().any(Option::is_some) {
                before.clear();
            }
        }
        Prepared { genes, slot, nodes, edges, start, before }
    }

    /// The layout by forces, with what is pinned held in place.
    fn forces(
        &self,
        genes: &[GeneId],
        nodes: &[LayoutNode],
        edges: &[LayoutEdge],
        start: &[Option<[f32; 2]>],
    ) -> ForceLayout {
        let known = start.iter().any(Option::is_some).then_some(start);
        let mut layout = ForceLayout::new(nodes, edges, &self.layout.config(self.config), known);
        for (at, gene) in genes.iter().enumerate() {
            if start[at].is_some() && self.pinned.get(gene.0 as usize).copied().unwrap_or(false) {
                layout.hold(at);
            }
        }
        layout
    }

    /// Lay out by forces while `held` says where the pointer holds `gene`, and then until all rests; `gene` stays where it
    /// was let go. Only genes near it move; where [`Moving::All`] is asked for, the whole layout goes on meanwhile.
    /// `on_the_way` sees the points after every step.
    ///
    /// # Errors
    /// When cancelled.
    pub fn follow(
        &self,
        gene: GeneId,
        held: &dyn Fn() -> Option<[f32; 2]>,
        progress: &dyn Progress,
        on_the_way: &mut dyn FnMut(&[[f32; 2]]),
    ) -> Result<Vec<[f32; 2]>, Cancelled> {
        let Prepared { genes, slot, nodes, edges, start, .. } = self.prepare();
        let mut layout = self.forces(&genes, &nodes, &edges, &start);
        let node = slot.get(gene.0 as usize).map_or(usize::MAX, |node| *node as usize);
        let all = self.moving == Moving::All;
        if all {
            layout.loosen();
        }
        let mut last = None;
        loop {
            progress.check()?;
            let now = held();
            match now {
                Some(_) if last == now => {}
                Some(position) if all => layout.carry(node, position),
                Some(position) => layout.drag(node, position),
                None if layout.is_settled() => return Ok(layout.positions().to_vec()),
                None => {}
            }
            last = now;
            let begun = Instant::now();
            if !layout.is_settled() {
                layout.step();
                on_the_way(layout.positions());
            }
            // A small layout would be done between two pictures: it jumped rather than followed.
            std::thread::sleep(STEP.saturating_sub(begun.elapsed()));
        }
    }
}

/// A layout's input.
struct Prepared {
    /// What is laid out.
    genes: Vec<GeneId>,
    /// By position in the network: the position in `genes`.
    slot: Vec<u32>,
    nodes: Vec<LayoutNode>,
    edges: Vec<LayoutEdge>,
    /// By position in `genes`.
    start: Vec<Option<[f32; 2]>>,
    /// Likewise, where the few were that are laid out afresh with all others; empty where none are.
    before: Vec<Option<[f32; 2]>>,
}

/// `positions` mirrored and shifted so that genes come as near as can be to where they were `before`: a fresh layout has neither
/// sides nor a place of its own. It is not turned by other angles: it was made for the shape of the window.
fn turned<'a>(positions: &'a [[f32; 2]], before: &[Option<[f32; 2]>]) -> Cow<'a, [[f32; 2]]> {
    let known: Vec<([f32; 2], [f32; 2])> =
        positions.iter().zip(before).filter_map(|(now, then)| Some((*now, (*then)?))).collect();
    if known.is_empty() {
        return Cow::Borrowed(positions);
    }
    let axis = |axis: usize| {
        let mean = |of: fn(&([f32; 2], [f32; 2])) -> [f32; 2]| {
            known.iter().map(|pair| f64::from(of(pair)[axis])).sum::<f64>() / known.len() as f64
        };
        let (now, then) = (mean(|pair| pair.0), mean(|pair| pair.1));
        let covariance: f64 =
            known.iter().map(|pair| (f64::from(pair.0[axis]) - now) * (f64::from(pair.1[axis]) - then)).sum();
        let side = if covariance < 0.0 { -1.0 } else { 1.0 };
        move |value: f32| (then + side * (f64::from(value) - now)) as f32
    };
    let (x, y) = (axis(0), axis(1));
    Cow::Owned(positions.iter().map(|at| [x(at[0]), y(at[1])]).collect())
}

/// As large as the genes are drawn, and some room for a label: more targets, more room.
fn nodes(count: usize, edges: &[LayoutEdge]) -> Vec<LayoutNode> {
    let mut targets = vec![0_u32; count];
    edges.iter().for_each(|edge| targets[edge.from as usize] += 1);
    let most = targets.iter().copied().max().unwrap_or(0).max(1) as f32;
    targets.into_iter().map(|count| LayoutNode { radius: 8.0 + 8.0 * (count as f32 / most).sqrt() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::Silent;
    use crate::network::fixtures;

    /// Two stars, of G0 and G1, tied by an edge.
    fn network() -> Arc<Grn> {
        let pairs = (2..12).map(|to| (to % 2, to)).chain([(0, 1)]);
        let edges = pairs.map(|(regulator, target)| (regulator, target, 0.9 - target as f32 * 0.01));
        Arc::new(fixtures::network(13, &edges.collect::<Vec<_>>()))
    }

    fn arranging(method: Method) -> Arranging {
        let network = network();
        Arranging::fresh(&network, network.edges(), Layout { method, ..Layout::default() })
    }

    fn run(arranging: &Arranging) -> Vec<[f32; 2]> {
        arranging.run(&Silent, &mut |_| {}).unwrap()
    }

    #[test]
    fn every_layout_gives_each_gene_with_an_edge_a_place_of_its_own_and_the_same_each_time() {
        for method in Method::ALL {
            let arranging = arranging(method);
            assert_eq!(arranging.genes().len(), 12, "G12 has no edge");
            let positions = run(&arranging);
            assert_eq!(positions, run(&arranging), "{method:?}");
            for (at, a) in positions.iter().enumerate() {
                for b in &positions[at + 1..] {
                    assert!((a[0] - b[0]).hypot(a[1] - b[1]) > 15.0, "{method:?}: {a:?} and {b:?}");
                }
            }
        }
    }

    #[test]
    fn a_few_genes_do_not_bend_the_layout_of_many() {
        let pairs = (1..520).map(|to| (to % 7, to, 0.9 - to as f32 * 0.001)).filter(|(from, to, _)| from != to);
        let network = Arc::new(fixtures::network(520, &pairs.collect::<Vec<_>>()));
        let fresh = Arranging::fresh(&network, network.edges(), Layout::default());
        let afresh = run(&fresh);
        let with = |known: usize, pinned: bool| {
            let start = (0..known).map(|at| Some([3000.0 + 90.0 * at as f32, -2000.0])).collect();
            run(&Arranging { start, pinned: vec![pinned; known], ..fresh.clone() })
        };
        let found = with(8, false);
        let distances = |of: &[[f32; 2]]| -> Vec<f32> {
            of.windows(2).map(|pair| (pair[0][0] - pair[1][0]).hypot(pair[0][1] - pair[1][1])).collect()
        };
        let same = |a: &[[f32; 2]], b: &[[f32; 2]]| {
            distances(a).iter().zip(distances(b)).all(|(a, b)| (a - b).abs() < 0.01 * (1.0 + b))
        };
        assert!(same(&found, &afresh), "8 of 519 are as if they had no place");
        let middle = (0..8).map(|at| found[at][0]).sum::<f32>() / 8.0;
        assert!((middle - 3315.0).abs() < 1.0, "but the layout lies where they were: {middle}");
        // Were they where the fresh layout has them in a mirror, it is mirrored.
        let mirrored = |at: &[f32; 2]| [900.0 - at[0], at[1]];
        let start = afresh[..8].iter().map(|at| Some(mirrored(at))).collect();
        let found = run(&Arranging { start, ..fresh.clone() });
        let off = found.iter().zip(afresh.iter().map(mirrored)).map(|(a, b)| (a[0] - b[0]).hypot(a[1] - b[1]));
        assert!(off.fold(0.0, f32::max) < 0.1);
        let many = with(100, false);
        assert!((many[0][0] - 3000.0).hypot(many[0][1] + 2000.0) < 200.0, "{:?}", many[0]);
        assert_eq!(with(3, true)[..2], [[3000.0, -2000.0], [3090.0, -2000.0]]);
    }

    #[test]
    fn the_rings_are_around_the_gene_asked_for() {
        let mut arranging = arranging(Method::Concentric);
        assert_eq!(run(&arranging)[0], [0.0, 0.0], "G0 has most edges");
        arranging.layout.centre = Some("G5".into());
        let positions = run(&arranging);
        let reach = |at: usize| positions[at][0].hypot(positions[at][1]);
        assert_eq!(reach(5), 0.0);
        assert!((0..12).all(|at| at == 5 || at == 1 || reach(at) > reach(1)), "only G1 is its neighbour");
    }

    #[test]
    fn pinned_genes_stay_in_every_layout() {
        for method in Method::ALL {
            let mut arranging = arranging(method);
            arranging.start = vec![Some([500.0, -40.0])];
            arranging.pinned = vec![true];
            assert_eq!(run(&arranging)[0], [500.0, -40.0], "{method:?}");
        }
    }

    #[test]
    fn genes_that_stay_keep_their_place_until_all_are_to_move() {
        let mut arranging = arranging(Method::Force);
        let first = run(&arranging);
        arranging.start = first.iter().map(|at| Some(*at)).collect();
        assert_eq!(run(&arranging), first, "nothing is new");
        arranging.start[7] = None;
        let second = run(&arranging);
        assert!((0..12).all(|at| at == 7 || second[at] == first[at]));
        arranging.layout.repulsion = 3.0;
        arranging.moving = Moving::All;
        let third = run(&arranging);
        assert_ne!(third[3], first[3]);
        // A gene that was dragged away takes its neighbours along; the other star stays.
        arranging.start = first.iter().map(|at| Some(*at)).collect();
        arranging.start[0] = Some([first[0][0] + 400.0, first[0][1]]);
        arranging.pinned = vec![true];
        arranging.moving = Moving::Around(GeneId(0));
        let fourth = run(&arranging);
        assert_eq!(fourth[0], [first[0][0] + 400.0, first[0][1]]);
        let nearer = |at: usize| {
            let away =
                |positions: &[[f32; 2]]| (positions[at][0] - fourth[0][0]).hypot(positions[at][1] - fourth[0][1]);
            away(&fourth) < 0.9 * away(&first)
        };
        assert!([2, 4, 6, 8, 10].into_iter().all(nearer));
    }

    #[test]
    fn genes_of_a_document_keep_their_places_where_all_have_one() {
        let network = network();
        let mut document = Document::default();
        document.pinned.insert("G3".into());
        let kept = Arranging::of_document(&network, network.edges(), &document);
        assert_eq!(kept.pinned.iter().filter(|pinned| **pinned).count(), 1);
        let first = kept.positions(&Silent).unwrap();
        assert_eq!((first.len(), &first[..12]), (13, &run(&kept)[..]), "nothing is known: all is laid out");
        assert!(first[12][0].is_nan(), "G12 has no edge");
        // Even two in one place, where a layout would part them.
        let places = (0..12).map(|at| (format!("G{at}"), [(at / 2) as f32, 7.0]));
        document.positions = Arc::new(places.collect());
        let second = Arranging::of_document(&network, network.edges(), &document).positions(&Silent).unwrap();
        assert_eq!((second[0], second[1], second[11]), ([0.0, 7.0], [0.0, 7.0], [5.0, 7.0]));
        assert!(second[12][0].is_nan());
    }

    #[test]
    fn a_dragged_gene_takes_its_neighbours_along_until_it_is_let_go() {
        use std::cell::Cell;
        let mut arranging = arranging(Method::Force);
        let first = run(&arranging);
        arranging.start = first.iter().map(|at| Some(*at)).collect();
        let steps = Cell::new(0);
        let target = |step: u32| [first[0][0] + 10.0 * step.min(40) as f32, first[0][1]];
        let held = || (steps.get() < 50).then(|| target(steps.get()));
        let mut met = Vec::new();
        let last = arranging
            .follow(GeneId(0), &held, &Silent, &mut |positions| {
                steps.set(steps.get() + 1);
                met.push(positions[2]);
            })
            .unwrap();
        assert_eq!(last[0], target(40), "where it was let go");
        assert!(met[20][0] > first[2][0] + 10.0, "its neighbours follow while it is dragged");
        assert_eq!(last.len(), first.len());
        // Pinned genes stay, whoever is dragged.
        arranging.pinned = (0..13).map(|gene| gene == 2).collect();
        steps.set(0);
        let last = arranging.follow(GeneId(0), &held, &Silent, &mut |_| steps.set(steps.get() + 1)).unwrap();
        assert_eq!(last[2], first[2]);
        // A layout under way goes on, around the gene that is held.
        arranging.moving = Moving::All;
        steps.set(0);
        let last = arranging.follow(GeneId(1), &held, &Silent, &mut |_| steps.set(steps.get() + 1)).unwrap();
        assert_eq!((last[1], last[2]), (target(40), first[2]));
        assert_ne!(last[3], first[3]);
    }

    #[test]
    fn steps_are_shown_and_a_cancelled_layout_ends() {
        let mut steps = 0;
        arranging(Method::Force).run(&Silent, &mut |_| steps += 1).unwrap();
        assert!(steps > 20, "{steps}");
        struct Never;
        impl Progress for Never {
            fn report(&self, _: crate::jobs::ProgressUpdate) {}
            fn is_cancelled(&self) -> bool {
                true
            }
            fn should_stop(&self) -> bool {
                true
            }
        }
        for method in Method::ALL {
            assert_eq!(arranging(method).run(&Never, &mut |_| {}), Err(Cancelled), "{method:?}");
        }
    }
}

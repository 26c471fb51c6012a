//! Where the nodes lie: the layout runs on a thread of its own, and what was placed once stays where it is.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::jobs::{Job, Outcome};
use crate::layout::{LayoutEdge, LayoutNode};
use crate::network::{GeneId, Grn};

use super::relax::{LayoutInput, relax};
use super::shown::Shown;

/// What the user decided about positions: the part of the document that matters here.
#[derive(Clone, Copy)]
pub struct Decided<'a> {
    /// By symbol.
    pub positions: &'a Arc<BTreeMap<String, [f32; 2]>>,
    /// Symbols of nodes that must stay.
    pub pinned: &'a BTreeSet<String>,
}

/// Positions of all genes of one network; not finite where a gene was never shown.
#[derive(Default)]
pub struct Arrangement {
    network: Option<Arc<Grn>>,
    /// Where nodes are drawn, and where they are going.
    positions: Vec<[f32; 2]>,
    goals: Vec<[f32; 2]>,
    decided: Arc<BTreeMap<String, [f32; 2]>>,
    pinned: BTreeSet<String>,
    /// The genes and edges laid out last.
    laid_out: Option<Vec<(GeneId, GeneId)>>,
    job: Option<Running>,
    /// Follows the pointer; the layout must not move it.
    held: Option<(GeneId, [f32; 2])>,
    version: u64,
}

struct Running {
    job: Job<Vec<[f32; 2]>, (), Vec<[f32; 2]>>,
    genes: Vec<GeneId>,
}

const NOWHERE: [f32; 2] = [f32::NAN; 2];

/// What happened in [`Arrangement::update`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Update {
    /// Nodes moved.
    pub moved: bool,
    /// Nodes are still on their way.
    pub moving: bool,
    /// The layout came to rest in this call.
    pub settled: bool,
}

impl Arrangement {
    /// One point per gene of the network.
    pub fn positions(&self) -> &[[f32; 2]] {
        &self.positions
    }

    /// Grows whenever a position changes.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Whether the layout is still running.
    pub fn is_running(&self) -> bool {
        self.job.is_some()
    }

    /// Positions by symbol of the genes that were placed.
    pub fn by_symbol(&self) -> Vec<(String, [f32; 2])> {
        let Some(network) = &self.network else { return Vec::new() };
        let placed = network.genes().iter().zip(&self.goals).filter(|(_, at)| at[0].is_finite());
        placed.map(|(gene, at)| (gene.symbol.clone(), *at)).collect()
    }

    /// The pointer holds `gene` at `position`.
    pub fn hold(&mut self, gene: GeneId, position: [f32; 2]) {
        self.held = Some((gene, position));
        let at = gene.0 as usize;
        if at < self.positions.len() && self.positions[at] != position {
            self.positions[at] = position;
            self.goals[at] = position;
            self.version += 1;
        }
    }

    /// The pointer let go; the neighbours may now make room.
    pub fn release(&mut self) {
        if self.held.take().is_some() {
            self.laid_out = None;
        }
    }

    /// Follow network, filter and document; take what the layout sent; start it where something is to be placed.
    /// `wake` asks for another frame; `moment` is the time since the last one in seconds.
    pub fn update(
        &mut self,
        shown: &Shown,
        decided: Decided<'_>,
        moment: f32,
        wake: impl Fn() + Send + Sync + 'static,
    ) -> Update {
        let before = self.version;
        self.follow_network(shown.network());
        self.follow_document(shown.network(), decided);
        let settled = self.take();
        self.start(shown, decided, wake);
        let moving = self.glide(moment);
        Update { moved: self.version != before, moving, settled }
    }

    /// Move nodes a part of the way to where they belong; new ones appear there. Whether any is still on its way.
    fn glide(&mut self, moment: f32) -> bool {
        let share = 1.0 - (-14.0 * moment.clamp(0.0, 0.25)).exp();
        let (mut moved, mut moving) = (false, false);
        for (at, goal) in self.positions.iter_mut().zip(&self.goals) {
            if at == goal || !goal[0].is_finite() {
                moved |= at[0].is_finite() && !goal[0].is_finite();
                if !goal[0].is_finite() {
                    *at = NOWHERE;
                }
                continue;
            }
            moved = true;
            let away = (goal[0] - at[0]).hypot(goal[1] - at[1]);
            if away.is_nan() || away < 0.3 {
                *at = *goal;
            } else {
                moving = true;
                *at = [0, 1].map(|axis| at[axis] + (goal[axis] - at[axis]) * share);
            }
        }
        self.version += u64::from(moved);
        moving
    }

    /// Another network: genes it shares with the one before stay where they are.
    fn follow_network(&mut self, network: &Arc<Grn>) {
        if self.network.as_ref().is_some_and(|known| Arc::ptr_eq(known, network)) {
            return;
        }
        let known: HashMap<String, [f32; 2]> = self.by_symbol().into_iter().collect();
        let position = |symbol: &str| known.get(symbol).or_else(|| self.decided.get(symbol)).copied();
        self.goals = network.genes().iter().map(|gene| position(&gene.symbol).unwrap_or(NOWHERE)).collect();
        self.positions = self.goals.clone();
        self.network = Some(network.clone());
        self.laid_out = None;
        self.job = None;
        self.held = None;
        self.version += 1;
    }

    /// Positions that the document changed (a drag, undo, an opened session) are taken over.
    fn follow_document(&mut self, network: &Grn, decided: Decided<'_>) {
        if Arc::ptr_eq(&self.decided, decided.positions) {
            return;
        }
        let mut anew = false;
        for (gene, at) in network.genes().iter().zip(&mut self.goals) {
            let (was, is) = (self.decided.get(&gene.symbol), decided.positions.get(&gene.symbol));
            if was != is {
                *at = is.copied().unwrap_or(NOWHERE);
                anew |= is.is_none();
                self.version += 1;
            }
        }
        if anew {
            self.laid_out = None;
            self.job = None;
        }
        self.decided = decided.positions.clone();
    }

    /// Take the newest positions; whether the layout has ended.
    fn take(&mut self) -> bool {
        let Some(running) = &mut self.job else { return false };
        let outcome = running.job.poll();
        let ended = outcome.is_some();
        let newest = match outcome {
            Some(Outcome::Finished(positions)) => Some(positions),
            _ => running.job.take_preview(),
        };
        if let Some(newest) = newest {
            for (gene, at) in running.genes.iter().zip(newest) {
                self.goals[gene.0 as usize] = at;
            }
            if let Some((gene, at)) = self.held {
                self.goals[gene.0 as usize] = at;
            }
        }
        if ended {
            self.job = None;
        }
        ended
    }

    /// Lay out what is shown, if it differs from what was laid out last.
    fn start(&mut self, shown: &Shown, decided: Decided<'_>, wake: impl Fn() + Send + Sync + 'static) {
        let edges: Vec<(GeneId, GeneId)> = shown.edges().map(|edge| (edge.regulator, edge.target)).collect();
        let unpinned = self.pinned.iter().any(|gene| !decided.pinned.contains(gene));
        if self.pinned != *decided.pinned {
            self.pinned = decided.pinned.clone();
        }
        let same = self.laid_out.as_ref() == Some(&edges);
        if self.held.is_some() || (same && !unpinned) {
            return;
        }
        let genes: Vec<GeneId> = shown.genes().collect();
        // A session or an undo brings every position along: nothing is to be laid out.
        let first = self.laid_out.is_none() && self.job.is_none();
        self.laid_out = Some(edges);
        if first && genes.iter().all(|gene| self.is_decided(*gene)) {
            return;
        }
        let input = self.input(shown, &genes, decided);
        let job = Job::spawn("layout", wake, move |context| relax(&input, context));
        self.job = Some(Running { job, genes });
    }

    fn input(&self, shown: &Shown, genes: &[GeneId], decided: Decided<'_>) -> LayoutInput {
        let mut slot = vec![u32::MAX; self.goals.len()];
        for (at, gene) in genes.iter().enumerate() {
            slot[gene.0 as usize] = at as u32;
        }
        let most = genes.iter().map(|gene| shown.targets_of(*gene)).max().unwrap_or(0).max(1) as f32;
        // As large as they are drawn, and some room for a label.
        let radius = |gene: GeneId| 8.0 + 8.0 * (shown.targets_of(gene) as f32 / most).sqrt();
        let edge = |edge: &crate::network::Edge| LayoutEdge {
            from: slot[edge.regulator.0 as usize],
            to: slot[edge.target.0 as usize],
            weight: edge.probability,
        };
        let start = |gene: &GeneId| Some(self.goals[gene.0 as usize]).filter(|at| at[0].is_finite());
        let pinned = |gene: &GeneId| decided.pinned.contains(shown.network().symbol(*gene));
        LayoutInput {
            nodes: genes.iter().map(|gene| LayoutNode { radius: radius(*gene) }).collect(),
            edges: shown.edges().map(edge).collect(),
            start: genes.iter().map(start).collect(),
            pinned: genes.iter().map(pinned).collect(),
        }
    }

    /// Whether a gene lies where the document says.
    fn is_decided(&self, gene: GeneId) -> bool {
        let Some(network) = &self.network else { return false };
        self.decided.get(network.symbol(gene)) == Some(&self.goals[gene.0 as usize])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::NetworkFilter;
    use crate::network::{Edge, NetworkGene, Sign, SignEvidence};

    fn network(count: u32) -> Arc<Grn> {
        let gene = |at: u32| NetworkGene { symbol: format!("G{at}"), ..NetworkGene::default() };
        let edge = |at: u32| Edge {
            regulator: GeneId(at / 3),
            target: GeneId(at + 1),
            probability: 0.9 - at as f32 * 0.01,
            rank: 0,
            sign: Sign::Unknown,
            evidence: SignEvidence::None,
            shift: None,
        };
        Arc::new(Grn::new((0..count).map(gene).collect(), (0..count - 1).map(edge).collect()).unwrap())
    }

    /// Update until everything rests; whether the layout ran.
    fn rest(arrangement: &mut Arrangement, shown: &Shown, decided: Decided<'_>) -> bool {
        let mut ran = false;
        for _ in 0..2000 {
            let update = arrangement.update(shown, decided, 0.25, || {});
            ran |= update.settled;
            if !update.moving && !arrangement.is_running() {
                return ran;
            }
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        panic!("the layout never rests");
    }

    #[test]
    fn the_first_picture_is_the_same_each_time() {
        let (positions, pinned) = Default::default();
        let decided = Decided { positions: &positions, pinned: &pinned };
        let picture = || {
            let mut arrangement = Arrangement::default();
            assert!(rest(&mut arrangement, &Shown::of(&network(20), &NetworkFilter::top(12)), decided));
            arrangement.by_symbol()
        };
        let first = picture();
        assert_eq!(first.len(), 13);
        assert_eq!(first, picture());
    }

    #[test]
    fn nodes_keep_about_their_place_when_more_edges_are_shown() {
        let (positions, pinned) = Default::default();
        let decided = Decided { positions: &positions, pinned: &pinned };
        let network = network(30);
        let mut arrangement = Arrangement::default();
        rest(&mut arrangement, &Shown::of(&network, &NetworkFilter::top(15)), decided);
        let before = arrangement.by_symbol();
        rest(&mut arrangement, &Shown::of(&network, &NetworkFilter::top(22)), decided);
        let after: BTreeMap<String, [f32; 2]> = arrangement.by_symbol().into_iter().collect();
        assert_eq!(after.len(), 23);
        let extent = before.iter().map(|(_, at)| at[0].abs().max(at[1].abs())).fold(0.0, f32::max);
        let moved: f32 = before.iter().map(|(gene, at)| (after[gene][0] - at[0]).hypot(after[gene][1] - at[1])).sum();
        assert!(moved / (before.len() as f32) < 0.35 * extent, "mean move {} of {extent}", moved / before.len() as f32);
    }

    #[test]
    fn positions_of_a_session_are_taken_as_they_are() {
        let network = network(6);
        let shown = Shown::of(&network, &NetworkFilter::top(9));
        let positions: BTreeMap<String, [f32; 2]> = (0..6).map(|at| (format!("G{at}"), [at as f32, 7.0])).collect();
        let (positions, pinned) = (Arc::new(positions), BTreeSet::new());
        let mut arrangement = Arrangement::default();
        let decided = Decided { positions: &positions, pinned: &pinned };
        assert!(!rest(&mut arrangement, &shown, decided), "nothing to lay out");
        assert_eq!(arrangement.positions()[5], [5.0, 7.0]);
    }

    #[test]
    fn a_held_node_stays_at_the_pointer_and_forgotten_positions_are_found_anew() {
        let network = network(6);
        let shown = Shown::of(&network, &NetworkFilter::top(9));
        let (mut positions, pinned) = (Arc::new(BTreeMap::new()), BTreeSet::new());
        let mut arrangement = Arrangement::default();
        rest(&mut arrangement, &shown, Decided { positions: &positions, pinned: &pinned });
        arrangement.hold(GeneId(2), [900.0, 900.0]);
        positions = Arc::new(arrangement.by_symbol().into_iter().collect());
        rest(&mut arrangement, &shown, Decided { positions: &positions, pinned: &pinned });
        assert_eq!(arrangement.positions()[2], [900.0, 900.0]);
        arrangement.release();
        positions = Arc::default();
        assert!(rest(&mut arrangement, &shown, Decided { positions: &positions, pinned: &pinned }));
        assert!(arrangement.positions()[2][0] < 800.0);
    }
}

//! Where the nodes lie: the layout runs on a thread of its own, and what was placed once stays where it is.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use egui::Ui;

use super::shown::Shown;
use crate::app::{Action, State};
use crate::document::Layout;
use crate::jobs::{Job, JobContext, Outcome, Progress as _};
use crate::layout::{LayoutConfig, Method};
use crate::network::{GeneId, Grn};
use crate::tasks::arrange::{Arranging, Moving};

/// Between two pictures of a layout on its way.
const PICTURE: Duration = Duration::from_millis(12);
/// How soon a paused layout notices that it may go on.
const NAP: Duration = Duration::from_millis(15);

/// What the user decided about positions: the part of the document that matters here.
#[derive(Clone, Copy)]
pub struct Decided<'a> {
    /// By symbol.
    pub positions: &'a Arc<BTreeMap<String, [f32; 2]>>,
    /// Symbols of nodes that must stay.
    pub pinned: &'a BTreeSet<String>,
    /// In which way.
    pub layout: &'a Layout,
}

/// What the user asks of the layout now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// All nodes that are not pinned may move again, from where they are.
    pub again: bool,
    /// A running layout waits.
    pub paused: bool,
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
    /// The edges laid out last, by position in the network's list.
    laid_out: Option<Arc<[u32]>>,
    job: Option<Running>,
    /// Follows the pointer; the layout must not move it.
    held: Option<(GeneId, [f32; 2])>,
    version: u64,
    /// Grows whenever a gene gets its first place or loses it.
    placed: u64,
}

struct Running {
    job: Job<Vec<[f32; 2]>, (), Vec<[f32; 2]>>,
    genes: Vec<GeneId>,
    paused: Arc<AtomicBool>,
    /// Where the pointer holds the gene that this layout follows.
    held: Option<Held>,
    /// Where it let go of it, which the layout may learn too late.
    dropped: Option<(GeneId, [f32; 2])>,
}

/// Where the pointer holds a gene; none once it let go.
type Held = Arc<Mutex<Option<[f32; 2]>>>;

fn set(held: &Held, at: Option<[f32; 2]>) {
    *held.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = at;
}

fn get(held: &Held) -> Option<[f32; 2]> {
    *held.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
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

    /// Grows whenever it changes which genes have a position.
    pub fn placed(&self) -> u64 {
        self.placed
    }

    /// Whether the layout is still running.
    pub fn is_running(&self) -> bool {
        self.job.is_some()
    }

    /// Whether all that runs is what follows a gene that is dragged, or was let go.
    pub fn is_following(&self) -> bool {
        self.job.as_ref().is_some_and(|running| running.held.is_some())
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
        if let Some(held) = self.job.as_ref().and_then(|running| running.held.as_ref()) {
            set(held, Some(position));
        }
    }

    /// The pointer let go: the gene and where it is now, if one was held. Its neighbours go on to rest.
    pub fn release(&mut self) -> Option<(GeneId, [f32; 2])> {
        let released = self.held.take();
        if let Some(running) = &mut self.job
            && let Some(held) = &running.held
        {
            set(held, None);
            running.dropped = released;
        }
        released
    }

    /// [`Arrangement::update`] by the document of `state` and what the user asks for, with further frames while anything
    /// moves. Whether the layout came to rest in this call.
    pub fn follow_state(&mut self, ui: &Ui, shown: &Shown, state: &State, actions: &mut Vec<Action>) -> bool {
        let context = ui.ctx().clone();
        let document = &state.document;
        let decided = Decided { positions: &document.positions, pinned: &document.pinned, layout: &document.layout };
        let asked = Asked { again: state.view.run_layout, paused: state.view.layout_paused };
        let moment = ui.input(|input| input.stable_dt);
        let update = self.update(shown, decided, asked, moment, move || context.request_repaint());
        if update.moving {
            ui.ctx().request_repaint();
        }
        if state.view.layout_paused && !self.is_running() {
            actions.push(Action::PauseLayout(false));
        }
        update.settled
    }

    /// Follow network, filter and document; take what the layout sent; start it where something is to be placed.
    /// `wake` asks for another frame; `moment` is the time since the last one in seconds.
    pub fn update(
        &mut self,
        shown: &Shown,
        decided: Decided<'_>,
        asked: Asked,
        moment: f32,
        wake: impl Fn() + Send + Sync + 'static,
    ) -> Update {
        let before = self.version;
        self.follow_network(shown.network());
        self.follow_document(shown.network(), decided);
        let settled = self.take();
        self.start(shown, decided, asked.again, wake);
        if let Some(running) = &self.job {
            running.paused.store(asked.paused, Ordering::Relaxed);
        }
        let moving = self.glide(moment);
        Update { moved: self.version != before, moving, settled }
    }

    /// Move nodes a part of the way to where they belong; new ones appear there. Whether any is still on its way.
    fn glide(&mut self, moment: f32) -> bool {
        let share = 1.0 - (-14.0 * moment.clamp(0.0, 0.25)).exp();
        let (mut moved, mut moving, mut placed) = (false, false, false);
        let placing = self.job.is_some();
        for (at, goal) in self.positions.iter_mut().zip(&self.goals) {
            if !goal[0].is_finite() {
                // What is laid out anew stays where it was until the layout says where it goes.
                if !placing && at[0].is_finite() {
                    *at = NOWHERE;
                    (moved, placed) = (true, true);
                }
                continue;
            }
            if at == goal {
                continue;
            }
            moved = true;
            let away = (goal[0] - at[0]).hypot(goal[1] - at[1]);
            placed |= away.is_nan();
            if away.is_nan() || away < 0.3 {
                *at = *goal;
            } else {
                moving = true;
                *at = [0, 1].map(|axis| at[axis] + (goal[axis] - at[axis]) * share);
            }
        }
        self.version += u64::from(moved);
        self.placed += u64::from(placed);
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
        self.placed += 1;
    }

    /// Positions that the document changed (a drag, undo, an opened session) are taken over.
    fn follow_document(&mut self, network: &Grn, decided: Decided<'_>) {
        if Arc::ptr_eq(&self.decided, decided.positions) {
            return;
        }
        let (mut anew, mut taken_back) = (false, false);
        for (gene, at) in network.genes().iter().zip(&mut self.goals) {
            let (was, is) = (self.decided.get(&gene.symbol), decided.positions.get(&gene.symbol));
            if was != is && is != Some(&*at) {
                *at = is.copied().unwrap_or(NOWHERE);
                anew |= is.is_none();
                // The user's own moves pin; anything else is another time's layout.
                taken_back |= is.is_some() && !decided.pinned.contains(&gene.symbol);
                self.version += 1;
            }
        }
        if taken_back {
            // Also what followed a gene that was dragged, of which the document knows nothing before all rests.
            for (gene, at) in network.genes().iter().zip(&mut self.goals) {
                *at = decided.positions.get(&gene.symbol).copied().unwrap_or(*at);
            }
            // A pin that is taken back with the move that set it lets nothing loose.
            self.pinned = decided.pinned.clone();
        }
        if anew {
            self.laid_out = None;
        }
        if anew || taken_back {
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
            if let Some((gene, at)) = self.held.or(running.dropped) {
                self.goals[gene.0 as usize] = at;
            }
        }
        if ended {
            self.job = None;
        }
        ended
    }

    /// Lay out what is shown, if it differs from what was laid out last, or if the user asks for it.
    fn start(&mut self, shown: &Shown, decided: Decided<'_>, again: bool, wake: impl Fn() + Send + Sync + 'static) {
        let unpinned = self.pinned.iter().find(|gene| !decided.pinned.contains(*gene)).cloned();
        if self.pinned != *decided.pinned {
            self.pinned = decided.pinned.clone();
        }
        if let Some((gene, at)) = self.held {
            self.follow_pointer(gene, at, shown, decided, wake);
            return;
        }
        let edges = shown.edge_positions();
        // The same list is told by its address; an equal one only by its numbers.
        let same = self.laid_out.as_ref().is_some_and(|last| Arc::ptr_eq(last, edges) || last == edges);
        let loose = unpinned.and_then(|gene| shown.network().find(&gene));
        let loose = loose.filter(|gene| shown.has(*gene) && decided.layout.method == Method::Force);
        let moving = match loose {
            _ if again => Moving::All,
            Some(gene) => Moving::Around(gene),
            None if same => return,
            None => Moving::New,
        };
        let genes: Vec<GeneId> = shown.genes().collect();
        // A session or an undo brings every position along, and fewer edges need no new ones: nothing is to be laid out.
        let resting = self.job.is_none() && genes.iter().all(|gene| self.is_placed(*gene));
        self.laid_out = Some(edges.clone());
        if moving == Moving::New && resting {
            return;
        }
        let paused = Arc::new(AtomicBool::new(false));
        let (input, waiting) = (self.input(shown, decided, moving), paused.clone());
        let job = Job::spawn("layout", wake, move |context| run(&input, &waiting, context));
        self.job = Some(Running { job, genes, paused, held: None, dropped: None });
    }

    /// While a gene is dragged its neighbours follow: one layout from the first move until all rests after the last.
    fn follow_pointer(
        &mut self,
        gene: GeneId,
        at: [f32; 2],
        shown: &Shown,
        decided: Decided<'_>,
        wake: impl Fn() + Send + Sync + 'static,
    ) {
        let following =
            self.job.as_ref().is_some_and(|running| running.held.as_ref().is_some_and(|held| get(held).is_some()));
        if following || decided.layout.method != Method::Force || !shown.has(gene) {
            return;
        }
        let genes: Vec<GeneId> = shown.genes().collect();
        if !genes.iter().all(|gene| self.is_placed(*gene)) {
            // The first layout has not yet found a place for all.
            return;
        }
        // A layout that is under way goes on.
        let under_way = self.job.as_ref().is_some_and(|running| running.held.is_none());
        let moving = if under_way { Moving::All } else { Moving::Around(gene) };
        let (held, paused): (Held, _) = (Arc::new(Mutex::new(Some(at))), Arc::new(AtomicBool::new(false)));
        let (input, waiting, pointer) = (self.input(shown, decided, moving), paused.clone(), held.clone());
        let job = Job::spawn("layout", wake, move |context| {
            let shows = &mut shower(&waiting, context);
            input.follow(gene, &|| get(&pointer), context, shows)
        });
        self.laid_out = Some(shown.edge_positions().clone());
        self.job = Some(Running { job, genes, paused, held: Some(held), dropped: None });
    }

    fn input(&self, shown: &Shown, decided: Decided<'_>, moving: Moving) -> Arranging {
        let network = shown.network();
        let pinned = |gene: &crate::network::NetworkGene| decided.pinned.contains(&gene.symbol);
        Arranging {
            network: network.clone(),
            edges: shown.edge_positions().to_vec(),
            layout: decided.layout.clone(),
            config: LayoutConfig::default(),
            start: self.goals.iter().map(|at| Some(*at).filter(|at| at[0].is_finite())).collect(),
            pinned: network.genes().iter().map(pinned).collect(),
            moving,
        }
    }

    fn is_placed(&self, gene: GeneId) -> bool {
        self.goals[gene.0 as usize][0].is_finite()
    }
}

/// Lay out, show the way, wait while paused.
fn run(
    input: &Arranging,
    paused: &AtomicBool,
    context: &JobContext<(), Vec<[f32; 2]>>,
) -> Result<Vec<[f32; 2]>, crate::jobs::Cancelled> {
    input.run(context, &mut shower(paused, context))
}

/// Shows the window positions on the way, and waits while the layout is paused.
fn shower(paused: &AtomicBool, context: &JobContext<(), Vec<[f32; 2]>>) -> impl FnMut(&[[f32; 2]]) {
    let mut last = None::<Instant>;
    move |positions| {
        if last.is_none_or(|last| last.elapsed() >= PICTURE) {
            last = Some(Instant::now());
            context.preview(positions.to_vec());
        }
        while paused.load(Ordering::Relaxed) && !context.is_cancelled() {
            std::thread::sleep(NAP);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::NetworkFilter;
    use crate::network::fixtures;

    fn network(count: u32) -> Arc<Grn> {
        let edges: Vec<_> = (0..count - 1).map(|at| (at / 3, at + 1, 0.9 - at as f32 * 0.01)).collect();
        Arc::new(fixtures::network(count, &edges))
    }

    /// Update until everything rests; whether the layout ran.
    fn rest(arrangement: &mut Arrangement, shown: &Shown, decided: Decided<'_>) -> bool {
        let mut ran = false;
        for _ in 0..2000 {
            let update = arrangement.update(shown, decided, Asked::default(), 0.25, || {});
            ran |= update.settled;
            if !update.moving && !arrangement.is_running() {
                return ran;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        panic!("the layout never rests");
    }

    #[test]
    fn the_first_picture_is_the_same_each_time() {
        let (positions, pinned, layout) = Default::default();
        let decided = Decided { positions: &positions, pinned: &pinned, layout: &layout };
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
    fn nodes_keep_their_place_when_the_filter_moves() {
        let (positions, pinned, layout) = Default::default();
        let decided = Decided { positions: &positions, pinned: &pinned, layout: &layout };
        let network = network(30);
        let mut arrangement = Arrangement::default();
        rest(&mut arrangement, &Shown::of(&network, &NetworkFilter::top(15)), decided);
        let before = arrangement.by_symbol();
        assert!(rest(&mut arrangement, &Shown::of(&network, &NetworkFilter::top(22)), decided));
        let after: BTreeMap<String, [f32; 2]> = arrangement.by_symbol().into_iter().collect();
        assert_eq!(after.len(), 23);
        assert!(before.iter().all(|(gene, at)| after[gene] == *at), "known genes stay exactly where they are");
        // Fewer edges, and again more: everyone is known, and nothing is laid out.
        for count in [10, 22] {
            assert!(!rest(&mut arrangement, &Shown::of(&network, &NetworkFilter::top(count)), decided));
        }
        assert_eq!(arrangement.by_symbol().into_iter().collect::<BTreeMap<_, _>>(), after);
    }

    #[test]
    fn a_layout_waits_while_paused_and_runs_again_when_asked() {
        let (positions, pinned, layout) = Default::default();
        let decided = Decided { positions: &positions, pinned: &pinned, layout: &layout };
        let shown = Shown::of(&network(30), &NetworkFilter::top(22));
        let mut arrangement = Arrangement::default();
        let asked = |again, paused| Asked { again, paused };
        for _ in 0..40 {
            let update = arrangement.update(&shown, decided, asked(false, true), 0.25, || {});
            assert!(!update.settled);
            std::thread::sleep(Duration::from_millis(2));
        }
        assert!(arrangement.is_running());
        rest(&mut arrangement, &shown, decided);
        let first = arrangement.by_symbol();
        let strong = Layout { repulsion: 4.0, ..Layout::default() };
        let decided = Decided { layout: &strong, ..decided };
        assert!(!rest(&mut arrangement, &shown, decided), "new settings alone move nothing");
        arrangement.update(&shown, decided, asked(true, false), 0.25, || {});
        assert!(rest(&mut arrangement, &shown, decided));
        assert_ne!(arrangement.by_symbol(), first);
    }

    #[test]
    fn positions_of_a_session_are_taken_as_they_are() {
        let network = network(6);
        let shown = Shown::of(&network, &NetworkFilter::top(9));
        let positions: BTreeMap<String, [f32; 2]> = (0..6).map(|at| (format!("G{at}"), [at as f32, 7.0])).collect();
        let (positions, pinned) = (Arc::new(positions), BTreeSet::new());
        let mut arrangement = Arrangement::default();
        let decided = Decided { positions: &positions, pinned: &pinned, layout: &Layout::default() };
        assert!(!rest(&mut arrangement, &shown, decided), "nothing to lay out");
        assert_eq!(arrangement.positions()[5], [5.0, 7.0]);
    }

    #[test]
    fn a_held_node_stays_at_the_pointer_and_forgotten_positions_are_found_anew() {
        let network = network(6);
        let shown = Shown::of(&network, &NetworkFilter::top(9));
        let (mut positions, pinned) = (Arc::new(BTreeMap::new()), BTreeSet::new());
        let mut arrangement = Arrangement::default();
        rest(&mut arrangement, &shown, Decided { positions: &positions, pinned: &pinned, layout: &Layout::default() });
        arrangement.hold(GeneId(2), [900.0, 900.0]);
        positions = Arc::new(arrangement.by_symbol().into_iter().collect());
        for _ in 0..20 {
            let decided = Decided { positions: &positions, pinned: &pinned, layout: &Layout::default() };
            arrangement.update(&shown, decided, Asked::default(), 0.25, || {});
            std::thread::sleep(Duration::from_millis(5));
        }
        assert_eq!(arrangement.positions()[2], [900.0, 900.0]);
        assert_eq!(arrangement.release(), Some((GeneId(2), [900.0, 900.0])));
        positions = Arc::default();
        assert!(rest(
            &mut arrangement,
            &shown,
            Decided { positions: &positions, pinned: &pinned, layout: &Layout::default() }
        ));
        assert!(arrangement.positions()[2][0] < 800.0);
    }

    #[test]
    fn neighbours_follow_a_held_node_and_undo_brings_them_back() {
        let network = network(20);
        let shown = Shown::of(&network, &NetworkFilter::top(30));
        let (mut positions, mut pinned, layout) = (Arc::default(), BTreeSet::new(), Layout::default());
        let mut arrangement = Arrangement::default();
        rest(&mut arrangement, &shown, Decided { positions: &positions, pinned: &pinned, layout: &layout });
        // What the window does once a layout rests.
        positions = Arc::new(arrangement.by_symbol().into_iter().collect());
        let before = positions.clone();
        let at = |arrangement: &Arrangement, gene: usize| arrangement.positions()[gene];
        let start = at(&arrangement, 0);
        for step in 1..=60 {
            arrangement.hold(GeneId(0), [start[0] + 5.0 * step as f32, start[1]]);
            let decided = Decided { positions: &positions, pinned: &pinned, layout: &layout };
            arrangement.update(&shown, decided, Asked::default(), 0.05, || {});
            std::thread::sleep(Duration::from_millis(8));
        }
        // G1, G2 and G3 are its targets; G13 is three edges away.
        assert!(at(&arrangement, 1)[0] > before["G1"][0] + 20.0, "{:?} {:?}", at(&arrangement, 1), before["G1"]);
        assert_eq!(at(&arrangement, 13), before["G13"]);
        // Dropped: the document learns of the gene at once, of its neighbours when all rests.
        let (_, dropped) = arrangement.release().unwrap();
        assert_eq!(dropped, [start[0] + 300.0, start[1]]);
        Arc::make_mut(&mut positions).insert("G0".into(), dropped);
        pinned.insert("G0".into());
        assert!(rest(&mut arrangement, &shown, Decided { positions: &positions, pinned: &pinned, layout: &layout }));
        assert_eq!((at(&arrangement, 0), at(&arrangement, 13)), (dropped, before["G13"]));
        let followed = at(&arrangement, 1);
        assert_ne!(followed, before["G1"]);
        // Undo, although the document has not yet learned where the neighbours went.
        let none = BTreeSet::new();
        let undone = Decided { positions: &before, pinned: &none, layout: &layout };
        rest(&mut arrangement, &shown, undone);
        assert!(before.iter().all(|(gene, place)| arrangement.by_symbol().contains(&(gene.clone(), *place))));
        // And once it has.
        let dragged: BTreeMap<String, [f32; 2]> = before.keys().map(|gene| (gene.clone(), [1.0, 2.0])).collect();
        let dragged = Arc::new(dragged);
        rest(&mut arrangement, &shown, Decided { positions: &dragged, pinned: &pinned, layout: &layout });
        rest(&mut arrangement, &shown, undone);
        assert!(before.iter().all(|(gene, place)| arrangement.by_symbol().contains(&(gene.clone(), *place))));
    }
}

//! How well a trained model explains cells that it may not have seen: the importance-weighted bound of their log-likelihood.

use super::batches::Batches;
use crate::evaluation::ImportanceWeights;
use crate::jobs::Progress;
use crate::models::gpo_vae::{Batch, Escaped, GpoVaeConfig, Noise};
use crate::models::{PredictError, TrainConfig, TrainedModel};
use crate::preprocess::PreparedScreen;
use crate::preprocess::escape::{Responding, responding};
use crate::random;

/// Draws at a time.
const PARTICLES: usize = 10;
/// Decoder outputs at a time: 32 MB, however many genes, cells and draws there are.
const MOST_OUTPUTS: usize = 8 << 20;
/// Cells at a time at most: more would share their draws of E, M and U.
const MOST_CELLS: usize = 256;

/// The bounds of some cells, in their order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CellBounds {
    /// log (1/K · Σ w) by the draws of all members.
    pub bounds: Vec<f64>,
    /// Mean of log w over the same draws.
    pub elbos: Vec<f64>,
    /// As how many equal draws the weights count, of K.
    pub effective: Vec<f64>,
}

/// The bounds of `cells` (positions among the kept ones of `screen`, see [`crate::preprocess::prepare_to_judge`]) with `particles`
/// draws from each member of `model`. Deterministic, and the first draws are the same whatever their number.
///
/// # Errors
/// If cancelled, or if the arithmetic fails.
pub fn importance_bounds(
    model: &TrainedModel,
    screen: &PreparedScreen,
    cells: &[u32],
    particles: usize,
    progress: &dyn Progress,
) -> Result<CellBounds, PredictError> {
    let settings = &model.card().settings;
    // Cells of a perturbation side by side: few effects have to be drawn for each batch.
    let mut order: Vec<usize> = (0..cells.len()).collect();
    order.sort_by_key(|&at| (&screen.dosages[cells[at] as usize], cells[at]));
    let outputs = PARTICLES * screen.dataset.gene_count();
    let at_a_time = (MOST_OUTPUTS / outputs.max(1)).clamp(8, MOST_CELLS);
    let (members, all) = (model.member_count(), cells.len() * model.member_count());
    let mut found =
        CellBounds { bounds: vec![0.0; cells.len()], elbos: vec![0.0; cells.len()], effective: vec![0.0; cells.len()] };
    let numbers: Vec<Option<u32>> = match model.card().members.as_slice() {
        [] => vec![settings.member],
        runs => runs.iter().map(|run| Some(run.member)).collect(),
    };
    // Of cells that were not fit whether they respond is part of the draw.
    let responding = match settings.model.escaped {
        Escaped::ToldApart => responding(screen, progress)?,
        Escaped::Counted => Responding::all(screen),
    };
    let of_members: Vec<_> = model
        .networks()
        .zip(&numbers)
        .map(|(network, &member)| {
            let config = TrainConfig { member, ..settings.clone() };
            let batches = Batches::new(screen, &config, &responding);
            let context = batches.context(&settings.model);
            (network, batches, context)
        })
        .collect();
    for (number, places) in order.chunks(at_a_time).enumerate() {
        let chosen: Vec<u32> = places.iter().map(|&at| cells[at]).collect();
        let mut weights = ImportanceWeights::new(chosen.len());
        for (member, (network, batches, context)) in of_members.iter().enumerate() {
            let done = (number * at_a_time * members + member * chosen.len()) as f32 / all as f32;
            progress.stage("Weighing draws of held-out cells", Some(done));
            let batch = Batch::new(batches.batch(&chosen), context);
            for first in (0..particles).step_by(PARTICLES) {
                progress.check()?;
                let name = format!("importance weights, member {member}, batch {number}, draws from {first}");
                let mut random = random::stream(settings.seed, &name);
                let config = GpoVaeConfig { particles: PARTICLES, ..settings.model.clone() };
                let noise = Noise::random(&mut random, network.sizes(), &config, &batch);
                let logs = network.log_weights(&batch, &noise, context)?;
                for logs in logs.chunks_exact(chosen.len()).take(particles - first) {
                    let whole = logs.iter().zip(&chosen).map(|(log, &cell)| log + batches.log_ratio(cell));
                    weights.add(&whole.collect::<Vec<f64>>());
                }
            }
        }
        let values = [weights.bounds(), weights.elbos(), weights.effective()];
        for (place, &at) in places.iter().enumerate() {
            (found.bounds[at], found.elbos[at], found.effective[at]) =
                (values[0][place], values[1][place], values[2][place]);
        }
    }
    Ok(found)
}

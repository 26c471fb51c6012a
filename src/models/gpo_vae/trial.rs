//! A small step that a GPU must make as the processor does, before anything is trained on it.

use std::sync::Arc;

use candle_core::{Device, Result, bail};
use rand::RngExt as _;

use super::{
    Batch, BatchContext, BatchData, FusedStep, GpoVae, GpoVaeConfig, GpuStep, Noise, Packed, Preset, Reading, Sizes,
    SparseCells,
};
use crate::models::nn::adam::Adam;
use crate::models::nn::gpu::Machine;
use crate::models::nn::kernels::with_slice;
use crate::models::nn::parameters::{Source, normal};
use crate::random;

/// What a step is of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub sizes: Sizes,
    pub cells: usize,
}

/// The one that is tried.
pub(super) const SHAPE: Shape = Shape { sizes: Sizes { genes: 150, treatments: 6 }, cells: 24 };

/// A model away from its first values, a batch of sparse cells with controls, double perturbations, failing cells and partners, and draws.
pub(super) fn case(config: &GpoVaeConfig, shape: Shape) -> Result<(GpoVae, Batch, Noise)> {
    let Shape { sizes: Sizes { genes, treatments }, cells: count } = shape;
    let draws = &mut random::stream(1, "trial of a step");
    let source = Source::Random(Box::new(random::stream(2, "trial of a step")));
    let model = GpoVae::new(shape.sizes, config, source, &Device::Cpu)?;
    for (_, var) in model.parameters().iter() {
        let noise = (normal(draws, var.shape(), &Device::Cpu)? * 0.1)?;
        var.set(&(var.as_detached_tensor() + noise)?)?;
    }
    let mut counts = |count: usize| -> Vec<f32> {
        (0..count).map(|_| f32::from(draws.random_range(-9i16..25).max(0))).collect::<Vec<_>>()
    };
    let partners = [counts(genes), counts(genes)];
    // The first gene varies in no cell.
    let deviations: Vec<f32> = (0..genes).map(|gene| if gene == 0 { 0.0 } else { 0.8 }).collect();
    let reading = Reading::new(config.input, &vec![0.7; genes], &deviations, &partners);
    let (mut data, mut cells) = (BatchData::default(), SparseCells::new(Arc::new(reading)));
    for cell in 0..count {
        let row = counts(genes);
        data.library.push(row.iter().sum::<f32>().max(1.0));
        let partner = (cell % 2 == 0).then_some((cell / 2 % 2) as u32);
        data.partner_rows.extend(partner.map(|_| cell as u32));
        let stored = row.iter().enumerate().filter(|(_, count)| **count != 0.0);
        cells.push(stored.map(|(gene, &count)| (gene as u32, count)), partner);
        let first = (cell % treatments) as u32;
        data.dosages.push(match cell % 7 {
            0 => Vec::new(),
            1 if first + 2 < treatments as u32 => vec![first, first + 2],
            _ => vec![first],
        });
        data.quality_failed.push(cell % 3 == 1);
        data.shifts.extend((0..treatments).map(|treatment| ((cell + treatment) % 5) as f32 * 0.4));
    }
    let batch = Batch::new(BatchData { sparse: Some(cells), ..data }, &context(config, treatments));
    let noise = Noise::random(&mut random::stream(3, "trial of a step"), shape.sizes, config, &batch);
    Ok((model, batch, noise))
}

/// What a batch lies in: every treatment has other numbers of cells, and one is not measured.
pub(super) fn context(config: &GpoVaeConfig, treatments: usize) -> BatchContext {
    BatchContext {
        cells_per_treatment: (0..treatments).map(|treatment| 3.0 + treatment as f32).collect(),
        failing_cells: 17.0,
        treatment_measured: (0..treatments).map(|treatment| treatment != 1).collect(),
        fold_change: 0.4,
        alpha: config.alpha,
    }
}

/// The default and the published settings, of small networks.
pub(super) fn settings() -> [GpoVaeConfig; 2] {
    [GpoVaeConfig::default(), GpoVaeConfig::preset(Preset::Adamson)].map(|config| GpoVaeConfig {
        latent: 5,
        particles: 2,
        decoder_hidden: 16,
        basal_hidden: 12,
        embedding_hidden: 8,
        ..config
    })
}

/// Largest difference, over the largest value: sums in another order, and the logarithm and exponential of another maker.
const TOLERANCE: f32 = 2e-3;

fn agree(what: &str, expected: &[f32], found: &[f32]) -> Result<()> {
    let largest = expected.iter().fold(0.0f32, |largest, value| largest.max(value.abs()));
    let agrees = |(a, b): (&f32, &f32)| (a - b).abs() <= TOLERANCE * largest + 1e-6;
    match expected.len() == found.len() && expected.iter().zip(found).all(agrees) {
        true => Ok(()),
        false => bail!("{what} is not that of the processor"),
    }
}

/// Hold a step on a machine, with its optimiser, against the processor.
///
/// # Errors
/// If it fails, or differs.
pub(super) fn compare<M: Machine>(config: &GpoVaeConfig, shape: Shape, machine: M) -> Result<GpuStep<M>> {
    let (model, mut batch, noise) = case(config, shape)?;
    let mut on_gpu = GpuStep::new(&model, machine)?;
    on_gpu.run(&Packed::new(&batch, config), Some(&noise), true, 1.0)?;
    let losses = on_gpu.losses()?;
    batch.make_dense();
    let mut fused = FusedStep::new(&model)?;
    for (found, expected) in losses.iter().zip(fused.run(&model, &batch, &noise, true)?) {
        agree("the loss", &[expected as f32], &[*found as f32])?;
    }
    let gradients = on_gpu.gradients()?;
    for (name, expected) in fused.gradients() {
        agree(&format!("the gradient by {name}"), expected, gradients.get(name).map_or(&[], Vec::as_slice))?;
    }
    let mut adam = Adam::new(config.optimiser());
    for _ in 0..2 {
        on_gpu.optimise()?;
        adam.step_slices(model.parameters(), &fused.gradients())?;
    }
    let (other, ..) = case(config, shape)?;
    on_gpu.give_parameters(other.parameters())?;
    for ((name, expected), (_, found)) in model.parameters().iter().zip(other.parameters().iter()) {
        let found = with_slice(found, <[f32]>::to_vec)?;
        with_slice(expected, |expected| agree(&format!("the step of {name}"), expected, &found))??;
    }
    // With draws of its own there is no more to be said of a step than that it is one.
    on_gpu.begin_pass(1)?;
    on_gpu.run(&Packed::new(&case(config, shape)?.1, config), None, false, 1.0)?;
    if !on_gpu.losses()?.iter().all(|loss| loss.is_finite()) {
        bail!("its own draws give no loss");
    }
    Ok(on_gpu)
}

/// Hold steps on machines against the processor.
///
/// # Errors
/// Why there can be none, or where one differs.
pub fn try_out(mut open: impl FnMut() -> Result<Box<dyn Machine>>) -> Result<()> {
    settings().iter().try_for_each(|config| compare(config, SHAPE, open()?).map(drop))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sparse_cells_go_through_both_paths() {
        for config in settings() {
            let (model, batch, noise) = case(&config, SHAPE).unwrap();
            let loss = model.loss(&batch, &noise).unwrap();
            let (_, mut dense, _) = case(&config, SHAPE).unwrap();
            dense.make_dense();
            let mut fused = FusedStep::new(&model).unwrap();
            let by_hand = fused.run(&model, &batch, &noise, true).unwrap();
            assert_eq!(by_hand, fused.run(&model, &dense, &noise, true).unwrap());
            let total: f32 = loss.total.to_scalar().unwrap();
            assert!((f64::from(total) - by_hand[0]).abs() < 1e-5 * by_hand[0].abs(), "{total} {by_hand:?}");
            let (gradients, by_hand) = (loss.total.backward().unwrap(), fused.gradients());
            for (name, var) in model.parameters().iter() {
                let plain: Vec<f32> = gradients.get(var).unwrap().flatten_all().unwrap().to_vec1().unwrap();
                agree(name, &plain, by_hand[name]).unwrap();
            }
        }
    }
}

use super::super::memory::Footprint;
use super::super::trial::{SHAPE, Shape, case, compare, settings};
use super::super::variants::{GeneEffectsPrior, MaskParameters};
use super::*;
use crate::models::nn::gpu::Host;

/// The kernels on a GPU, where there is one.
#[cfg(feature = "cuda")]
#[test]
fn a_step_on_a_gpu_is_that_of_the_processor() {
    use candle_core::Device;

    use super::super::try_out;
    use crate::models::nn::gpu::machine;

    match std::panic::catch_unwind(|| Device::new_cuda(0)) {
        Ok(Ok(device)) => try_out(|| machine(&device)).unwrap(),
        _ => println!("skipped: there is no NVIDIA GPU"),
    }
}

#[test]
fn a_step_on_a_machine_is_that_of_the_processor() {
    let Some(first) = Host::new() else { return };
    drop(first);
    let [usual, published] = settings();
    let probabilities = GpoVaeConfig { mask: MaskParameters::Probabilities, hops: 2, ..published.clone() };
    let summed = GpoVaeConfig { sum_mode: true, latent: 6, mean_field: true, exact_kl: false, ..usual.clone() };
    let peaked = GpoVaeConfig {
        gene_effects: 0.2,
        gene_effects_prior: GeneEffectsPrior::DoublePareto,
        basal_layers: 1,
        decoder_layers: 0,
        embedding_layers: 1,
        beta: 0.0,
        gamma: 0.0,
        ..published.clone()
    };
    for config in [usual, published, probabilities, summed, peaked] {
        let step = compare(&config, SHAPE, Host::new().unwrap()).unwrap();
        let batch = case(&config, SHAPE).unwrap().1;
        let held = step.held() as u64 / 4;
        let told = Footprint { sizes: step.sizes, config: &config, step: batch.size() }.gpu_step();
        // A small batch has more beside it than a large one.
        assert!((held / 2 - 8_192..2 * held).contains(&told), "{held} held, {told} told");
    }
}

#[test]
fn steps_of_any_shape_are_those_of_the_processor() {
    // A gene, a treatment that occurs, a cell; more rows than threads, and columns that fill no band.
    for (genes, treatments, cells) in [(1, 2, 1), (3, 2, 2), (33, 9, 7), (300, 41, 90)] {
        let Some(host) = Host::new() else { return };
        let shape = Shape { sizes: Sizes { genes, treatments }, cells };
        let [usual, published] = settings();
        let config = if cells % 2 == 0 { published } else { usual };
        if let Err(error) = compare(&config, shape, host) {
            panic!("{shape:?}: {error}");
        }
    }
}

/// As after a checkpoint.
#[test]
fn steps_go_on_from_parameters_and_the_state_of_the_optimiser() {
    let (Some(first), Some(second)) = (Host::new(), Host::new()) else { return };
    let [config, _] = settings();
    let (model, batch, noise) = case(&config, SHAPE).unwrap();
    let packed = Packed::new(&batch, &config);
    let mut before = GpuStep::new(&model, first).unwrap();
    let step = |on_gpu: &mut GpuStep<Host>| {
        on_gpu.run(&packed, Some(&noise), true, 1.0).unwrap();
        on_gpu.optimise().unwrap();
    };
    step(&mut before);
    before.give_parameters(model.parameters()).unwrap();
    let mut after = GpuStep::new(&model, second).unwrap();
    after.restore_optimiser(before.optimiser_state().unwrap()).unwrap();
    step(&mut before);
    step(&mut after);
    let all = |on_gpu: &mut GpuStep<Host>| on_gpu.rooms.machine.download(on_gpu.all.values).unwrap();
    assert_eq!(all(&mut before), all(&mut after));
    let mut wrong = before.optimiser_state().unwrap();
    wrong.moments.insert("no such".to_owned(), [Vec::new(), Vec::new()]);
    assert!(after.restore_optimiser(wrong).is_err());
}

/// A room that grows, and lists of a smaller batch in what a larger one left.
#[test]
fn batches_of_other_sizes_follow_each_other() {
    let (Some(first), Some(second)) = (Host::new(), Host::new()) else { return };
    let [config, _] = settings();
    let (model, batch, noise) = case(&config, SHAPE).unwrap();
    let few = case(&config, Shape { cells: 5, ..SHAPE }).unwrap().1;
    let few_noise = Noise::random(&mut crate::random::stream(4, "few"), model.sizes(), &config, &few);
    let mut turns = GpuStep::new(&model, first).unwrap();
    let mut alone = GpuStep::new(&model, second).unwrap();
    let losses = |on_gpu: &mut GpuStep<Host>, batch: &super::super::Batch, noise: &Noise| {
        on_gpu.begin_pass(0).unwrap();
        on_gpu.run(&Packed::new(batch, &config), Some(noise), true, 1.0).unwrap();
        (on_gpu.losses().unwrap(), on_gpu.gradients().unwrap())
    };
    let expected = losses(&mut alone, &few, &few_noise);
    for _ in 0..2 {
        assert!(losses(&mut turns, &few, &few_noise) == expected);
        losses(&mut turns, &batch, &noise);
    }
}

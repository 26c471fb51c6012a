//! How long a training step of GPO-VAE takes, and its parts: `cargo bench --bench training [-- SIZE…] [--steps N] [--plain] [--gpu]`.
//!
//! Counts are drawn at random: time does not depend on what they mean. Sizes: `papalexi` (300 genes, 25 treatments),
//! `adamson` (5,000 and 100), `k562` (8,500 and 600), with the settings published for them and batches of 512 cells.
//! `--plain` measures the path by the tensor library's own operations, `--gpu` the first NVIDIA GPU (feature `cuda`): with our kernels,
//! or with `--plain` by the tensor library's alone.

#![allow(clippy::print_stdout)] // A bench that prints its table.

use std::time::{Duration, Instant};

use candle_core::Device;
use grn_explorer::models::gpo_vae::{
    Batch, BatchContext, BatchData, FusedStep, GpoVae, GpoVaeConfig, Noise, Preset, Sizes,
};
use grn_explorer::models::nn::adam::Adam;
use grn_explorer::models::nn::gpu;
use grn_explorer::models::nn::parameters::Source;
use grn_explorer::random;
use rand::RngExt as _;

const CELLS: usize = 512;

struct Size {
    name: &'static str,
    genes: usize,
    treatments: usize,
    preset: Preset,
    /// Share of counts that are not 0.
    density: f64,
}

const SIZES: [Size; 3] = [
    Size { name: "papalexi", genes: 300, treatments: 25, preset: Preset::Adamson, density: 0.3 },
    Size { name: "adamson", genes: 5_000, treatments: 100, preset: Preset::Adamson, density: 0.3 },
    Size { name: "k562", genes: 8_500, treatments: 600, preset: Preset::K562, density: 0.3 },
];

/// A batch in which every tenth cell is a control, every thirtieth fails quality control, and half have a partner.
fn batch(size: &Size, random: &mut random::Rng) -> BatchData {
    let (genes, treatments) = (size.genes, size.treatments);
    let mut data = BatchData::default();
    for cell in 0..CELLS {
        let start = data.counts.len();
        for _ in 0..genes {
            let count = if random.random_bool(size.density) { random.random_range(1..6) as f32 } else { 0.0 };
            data.counts.push(count);
            data.standardised.push(count.ln_1p() - 0.3);
        }
        data.library.push(data.counts[start..].iter().sum::<f32>().max(1.0));
        let controls = cell % 10 == 0;
        data.dosages.push(if controls { Vec::new() } else { vec![random.random_range(0..treatments) as u32] });
        data.quality_failed.push(cell % 30 == 7);
        data.shifts.extend((0..treatments).map(|_| random.random::<f32>()));
        if cell % 2 == 0 {
            data.partner_rows.push(cell as u32);
            data.partners.extend((0..genes).map(|_| random.random::<f32>() - 0.3));
        }
    }
    data
}

/// Milliseconds of each part of a step.
#[derive(Default)]
struct Times {
    batch: Vec<f64>,
    noise: Vec<f64>,
    gradient: Vec<f64>,
    optimiser: Vec<f64>,
    all: Vec<f64>,
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn measure(size: &Size, steps: usize, plain: bool, device: &Device) -> candle_core::Result<Times> {
    let on_gpu = !matches!(device, Device::Cpu);
    // A GPU works on while the processor goes on: every time is taken when it is done.
    let now = || -> candle_core::Result<Instant> {
        device.synchronize()?;
        Ok(Instant::now())
    };
    let config = GpoVaeConfig::preset(size.preset);
    let sizes = Sizes { genes: size.genes, treatments: size.treatments };
    let source = Source::Random(Box::new(random::stream(1, "parameters")));
    let model = GpoVae::new(sizes, &config, source, device)?;
    let mut fused = if plain || on_gpu { None } else { Some(FusedStep::new(&model)?) };
    let mut adam = Adam::new(config.optimiser());
    let context = BatchContext {
        cells_per_treatment: vec![100.0; size.treatments],
        failing_cells: 100.0,
        treatment_measured: vec![true; size.treatments],
        fold_change: config.fold_change as f32,
        alpha: config.alpha,
    };
    let mut draws = random::stream(1, "counts");
    let mut noises = random::stream(1, "noise");
    let mut times = Times::default();
    for step in 0..=steps {
        let data = batch(size, &mut draws);
        let begun = now()?;
        let batch = Batch::new(data, &context);
        let batched = Instant::now();
        let noise = Noise::random(&mut noises, sizes, &config, &batch);
        let drawn = Instant::now();
        let learned = if let Some(fused) = &mut fused {
            fused.run(&model, &batch, &noise, true)?;
            let learned = Instant::now();
            adam.step_slices(model.parameters(), &fused.gradients())?;
            learned
        } else {
            let gradients = model.loss(&batch, &noise)?.total.backward()?;
            let learned = now()?;
            adam.step(model.parameters(), &gradients)?;
            learned
        };
        let end = now()?;
        // The first step takes memory that the others find.
        if step > 0 {
            times.batch.push(milliseconds(batched - begun));
            times.noise.push(milliseconds(drawn - batched));
            times.gradient.push(milliseconds(learned - drawn));
            times.optimiser.push(milliseconds(end - learned));
            times.all.push(milliseconds(end - begun));
        }
    }
    Ok(times)
}

/// Largest resident memory of this process so far, MB; none where the system does not say.
fn peak_memory() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().trim_end_matches("kB").trim().parse::<f64>().ok()? / 1024.0)
}

fn main() -> candle_core::Result<()> {
    let mut wanted = Vec::new();
    let (mut steps, mut plain, mut on_gpu) = (5, false, false);
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--steps" => steps = arguments.next().and_then(|number| number.parse().ok()).unwrap_or(steps),
            "--plain" => plain = true,
            "--gpu" => on_gpu = true,
            _ => wanted.push(argument),
        }
    }
    let device = if on_gpu { Device::new_cuda(0)? } else { Device::Cpu };
    if on_gpu && !plain {
        gpu::try_out(&device).map_err(candle_core::Error::msg)?;
    }
    println!("{} threads; medians of {steps} steps of {CELLS} cells, ms", rayon::current_num_threads());
    println!("size      step   batch  noise  loss, gradient   Adam   peak MB so far");
    for size in SIZES.iter().filter(|size| wanted.is_empty() || wanted.iter().any(|name| name == size.name)) {
        let mut times = measure(size, steps, plain, &device)?;
        println!(
            "{:9} {:6.1} {:6.1} {:6.1} {:14.1} {:6.1} {:8.0}",
            size.name,
            median(&mut times.all),
            median(&mut times.batch),
            median(&mut times.noise),
            median(&mut times.gradient),
            median(&mut times.optimiser),
            peak_memory().unwrap_or(f64::NAN),
        );
    }
    Ok(())
}

//! How long a training step of GPO-VAE takes, and its parts: `cargo bench --bench training [-- SIZE…] [--steps N] [--plain]
//! [--gpu [--kernels]]`.
//!
//! Counts are drawn at random: time does not depend on what they mean. Sizes: `papalexi` (300 genes, 25 treatments),
//! `adamson` (5,000 and 100), `k562` (8,500 and 600), with the settings published for them and batches of 512 cells.
//! `--plain` measures the path by the tensor library's own operations; `--gpu` the first NVIDIA GPU (feature `cuda`), with its parts waited
//! for one by one, and last as training does it: steps in a row that nothing waits for. `--kernels` tells where the time of a step on the GPU
//! goes, kernel by kernel, each waited for (some microseconds too much for each).

#![allow(clippy::print_stdout)] // A bench that prints its table.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use candle_core::{Device, Result};
use grn_explorer::models::gpo_vae::{
    Batch, BatchContext, BatchData, Footprint, FusedStep, GpoVae, GpoVaeConfig, GpuStep, InputScale, Noise, Packed,
    Preset, Reading, Sizes, SparseCells, try_out,
};
use grn_explorer::models::nn::adam::Adam;
use grn_explorer::models::nn::gpu::{Argument, Array, Grid, Machine, Matrix, machine};
use grn_explorer::models::nn::parameters::Source;
use grn_explorer::random;
use rand::RngExt as _;

const CELLS: usize = 512;
const PARTNERS: usize = 20;

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
fn batch(size: &Size, reading: &Arc<Reading>, random: &mut random::Rng) -> BatchData {
    let (genes, treatments) = (size.genes, size.treatments);
    let mut counts = || -> Vec<f32> {
        let mut count = |_| if random.random_bool(size.density) { random.random_range(1..6) as f32 } else { 0.0 };
        (0..genes).map(&mut count).collect()
    };
    let mut cells = SparseCells::new(Arc::clone(reading));
    let mut data = BatchData::default();
    for cell in 0..CELLS {
        let row = counts();
        data.library.push(row.iter().sum::<f32>().max(1.0));
        let stored = row.iter().enumerate().filter(|(_, count)| **count != 0.0);
        let partner = (cell % 2 == 0).then_some((cell % PARTNERS) as u32);
        cells.push(stored.map(|(gene, &count)| (gene as u32, count)), partner);
        data.partner_rows.extend(partner.map(|_| cell as u32));
    }
    for cell in 0..CELLS {
        let controls = cell % 10 == 0;
        data.dosages.push(if controls { Vec::new() } else { vec![random.random_range(0..treatments) as u32] });
        data.quality_failed.push(cell % 30 == 7);
        data.shifts.extend((0..treatments).map(|_| random.random::<f32>()));
    }
    BatchData { sparse: Some(cells), ..data }
}

/// Milliseconds of each part of a step.
#[derive(Default)]
struct Times {
    batch: Vec<f64>,
    noise: Vec<f64>,
    gradient: Vec<f64>,
    optimiser: Vec<f64>,
    all: Vec<f64>,
    /// Of a step that nothing waits for, and what is held: on a GPU.
    in_a_row: Option<f64>,
    held: Option<usize>,
    /// What was told of that before.
    told: Option<u64>,
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// A step by each of the ways.
enum Way {
    Fused(Box<FusedStep>, Adam),
    Plain(Adam),
    Gpu(Box<GpuStep>),
}

/// Sizes, model and what its batches share.
struct Case<'a> {
    size: &'a Size,
    sizes: Sizes,
    config: GpoVaeConfig,
    context: BatchContext,
    reading: Arc<Reading>,
    draws: random::Rng,
}

impl<'a> Case<'a> {
    fn new(size: &'a Size) -> Self {
        let config = GpoVaeConfig::preset(size.preset);
        let mut draws = random::stream(1, "counts");
        let partners: Vec<Vec<f32>> = (0..PARTNERS)
            .map(|_| (0..size.genes).map(|_| f32::from(draws.random_range(0..4u8).saturating_sub(1))).collect())
            .collect();
        let (means, deviations) = (vec![0.3; size.genes], vec![1.0; size.genes]);
        let context = BatchContext {
            cells_per_treatment: vec![100.0; size.treatments],
            failing_cells: 100.0,
            treatment_measured: vec![true; size.treatments],
            fold_change: config.fold_change as f32,
            alpha: config.alpha,
        };
        let sizes = Sizes { genes: size.genes, treatments: size.treatments };
        let reading = Arc::new(Reading::new(InputScale::LogStandardise, &means, &deviations, &partners));
        Self { size, sizes, config, context, reading, draws }
    }

    fn model(&self, device: &Device) -> Result<GpoVae> {
        GpoVae::new(self.sizes, &self.config, Source::Random(Box::new(random::stream(1, "parameters"))), device)
    }

    fn data(&mut self) -> BatchData {
        batch(self.size, &self.reading, &mut self.draws)
    }
}

fn measure(size: &Size, steps: usize, plain: bool, device: &Device) -> Result<Times> {
    let mut case = Case::new(size);
    let (model, mut way) = match (plain, device) {
        (true, device) => (case.model(device)?, Way::Plain(Adam::new(case.config.optimiser()))),
        (false, Device::Cpu) => {
            let model = case.model(device)?;
            let fused = Box::new(FusedStep::new(&model)?);
            (model, Way::Fused(fused, Adam::new(case.config.optimiser())))
        }
        (false, device) => {
            let model = case.model(&Device::Cpu)?;
            let step = Box::new(GpuStep::new(&model, machine(device)?)?);
            (model, Way::Gpu(step))
        }
    };
    // A GPU works on while the processor goes on: every time is taken when it is done.
    let now = || -> Result<Instant> {
        device.synchronize()?;
        Ok(Instant::now())
    };
    let mut noises = random::stream(1, "noise");
    let mut times = Times::default();
    for step in 0..=steps {
        let data = case.data();
        let begun = now()?;
        let mut batch = Batch::new(data, &case.context);
        let packed = match &way {
            Way::Gpu(_) => Some(Packed::new(&batch, &case.config)),
            Way::Fused(..) | Way::Plain(_) => {
                batch.make_dense();
                None
            }
        };
        let batched = Instant::now();
        let noise = packed.is_none().then(|| Noise::random(&mut noises, case.sizes, &case.config, &batch));
        let drawn = Instant::now();
        let learned = match (&mut way, &noise, &packed) {
            (Way::Fused(fused, adam), Some(noise), _) => {
                fused.run(&model, &batch, noise, true)?;
                let learned = Instant::now();
                adam.step_slices(model.parameters(), &fused.gradients())?;
                learned
            }
            (Way::Plain(adam), Some(noise), _) => {
                let gradients = model.loss(&batch, noise)?.total.backward()?;
                let learned = now()?;
                adam.step(model.parameters(), &gradients)?;
                learned
            }
            (Way::Gpu(step), _, Some(packed)) => {
                step.run(packed, None, true, 1.0)?;
                let learned = now()?;
                step.optimise()?;
                learned
            }
            _ => candle_core::bail!("a batch for another way"),
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
    if let Way::Gpu(step) = &mut way {
        times.held = Some(step.held());
        let size = Batch::new(case.data(), &case.context).size();
        times.told = Some(Footprint { sizes: case.sizes, config: &case.config, step: size }.gpu_step() * 4);
        let ready: Vec<Packed> =
            (0..4).map(|_| Packed::new(&Batch::new(case.data(), &case.context), &case.config)).collect();
        let begun = now()?;
        for packed in ready.iter().cycle().take(4 * steps) {
            step.run(packed, None, true, 1.0)?;
            step.optimise()?;
        }
        times.in_a_row = Some(milliseconds(now()? - begun) / (4 * steps) as f64);
    }
    Ok(times)
}

/// What was asked of a kernel, and how long it took.
#[derive(Clone, Copy, Default)]
struct Asked {
    launches: usize,
    milliseconds: f64,
    /// Operations, of products.
    operations: f64,
}

/// A machine that waits for all that it is asked.
struct Timed {
    machine: Box<dyn Machine>,
    probe: Array,
    asked: Rc<RefCell<BTreeMap<&'static str, Asked>>>,
}

impl Timed {
    fn time(
        &mut self,
        name: &'static str,
        operations: f64,
        ask: impl FnOnce(&mut dyn Machine) -> Result<()>,
    ) -> Result<()> {
        self.machine.download(self.probe)?;
        let begun = Instant::now();
        ask(&mut *self.machine)?;
        self.machine.download(self.probe)?;
        let mut all = self.asked.borrow_mut();
        let asked = all.entry(name).or_default();
        asked.launches += 1;
        asked.milliseconds += milliseconds(begun.elapsed());
        asked.operations += operations;
        Ok(())
    }
}

impl Machine for Timed {
    fn allocate(&mut self, count: usize) -> Result<Array> {
        self.machine.allocate(count)
    }

    fn release(&mut self, array: Array) {
        self.machine.release(array);
    }

    fn upload(&mut self, words: &[u32], to: Array) -> Result<()> {
        self.time("(upload)", 0.0, |machine| machine.upload(words, to))
    }

    fn download(&mut self, from: Array) -> Result<Vec<f32>> {
        self.machine.download(from)
    }

    fn launch(&mut self, kernel: &'static str, grid: Grid, arguments: &[Argument]) -> Result<()> {
        self.time(kernel, 0.0, |machine| machine.launch(kernel, grid, arguments))
    }

    fn product(&mut self, into: Matrix, keep: f32, factor: f32, a: Matrix, b: Matrix) -> Result<()> {
        let operations = 2.0 * into.sizes(&a, &b)?.into_iter().map(|size| size as f64).product::<f64>();
        self.time("(product)", operations, |machine| machine.product(into, keep, factor, a, b))
    }

    fn seed(&mut self, seed: u64) -> Result<()> {
        self.machine.seed(seed)
    }

    fn uniform(&mut self, to: Array) -> Result<()> {
        self.time("(uniform draws)", 0.0, |machine| machine.uniform(to))
    }

    fn normal(&mut self, to: Array) -> Result<()> {
        self.time("(normal draws)", 0.0, |machine| machine.normal(to))
    }
}

/// How often a kernel reads or writes an array of particles × cells × genes, where it does.
fn passes(kernel: &str) -> f64 {
    match kernel {
        "decoded" => 2.0,
        "row_scales" => 2.0,
        "counts_value" | "counts_by_log" => 1.0,
        // Logits twice, the gradient written, read and written again.
        "counts_by_logits" => 5.0,
        _ => 0.0,
    }
}

fn kernels(size: &Size, steps: usize, device: &Device) -> Result<()> {
    let mut case = Case::new(size);
    let mut machine = machine(device)?;
    let probe = machine.allocate(1)?;
    machine.upload(&[0], probe)?;
    let told = Rc::new(RefCell::new(BTreeMap::new()));
    let timed = Timed { machine, probe, asked: Rc::clone(&told) };
    let model = case.model(&Device::Cpu)?;
    let packed = Packed::new(&Batch::new(case.data(), &case.context), &case.config);
    let mut step = GpuStep::new(&model, timed)?;
    for number in 0..=steps {
        step.run(&packed, None, true, 1.0)?;
        step.optimise()?;
        if number == 0 {
            // The first step takes memory that the others find.
            told.borrow_mut().clear();
        }
    }
    let large = 4.0 * (case.config.particles * CELLS * size.genes) as f64;
    let mut rows: Vec<(&str, Asked)> = told.borrow().iter().map(|(name, asked)| (*name, *asked)).collect();
    rows.sort_by(|a, b| b.1.milliseconds.total_cmp(&a.1.milliseconds));
    println!("{}, a step: launches, ms, what it moves or computes in that time", size.name);
    for (name, asked) in rows {
        let (count, time) = (asked.launches as f64 / steps as f64, asked.milliseconds / steps as f64);
        let moved = passes(name) * large * asked.launches as f64;
        let rate = match (asked.operations > 0.0, moved > 0.0) {
            (true, _) => format!("{:.1} TFLOP/s", asked.operations / asked.milliseconds / 1e9),
            (_, true) => format!("{:.0} GB/s of the large array alone", moved / asked.milliseconds / 1e6),
            _ => String::new(),
        };
        println!("  {name:24} {count:6.1} {time:8.3}  {rate}");
    }
    Ok(())
}

/// Largest resident memory of this process so far, MB; none where the system does not say.
fn peak_memory() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().trim_end_matches("kB").trim().parse::<f64>().ok()? / 1024.0)
}

fn main() -> Result<()> {
    let mut wanted = Vec::new();
    let (mut steps, mut plain, mut on_gpu, mut by_kernel) = (5, false, false, false);
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--steps" => steps = arguments.next().and_then(|number| number.parse().ok()).unwrap_or(steps),
            "--plain" => plain = true,
            "--gpu" => on_gpu = true,
            "--kernels" => by_kernel = true,
            _ => wanted.push(argument),
        }
    }
    let device = if on_gpu { Device::new_cuda(0)? } else { Device::Cpu };
    if on_gpu && !plain {
        try_out(|| machine(&device))?;
    }
    let chosen = || SIZES.iter().filter(|size| wanted.is_empty() || wanted.iter().any(|name| name == size.name));
    if by_kernel {
        return chosen().try_for_each(|size| kernels(size, steps, &device));
    }
    println!("{} threads; medians of {steps} steps of {CELLS} cells, ms", rayon::current_num_threads());
    println!("size      step   batch  noise  loss, gradient   Adam   peak MB so far");
    for size in chosen() {
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
        if let (Some(time), Some(held), Some(told)) = (times.in_a_row, times.held, times.told) {
            let [held, told] = [held as f64, told as f64].map(|bytes| bytes / f64::from(1 << 20));
            println!("          {time:6.2} a step in a row; {held:.0} MB on the GPU, estimated at {told:.0}");
        }
    }
    Ok(())
}

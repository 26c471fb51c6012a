//! The kernels' text compiled for the processor and held against plain formulas: what they compute is the same wherever they run.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use candle_core::{Device, Tensor, Var};
use rand::RngExt as _;

use super::Grid;
use crate::models::nn::counts::{Counts, library_negative_binomial};
use crate::random::{self, Rng};

/// The program that runs kernels; none, with the reason printed, where there is no compiler that knows C++20.
struct Host {
    program: PathBuf,
    _folder: tempfile::TempDir,
}

impl Host {
    fn new() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("kernels");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/models/nn/gpu");
        let kernels = format!("-DKERNELS=\"{}\"", source.join("kernels.cu").display());
        let mut compiler = Command::new("c++");
        compiler
            .args(["-std=c++20", "-O1", "-pthread", "-w", &kernels, "-o"])
            .arg(&program)
            .arg(source.join("host.cpp"));
        let Ok(output) = compiler.output() else {
            println!("skipped: there is no c++ to compile the kernels with");
            return None;
        };
        if !output.status.success() {
            let told = String::from_utf8_lossy(&output.stderr);
            // Old compilers have no barriers; anything else is an error of the kernels.
            assert!(told.contains("barrier") || told.contains("c++20"), "{told}");
            println!("skipped: the compiler does not know C++20");
            return None;
        }
        Some(Self { program, _folder: folder })
    }

    /// Run a kernel on arrays (changed in place), whole numbers and numbers.
    fn run(&self, kernel: &str, grid: Grid, arrays: &mut [Vec<f32>], whole: &[usize], numbers: &[f32]) {
        let join = |values: Vec<String>| values.join(" ");
        let lengths = join(arrays.iter().map(|values| values.len().to_string()).collect());
        let whole = join(whole.iter().map(ToString::to_string).collect());
        let numbers = join(numbers.iter().map(|value| format!("{value:e}")).collect());
        let [x, y] = grid.threads;
        let mut input = format!("{kernel} {} {x} {y}\n{lengths}\n{whole}\n{numbers}\n", grid.blocks).into_bytes();
        input.extend(arrays.iter().flatten().flat_map(|value| value.to_ne_bytes()));
        let mut child =
            Command::new(&self.program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it was compiled");
        child.stdin.take().unwrap().write_all(&input).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{kernel}");
        let mut values = output.stdout.chunks_exact(4).map(|bytes| f32::from_ne_bytes(bytes.try_into().unwrap()));
        for array in arrays {
            array.iter_mut().for_each(|value| *value = values.next().expect("all arrays come back"));
        }
    }
}

/// Fewer threads than on a GPU: each is one of the system here.
fn fewer(grid: Grid) -> Grid {
    Grid { threads: if grid.threads[1] > 1 { [32, 4] } else { [64, 1] }, ..grid }
}

fn uniform(random: &mut Rng, count: usize, reach: f32) -> Vec<f32> {
    (0..count).map(|_| random.random_range(-reach..=reach)).collect()
}

#[track_caller]
fn near(name: &str, found: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(found.len(), expected.len(), "{name}");
    let largest = expected.iter().fold(1e-6f32, |largest, value| largest.max(value.abs()));
    for (at, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!((found - expected).abs() <= tolerance * largest, "{name} at {at}: {found}, expected {expected}");
    }
}

fn read(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

#[test]
fn the_likelihood_of_counts_and_its_gradients_are_those_of_the_plain_formula() {
    let Some(host) = Host::new() else { return };
    let mut random = random::stream(1, "kernels on the host");
    for (particles, cells, genes) in [(1, 1, 1), (2, 3, 37), (2, 5, 130)] {
        let rows = particles * cells;
        let (logits, logs) = (uniform(&mut random, rows * genes, 3.0), uniform(&mut random, genes, 2.0));
        // Zeros, small counts, some that are summed otherwise, and one that is no whole number.
        let value = |at: usize| [0.0, 1.0, 0.0, 3.0, 0.0, 41.0, 0.0, 2.5, 700.0][at % 9];
        let counts: Vec<f32> = (0..cells * genes).map(|at| value(at + genes)).collect();
        let library: Vec<f32> = (0..cells).map(|cell| 500.0 + 100.0 * cell as f32).collect();
        let weights = uniform(&mut random, rows, 1.0);

        let shape = (particles, cells, genes);
        let var = |values: &Vec<f32>| Tensor::from_slice(values, values.len(), &Device::Cpu).unwrap();
        let of_logits = Var::from_tensor(&var(&logits).reshape(shape).unwrap()).unwrap();
        let of_logs = Var::from_tensor(&var(&logs)).unwrap();
        let plain =
            library_negative_binomial(&of_logits, &of_logs, &Counts::new(counts.clone(), library.clone(), genes))
                .unwrap();
        let weighted = (&plain * var(&weights).reshape((particles, cells)).unwrap()).unwrap().sum_all().unwrap();
        let gradients = weighted.backward().unwrap();

        let mut scales = [logits.clone(), library.clone(), vec![0.0; 2 * rows]];
        host.run("row_scales", fewer(Grid::rows(rows)), &mut scales, &[genes, cells], &[]);
        let scales = std::mem::take(&mut scales[2]);
        let base = [logits.clone(), scales, logs.clone(), counts.clone()];
        let with = |more: &[Vec<f32>]| [&base[..], more].concat();

        let mut value = with(&[vec![0.0; rows]]);
        host.run("counts_value", fewer(Grid::rows(rows)), &mut value, &[genes, cells], &[]);
        let mut terms = [logs.clone(), counts.clone(), vec![0.0; cells]];
        host.run("count_terms", fewer(Grid::rows(cells)), &mut terms, &[genes], &[]);
        let sums: Vec<f32> = (0..rows).map(|row| value[4][row] + terms[2][row % cells]).collect();
        near("log-likelihood", &sums, &read(&plain), 1e-5);

        let mut back = with(&[library, weights.clone(), vec![0.0; rows * genes]]);
        host.run("counts_by_logits", fewer(Grid::rows(rows)), &mut back, &[genes, cells], &[]);
        near("gradient by logits", &back[6], &read(gradients.get(&of_logits).unwrap()), 1e-4);

        let mut by_log = with(&[weights.clone(), vec![0.0; genes]]);
        host.run("counts_by_log", fewer(Grid::bands(genes)), &mut by_log, &[genes, cells, rows], &[]);
        let by_cell: Vec<f32> =
            (0..cells).map(|cell| (0..particles).map(|p| weights[p * cells + cell]).sum()).collect();
        let mut of_terms = [logs, counts, by_cell, vec![0.0; genes]];
        host.run("count_terms_by_log", fewer(Grid::bands(genes)), &mut of_terms, &[genes, cells], &[]);
        let sums: Vec<f32> = by_log[5].iter().zip(&of_terms[3]).map(|(a, b)| a + b).collect();
        // The plain formula takes ln Γ by Lanczos' six terms, in f32.
        near("gradient by log c", &sums, &read(gradients.get(&of_logs).unwrap()), 2e-3);
    }
}

#[test]
fn bias_activation_and_their_way_back() {
    let Some(host) = Host::new() else { return };
    let mut random = random::stream(2, "kernels on the host");
    for (rows, columns) in [(1, 1), (7, 33), (40, 70)] {
        let count = rows * columns;
        let (x, bias) = (uniform(&mut random, count, 1.0), uniform(&mut random, columns, 0.5));
        let by_y = uniform(&mut random, count, 1.0);
        let grid = fewer(Grid::strides(count));
        for leak in [1.0f32, 0.01] {
            let act = |value: f32| if value > 0.0 { value } else { leak * value };
            let expected: Vec<f32> = (0..count).map(|at| act(x[at] + bias[at % columns])).collect();
            let mut forward = [x.clone(), bias.clone(), vec![0.0; count]];
            host.run("bias_leaky", grid, &mut forward, &[columns, count], &[leak]);
            near("bias and activation", &forward[2], &expected, 1e-6);
            let mut alone = [x.clone(), vec![0.0; count]];
            host.run("leaky", grid, &mut alone, &[count], &[leak]);
            near("activation", &alone[1], &x.iter().map(|&value| act(value)).collect::<Vec<_>>(), 1e-6);

            let slope: Vec<f32> =
                (0..count).map(|at| if expected[at] > 0.0 { by_y[at] } else { leak * by_y[at] }).collect();
            let mut back = [by_y.clone(), expected, vec![0.0; count]];
            host.run("leaky_slope", grid, &mut back, &[count], &[leak]);
            near("slope", &back[2], &slope, 1e-6);
            let sums: Vec<f32> = (0..columns).map(|c| (0..rows).map(|r| slope[r * columns + c]).sum()).collect();
            let mut band = [slope, vec![0.0; columns]];
            host.run("column_sums", fewer(Grid::bands(columns)), &mut band, &[columns, rows], &[]);
            near("sums of columns", &band[1], &sums, 1e-5);
        }
    }
}

#[test]
fn the_optimiser_steps_as_on_the_processor_and_not_at_all_without_a_number() {
    let Some(host) = Host::new() else { return };
    let mut random = random::stream(3, "kernels on the host");
    let count = 700;
    let (mut values, mut moments) = (uniform(&mut random, count, 1.0), vec![0.0f32; 2 * count]);
    let (mut plain, mut first, mut second) = (values.clone(), vec![0.0f32; count], vec![0.0f32; count]);
    let (most, decay, beta1, beta2, learning_rate, epsilon) = (0.7f32, 0.1, 0.9f32, 0.999f32, 0.01f32, 1e-8f32);
    let grid = fewer(Grid::strides(count));
    for step in 1..=3 {
        let gradient = uniform(&mut random, count, 1.0);
        let mut squares = [gradient.clone(), vec![0.0; grid.blocks as usize]];
        host.run("squares", grid, &mut squares, &[count], &[]);
        let [_, parts] = squares;
        let norm = gradient.iter().map(|value| value * value).sum::<f32>().sqrt();
        near("norm", &[parts.iter().sum::<f32>().sqrt()], &[norm], 1e-5);

        let mut state = [std::mem::take(&mut moments), values.clone(), gradient.clone(), parts.clone()];
        host.run("adam_moments", grid, &mut state, &[count, parts.len()], &[most, decay, beta1, beta2]);
        moments = std::mem::take(&mut state[0]);
        let (rate, root) = (learning_rate / (1.0 - beta1.powi(step)), 1.0 / (1.0 - beta2.powi(step)).sqrt());
        let mut state = [std::mem::take(&mut values), moments.clone(), parts.clone()];
        host.run("adam_step", grid, &mut state, &[count, parts.len()], &[rate, root, epsilon]);
        values = std::mem::take(&mut state[0]);

        let scale = (most / (norm + 1e-6)).min(1.0);
        for at in 0..count {
            let slope = gradient[at] * scale + decay * plain[at];
            first[at] += (1.0 - beta1) * (slope - first[at]);
            second[at] = beta2 * second[at] + (1.0 - beta2) * slope * slope;
            plain[at] -= rate * first[at] / (second[at].sqrt() * root + epsilon);
        }
        near("parameters", &values, &plain, 1e-5);
        near("moments", &moments, &[first.clone(), second.clone()].concat(), 1e-5);
    }
    let before = (values.clone(), moments.clone());
    for broken in [f32::NAN, f32::INFINITY] {
        let mut state = [moments.clone(), values.clone(), vec![1.0; count], vec![1.0, broken]];
        host.run("adam_moments", grid, &mut state, &[count, 2], &[most, decay, beta1, beta2]);
        let mut step = [values.clone(), state[0].clone(), vec![1.0, broken]];
        host.run("adam_step", grid, &mut step, &[count, 2], &[0.1, 1.0, epsilon]);
        assert_eq!((&step[0], &state[0]), (&before.0, &before.1));
    }
}

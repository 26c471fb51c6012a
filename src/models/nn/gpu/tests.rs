use candle_core::{Device, Tensor, Var};
use rand::RngExt as _;

use super::*;
use crate::models::nn::counts::{Counts, library_negative_binomial};
use crate::random::{self, Rng};

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

fn var(values: &[f32], shape: impl Into<candle_core::Shape>) -> Var {
    Var::from_tensor(&Tensor::from_slice(values, shape, &Device::Cpu).unwrap()).unwrap()
}

/// Launch with arguments of any kind.
macro_rules! launch {
    ($host:expr, $kernel:literal, $grid:expr; $($argument:expr),+ $(,)?) => {
        $host.launch($kernel, $grid, &[$($argument.into()),+]).unwrap()
    };
}

#[test]
fn the_likelihood_of_counts_and_its_gradients_are_those_of_the_plain_formula() {
    let Some(mut host) = Host::new() else { return };
    let mut random = random::stream(1, "kernels on the host");
    for (particles, cells, genes) in [(1usize, 1usize, 1usize), (2, 3, 37), (2, 5, 300)] {
        let rows = particles * cells;
        let (logits, logs) = (uniform(&mut random, rows * genes, 3.0), uniform(&mut random, genes, 2.0));
        // Zeros, small counts, some that are summed otherwise, and one that is no whole number.
        let value = |at: usize| [0.0, 1.0, 0.0, 3.0, 0.0, 41.0, 0.0, 2.5, 700.0][at % 9];
        let counts: Vec<f32> = (0..cells * genes).map(|at| value(at + genes)).collect();
        let library: Vec<f32> = (0..cells).map(|cell| 500.0 + 100.0 * cell as f32).collect();
        let weights = uniform(&mut random, cells, 1.0);

        let (of_logits, of_logs) = (var(&logits, (particles, cells, genes)), var(&logs, genes));
        let observed = Counts::new(counts.clone(), library.clone(), genes);
        let plain = library_negative_binomial(&of_logits, &of_logs, &observed).unwrap();
        let weighted = plain.broadcast_mul(var(&weights, (1, cells)).as_tensor()).unwrap().sum_all().unwrap();
        let gradients = weighted.backward().unwrap();

        let [logits, logs, counts, library, weights] =
            [&logits, &logs, &counts, &library, &weights].map(|values| host.with(values));
        let mut room = |count: usize| host.allocate(count).unwrap();
        let (scales, sums, terms) = (room(2 * rows), room(rows), room(cells));
        let (by_logits, by_logs) = (room(rows * genes), room(genes));
        let (g, b) = (genes as u32, cells as u32);
        launch!(host, "row_scales", Grid::rows(rows); logits, library, scales, g, b);
        launch!(host, "counts_value", Grid::rows(rows); logits, scales, logs, counts, sums, g, b);
        launch!(host, "count_terms", Grid::rows(cells); logs, counts, terms, g);
        launch!(host, "counts_by_logits", Grid::rows(rows); logits, scales, logs, counts, library, weights, by_logits, g, b);
        let bands = Grid::bands(genes, 1);
        launch!(host, "counts_by_log", bands; logits, scales, logs, counts, weights, by_logs, g, b, rows as u32);
        launch!(host, "count_terms_by_log", bands; logs, counts, weights, by_logs, g, b, particles as f32);
        let (sums, terms) = (host.download(sums).unwrap(), host.download(terms).unwrap());
        let sums: Vec<f32> = sums.iter().enumerate().map(|(row, sum)| sum + terms[row % cells]).collect();
        near("log-likelihood", &sums, &read(&plain), 1e-5);
        let found = host.download(by_logits).unwrap();
        near("gradient by logits", &found, &read(gradients.get(&of_logits).unwrap()), 1e-4);
        // The plain formula takes ln Γ by Lanczos' six terms, in f32.
        let found = host.download(by_logs).unwrap();
        near("gradient by log c", &found, &read(gradients.get(&of_logs).unwrap()), 2e-3);
    }
}

#[test]
fn the_optimiser_steps_as_on_the_processor_and_not_at_all_without_a_number() {
    let Some(mut host) = Host::new() else { return };
    let mut random = random::stream(3, "kernels on the host");
    let count = 700;
    let mut plain = uniform(&mut random, count, 1.0);
    let (mut first, mut second) = (vec![0.0f32; count], vec![0.0f32; count]);
    let values = host.with(&plain);
    let moments = [host.with(&first), host.with(&second)];
    let (most, decay, beta1, beta2, learning_rate, epsilon) = (0.7f32, 0.1f32, 0.9f32, 0.999f32, 0.01f32, 1e-8f32);
    let grid = Grid::strides(count);
    let parts = host.allocate(grid.blocks()).unwrap();
    for step in 1..=3 {
        let gradient = uniform(&mut random, count, 1.0);
        let norm = gradient.iter().map(|value| value * value).sum::<f32>().sqrt();
        let given = host.with(&gradient);
        launch!(host, "squares", grid; given, parts, count as u64);
        let (rate, root) = (learning_rate / (1.0 - beta1.powi(step)), 1.0 / (1.0 - beta2.powi(step)).sqrt());
        launch!(
            host, "adam", grid; values, given, moments[0], moments[1], parts, count as u64, parts.len() as u32, most,
            decay, beta1, beta2, rate, root, epsilon
        );
        let scale = (most / (norm + 1e-6)).min(1.0);
        for at in 0..count {
            let slope = gradient[at] * scale + decay * plain[at];
            first[at] += (1.0 - beta1) * (slope - first[at]);
            second[at] = beta2 * second[at] + (1.0 - beta2) * slope * slope;
            plain[at] -= rate * first[at] / (second[at].sqrt() * root + epsilon);
        }
        near("parameters", &host.download(values).unwrap(), &plain, 1e-5);
        near("first moments", &host.download(moments[0]).unwrap(), &first, 1e-5);
        near("second moments", &host.download(moments[1]).unwrap(), &second, 1e-5);
    }
    let before = host.download(values).unwrap();
    for broken in [f32::NAN, f32::INFINITY] {
        let (gradient, parts) = (host.with(&vec![1.0; count]), host.with(&[1.0, broken]));
        launch!(
            host, "adam", grid; values, gradient, moments[0], moments[1], parts, count as u64, 2u32, most, decay, beta1,
            beta2, 0.1f32, 1.0f32, epsilon
        );
        assert_eq!(host.download(values).unwrap(), before);
    }
}

/// Beyond ±88 the variance stays, and has no gradient.
#[test]
fn log_variances_beyond_what_an_exponential_holds_have_no_gradient() {
    let Some(mut host) = Host::new() else { return };
    let logs = [95.0f32, -95.0, 0.3, -2.0];
    let (means, noise) = (host.with(&[0.0; 4]), host.with(&[0.0, 0.5, 0.5, -1.0]));
    let (of_logs, seeds, by_x) = (host.with(&logs), host.with(&[0.7]), host.with(&[0.1, 0.2, 0.3, 0.4]));
    let mut room = || host.allocate(4).unwrap();
    let (x, by_means, by_logs) = (room(), room(), room());
    launch!(host, "normal_draw", Grid::strides(4); means, of_logs, noise, x, 4u32, 1u32, 1u32, 1u32, 4u64);
    let drawn = host.download(x).unwrap();
    near("draws", &drawn, &[0.0, 0.5e-2, 0.5 * (0.3f32.exp() + 1e-4).sqrt(), -((-2.0f32).exp() + 1e-4).sqrt()], 1e-5);
    launch!(
        host, "normal_back", Grid::strides(4); x, of_logs, noise, by_x, seeds, by_means, by_logs, 4u32, 1u32, 1u32, 1u32,
        4u64, 1u32, 1.0f32
    );
    let by_logs = host.download(by_logs).unwrap();
    assert_eq!(by_logs[..2], [0.0, 0.0]);
    let expected = |at: usize, by_x: f32, noise: f32| {
        let (e, slope) = (logs[at].exp(), by_x - 0.7 * drawn[at]);
        (slope * noise * 0.5 / (e + 1e-4).sqrt() + 0.35 / (e + 1e-4)) * e
    };
    near("gradient", &by_logs[2..], &[expected(2, 0.3, 0.5), expected(3, 0.4, -1.0)], 1e-4);
}

#[test]
fn what_stands_for_a_gpu_tells_wrong_launches() {
    let wrong: [fn(&mut Host, Array) -> Result<()>; 5] = [
        |host, array| host.launch("fill", Grid::strides(8), &[array.into(), 8u32.into(), 0.0f32.into()]),
        |host, array| host.launch("fill", Grid::strides(8), &[array.into(), 8u64.into()]),
        |host, array| host.launch("fill", Grid::strides(9), &[array.into(), 9u64.into(), 0.0f32.into()]),
        |host, array| host.launch("filled", Grid::strides(8), &[array.into(), 8u64.into(), 0.0f32.into()]),
        |host, _| host.launch("fill", Grid::strides(8), &[Argument::Array(4096), 8u64.into(), 0.0f32.into()]),
    ];
    for (at, launch) in wrong.into_iter().enumerate() {
        let Some(mut host) = Host::new() else { return };
        let array = host.with(&[1.0; 8]);
        host.launch("fill", Grid::strides(8), &[array.into(), 8u64.into(), 2.0f32.into()]).unwrap();
        assert_eq!(host.download(array).unwrap(), [2.0; 8]);
        assert!(launch(&mut host, array).is_err(), "{at}");
    }
}

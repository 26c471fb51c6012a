//! The minimum between two modes (Prewitt & Mendelsohn 1966): the histogram is smoothed until it has two maxima.

/// Bins of the histogram.
const BINS: usize = 256;
/// Smoothings at most.
const MOST_PASSES: usize = 10_000;

/// The value at the minimum between the two modes of `values`; none where smoothing does not leave two.
///
/// As in scikit-image's `threshold_minimum`: 256 bins, a running mean over three bins in single precision, a maximum
/// being the last bin before the histogram falls.
pub(super) fn between_modes(values: &[f64]) -> Option<f64> {
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if !(low.is_finite() && high > low) {
        return None;
    }
    let width = (high - low) / BINS as f64;
    let mut histogram = vec![0.0f32; BINS];
    for value in values {
        let bin = (((value - low) / (high - low) * BINS as f64) as usize).min(BINS - 1);
        histogram[bin] += 1.0;
    }
    let mut maxima = Vec::new();
    for _ in 0..MOST_PASSES {
        histogram = running_mean(&histogram);
        maxima = local_maxima(&histogram);
        if maxima.len() < 3 {
            break;
        }
    }
    let [first, second] = maxima[..] else { return None };
    let lowest = (first..=second).min_by(|&a, &b| histogram[a].total_cmp(&histogram[b]))?;
    Some(low + (lowest as f64 + 0.5) * width)
}

/// Mean of each bin and its neighbours; the ends are repeated. Carried along in double precision.
fn running_mean(values: &[f32]) -> Vec<f32> {
    let last = values.len() - 1;
    let at = |position: usize| f64::from(values[position.saturating_sub(1).min(last)]);
    let mut mean = (at(0) + at(1) + at(2)) / 3.0;
    let mut smooth = vec![mean as f32];
    for position in 1..values.len() {
        mean += (at(position + 2) - at(position - 1)) / 3.0;
        smooth.push(mean as f32);
    }
    smooth
}

/// The last bin of every rise; plateaus count once.
fn local_maxima(values: &[f32]) -> Vec<usize> {
    let mut maxima = Vec::new();
    let mut rising = true;
    for (at, pair) in values.windows(2).enumerate() {
        if rising && pair[1] < pair[0] {
            rising = false;
            maxima.push(at);
        } else if !rising && pair[1] > pair[0] {
            rising = true;
        }
    }
    maxima
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_valley_between_two_modes_is_found_and_one_mode_has_none() {
        let bell = |centre: f64, count: usize| {
            (0..count).map(move |at| centre + 0.05 * ((at as f64 + 0.5) / count as f64 * 2.0 - 1.0).powi(3))
        };
        let two: Vec<f64> = bell(0.2, 800).chain(bell(0.7, 400)).chain([0.4, 0.5]).collect();
        let threshold = between_modes(&two).unwrap();
        assert!((0.25..0.65).contains(&threshold), "{threshold}");
        let one: Vec<f64> = bell(0.3, 100_000).collect();
        assert_eq!(between_modes(&one), None);
        assert_eq!(between_modes(&[0.5; 10]), None);
        assert_eq!(between_modes(&[]), None);
    }

    #[test]
    fn plateaus_count_once_and_ends_are_repeated() {
        assert_eq!(local_maxima(&[0.0, 2.0, 2.0, 1.0, 1.0, 3.0]), [2]);
        assert_eq!(running_mean(&[3.0, 0.0, 6.0]), [2.0, 3.0, 4.0]);
    }
}

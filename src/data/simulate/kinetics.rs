//! Steady states: dx/dt = production(x) − decay·x, integrated until nothing moves.
//!
//! Levels are relative: u = x / (level in an unperturbed cell), so that an unperturbed cell has u = 1 everywhere. Each
//! gene's production is the product of its regulators' factors, (1 + aρ(u)) / (1 + a) for an activator and its inverse
//! for a repressor with a = 2^strength − 1, times a factor of the cell's own. Losing an activator (u = 0, ρ = 0) thus
//! divides the production by exactly 2^strength; losing a repressor multiplies it by that.

use super::wiring::Wiring;
use super::{Regulation, SimulateConfig};

/// Largest |production / decay − u| / max(u, 0.01) of a state that is called steady.
const TOLERANCE: f64 = 1e-5;
/// Time step, in mean lifetimes of a product; RK4 is stable up to 2.7.
const STEP: f64 = 1.0;
/// Steps at most: a network that oscillates never settles, and is left where it is then.
const STEPS: usize = 200;

/// Regulators of one gene.
#[derive(Clone, Copy, Debug)]
struct Input {
    regulator: usize,
    /// a = 2^strength − 1.
    gain: f64,
    activates: bool,
}

/// The network as equations.
#[derive(Clone, Debug)]
pub(super) struct Kinetics {
    regulation: Regulation,
    regulators: usize,
    /// Per gene, where its inputs are in `inputs`.
    starts: Vec<usize>,
    inputs: Vec<Input>,
}

impl Kinetics {
    pub fn new(config: &SimulateConfig, wiring: &Wiring) -> Self {
        let genes = wiring.symbols.len();
        let mut links = wiring.links.clone();
        links.sort_by_key(|link| (link.target, link.regulator));
        let mut starts = vec![0; genes + 1];
        for link in &links {
            starts[link.target + 1] += 1;
        }
        for gene in 0..genes {
            starts[gene + 1] += starts[gene];
        }
        let input = |link: &super::wiring::Link| Input {
            regulator: link.regulator,
            gain: link.strength.exp2() - 1.0,
            activates: link.activates,
        };
        let inputs = links.iter().map(input).collect();
        Self { regulation: config.regulation, regulators: wiring.regulators, starts, inputs }
    }

    /// The steady state of every gene, given each gene's own factor on its production. `start` (regulators or more) is
    /// where the integration begins: near the solution it ends sooner.
    ///
    /// Only regulators feed back, so only they are integrated (RK4); every other gene follows in one evaluation.
    pub fn steady_state(&self, production: &[f64], start: &[f64]) -> Vec<f64> {
        let count = self.regulators;
        let mut level = start[..count].to_vec();
        let (mut action, mut probe) = (vec![0.0; count], vec![0.0; count]);
        let mut slopes: [Vec<f64>; 4] = std::array::from_fn(|_| vec![0.0; count]);
        for _ in 0..STEPS {
            self.slope(production, &level, &mut action, &mut slopes[0]);
            if level.iter().zip(&slopes[0]).all(|(level, slope)| slope.abs() <= TOLERANCE * level.max(0.01)) {
                break;
            }
            for (stage, share) in [(1, 0.5), (2, 0.5), (3, 1.0)] {
                for ((probe, level), slope) in probe.iter_mut().zip(&level).zip(&slopes[stage - 1]) {
                    *probe = level + share * STEP * slope;
                }
                self.slope(production, &probe, &mut action, &mut slopes[stage]);
            }
            for (at, level) in level.iter_mut().enumerate() {
                let weighted = slopes[0][at] + 2.0 * slopes[1][at] + 2.0 * slopes[2][at] + slopes[3][at];
                *level = (*level + STEP / 6.0 * weighted).max(0.0);
            }
        }
        self.act(&level, &mut action);
        level.extend((count..production.len()).map(|gene| self.produced(gene, production, &action)));
        level
    }

    /// du/dt of the regulators at `level`, in lifetimes; `action` is room for ρ.
    fn slope(&self, production: &[f64], level: &[f64], action: &mut [f64], slope: &mut [f64]) {
        self.act(level, action);
        for (gene, (slope, level)) in slope.iter_mut().zip(level).enumerate() {
            *slope = self.produced(gene, production, action) - level;
        }
    }

    /// ρ of every regulator.
    fn act(&self, level: &[f64], action: &mut [f64]) {
        for (action, &level) in action.iter_mut().zip(level) {
            *action = self.regulation.action(level);
        }
    }

    /// Production of `gene` relative to that of an unperturbed cell.
    fn produced(&self, gene: usize, production: &[f64], action: &[f64]) -> f64 {
        let inputs = &self.inputs[self.starts[gene]..self.starts[gene + 1]];
        inputs.iter().fold(production[gene], |product, input| {
            let factor = (1.0 + input.gain * action[input.regulator]) / (1.0 + input.gain);
            if input.activates { product * factor } else { product / factor }
        })
    }
}

impl Regulation {
    /// ρ(u) at the relative level u ≥ 0; ρ(0) = 0, ρ(1) = 1, at most 2.
    pub fn action(self, level: f64) -> f64 {
        match self {
            Self::Hill { coefficient } => {
                let power = if coefficient == 2.0 { level * level } else { level.powf(coefficient) };
                if power.is_finite() { 2.0 * power / (1.0 + power) } else { 2.0 }
            }
            Self::LinearSaturating => level.min(2.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::simulate::wiring::Link;

    fn pair(links: Vec<Link>, regulation: Regulation) -> Kinetics {
        let symbols = ["A", "B", "C"].map(String::from).to_vec();
        let wiring = Wiring { symbols, regulators: 2, mitochondrial: 3..3, ribosomal: 3..3, haemoglobin: 3..3, links };
        Kinetics::new(&SimulateConfig { regulation, ..SimulateConfig::default() }, &wiring)
    }

    fn link(regulator: usize, target: usize, activates: bool, strength: f64) -> Link {
        Link { regulator, target, activates, strength }
    }

    #[test]
    fn an_unperturbed_cell_stays_where_it_is() {
        for regulation in [Regulation::Hill { coefficient: 2.0 }, Regulation::LinearSaturating] {
            let kinetics = pair(vec![link(0, 1, true, 1.0), link(1, 0, false, 2.0), link(1, 2, true, 0.7)], regulation);
            assert_eq!(kinetics.steady_state(&[1.0; 3], &[1.0; 3]), [1.0; 3]);
            let returned = kinetics.steady_state(&[1.0; 3], &[0.2, 3.0, 1.0]);
            assert!(returned.iter().all(|level| (level - 1.0).abs() < 1e-4), "{returned:?}");
        }
    }

    #[test]
    fn losing_a_regulator_changes_its_target_by_the_strength_of_the_edge() {
        let regulation = Regulation::Hill { coefficient: 1.7 };
        let kinetics = pair(vec![link(0, 1, true, 1.5), link(0, 2, false, 0.8)], regulation);
        let levels = kinetics.steady_state(&[0.0, 1.0, 1.0], &[1.0; 3]);
        assert!(levels[0] < 1e-4);
        assert!((levels[1].log2() + 1.5).abs() < 1e-4, "{levels:?}");
        assert!((levels[2].log2() - 0.8).abs() < 1e-4, "{levels:?}");
    }

    #[test]
    fn regulators_side_by_side_add_and_the_one_downstream_decides() {
        let regulation = Regulation::Hill { coefficient: 2.0 };
        let logs = |kinetics: &Kinetics, production: [f64; 3]| {
            kinetics.steady_state(&production, &[1.0; 3])[2].max(1e-300).log2()
        };
        let beside = pair(vec![link(0, 2, true, 1.0), link(1, 2, false, 0.7)], regulation);
        let [a, b, both] =
            [[0.2, 1.0, 1.0], [1.0, 0.1, 1.0], [0.2, 0.1, 1.0]].map(|production| logs(&beside, production));
        assert!((both - a - b).abs() < 1e-4 && a < -0.5 && b > 0.3, "{a} {b} {both}");
        let chain = pair(vec![link(0, 1, true, 2.0), link(1, 2, true, 1.0)], regulation);
        let [a, b, both] =
            [[0.2, 1.0, 1.0], [1.0, 0.0, 1.0], [0.2, 0.0, 1.0]].map(|production| logs(&chain, production));
        assert!((both - b).abs() < 1e-4 && a < -0.5, "{a} {b} {both}");
    }

    #[test]
    fn integration_ends_where_production_equals_decay_even_with_feedback() {
        let links = vec![link(0, 1, true, 1.0), link(1, 0, false, 1.0), link(1, 2, true, 2.0)];
        let kinetics = pair(links, Regulation::Hill { coefficient: 2.0 });
        let production = [2.5, 0.6, 1.3];
        let levels = kinetics.steady_state(&production, &[1.0; 3]);
        let action: Vec<f64> =
            levels.iter().map(|&level| Regulation::Hill { coefficient: 2.0 }.action(level)).collect();
        for (gene, &level) in levels.iter().enumerate() {
            let produced = kinetics.produced(gene, &production, &action);
            assert!((produced - level).abs() < 2e-5 * level, "gene {gene}: {produced} against {level}");
        }
    }

    #[test]
    fn the_action_is_zero_one_and_two_at_absence_normal_level_and_excess() {
        for regulation in [Regulation::Hill { coefficient: 3.0 }, Regulation::LinearSaturating] {
            assert_eq!(regulation.action(0.0), 0.0);
            assert_eq!(regulation.action(1.0), 1.0);
            assert!((regulation.action(1e200) - 2.0).abs() < 1e-12);
        }
    }
}

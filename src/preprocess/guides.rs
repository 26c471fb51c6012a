//! Which guides work: the cells of each guide by themselves, beside the other guides of its target.
//!
//! Guides against one gene differ in how well they cut, silence or activate, and one that hits another place does something else. Three
//! signs: what is left of the target's expression, the share of cells that respond (see [`super::escape`]), and how well the guide's
//! shifts agree with those of the target's other guides.

use std::ops::Range;

use rayon::prelude::*;
use statrs::function::erf::erfc;

use super::differential::benjamini_hochberg;
use super::escape::Responding;
use super::shrinkage::variance_of_mean;
use crate::data::{Categories, CellRole, Dataset, KnockDown, knock_downs, log2_moments, own_column};
use crate::jobs::{Cancelled, Progress};

/// With fewer cells shifts are noise alone, and are not compared.
const FEWEST_CELLS: usize = 10;
/// The squared shifts of the other guides are together this many times what their errors alone would make of them; below, there is nothing to
/// agree with.
const LEAST_SIGNAL: f64 = 1.5;
/// Below this adjusted p value a guide's share of responding cells differs from that of the other guides.
pub const SIGNIFICANT: f64 = 0.01;

/// The cells of one guide.
#[derive(Clone, Debug, PartialEq)]
pub struct Guide {
    /// Its name.
    pub name: String,
    /// The perturbation that its cells have; none for control cells.
    pub perturbation: Option<String>,
    /// Its cells.
    pub cells: usize,
    /// How the target's expression changed: of one measured target.
    pub knock_down: Option<KnockDown>,
    /// Its p value adjusted over all guides (Benjamini–Hochberg).
    pub adjusted_p: Option<f64>,
    /// The share of its cells that respond; none where that cannot be told of the target.
    pub responding: Option<f32>,
    /// That of the cells of the target's other guides.
    pub others_responding: Option<f32>,
    /// Two-sided p value that both shares are one (normal approximation of two proportions, adjusted as above).
    pub share_adjusted_p: Option<f64>,
    /// Pearson correlation over genes, the target left out, of its shifts and those of the target's other guides together, less what the
    /// error of the control cells, which both are held against, makes alike: their covariance is that of the shifts minus the mean squared
    /// standard error of the control cells' means. None where the other guides do too little to agree with.
    pub agreement: Option<f64>,
}

impl Guide {
    /// Fewer of its cells respond than of the target's other guides, surely.
    pub fn works_less(&self) -> bool {
        let fewer = self.responding.zip(self.others_responding).is_some_and(|(own, others)| own < others);
        fewer && self.share_adjusted_p.is_some_and(|p| p < SIGNIFICANT)
    }
}

/// All guides of a screen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GuideCheck {
    /// The column that names them.
    pub column: String,
    /// By perturbation, control last, then by name.
    pub guides: Vec<Guide>,
}

/// Rows of one guide under one perturbation.
struct Group {
    level: u32,
    /// None for control.
    perturbation: Option<u32>,
    rows: Vec<u32>,
}

impl GuideCheck {
    /// Look at the guides of `dataset`, named by `guides`. Which cells respond is told by `responding`, for rows of the data set but those
    /// that are `left_out`.
    ///
    /// # Errors
    /// If cancelled.
    pub fn of(
        dataset: &Dataset,
        guides: &Categories,
        responding: &Responding,
        left_out: &[bool],
        progress: &dyn Progress,
    ) -> Result<Self, Cancelled> {
        progress.stage("Comparing guides", None);
        let groups = groups(dataset, guides);
        let changes = changes(dataset, &groups, progress)?;
        let adjusted = adjusted(changes.iter().map(|change| change.map(|change| change.p_value)));
        let told = |group: &Group| -> Option<[f64; 2]> {
            responding.shares[group.perturbation? as usize]?;
            let rows = group.rows.iter().filter(|row| !left_out[**row as usize]);
            let probabilities: Vec<f64> = rows.map(|&row| f64::from(responding.probabilities[row as usize])).collect();
            (!probabilities.is_empty()).then(|| [probabilities.iter().sum(), probabilities.len() as f64])
        };
        // Cells that respond, and cells.
        let own: Vec<Option<[f64; 2]>> = groups.iter().map(told).collect();
        let others: Vec<Option<[f64; 2]>> = siblings(&groups)
            .map(|(at, siblings)| {
                let counted = siblings.filter(|other| *other != at).filter_map(|other| own[other]);
                counted.reduce(|a, b| [a[0] + b[0], a[1] + b[1]])
            })
            .collect();
        let shares_differ = own.iter().zip(&others).map(|(own, others)| Some(two_proportions((*own)?, (*others)?)));
        let share_adjusted = self::adjusted(shares_differ);
        let agreements = agreements(dataset, &groups, progress)?;
        let share = |counts: Option<[f64; 2]>| counts.map(|[respond, all]| (respond / all) as f32);
        let guides_found = groups.iter().enumerate().map(|(at, group)| Guide {
            name: guides.levels[group.level as usize].clone(),
            perturbation: group.perturbation.map(|index| dataset.perturbations()[index as usize].name()),
            cells: group.rows.len(),
            knock_down: changes[at],
            adjusted_p: adjusted[at],
            responding: share(own[at]),
            others_responding: own[at].and(share(others[at])),
            share_adjusted_p: share_adjusted[at],
            agreement: agreements[at],
        });
        Ok(Self { column: guides.name.clone(), guides: guides_found.collect() })
    }
}

/// In the order of [`GuideCheck::guides`].
fn groups(dataset: &Dataset, guides: &Categories) -> Vec<Group> {
    let mut found = std::collections::BTreeMap::<(bool, u32, &str, u32), Vec<u32>>::new();
    for (row, (code, role)) in guides.codes.iter().zip(dataset.roles()).enumerate() {
        let (is_control, index) = match role {
            CellRole::Perturbed(index) => (false, *index),
            CellRole::Control => (true, 0),
            CellRole::Unassigned => continue,
        };
        if let Some(level) = *code {
            let name = guides.levels[level as usize].as_str();
            found.entry((is_control, index, name, level)).or_default().push(row as u32);
        }
    }
    let groups = found.into_iter().map(|((is_control, index, _, level), rows)| Group {
        level,
        perturbation: (!is_control).then_some(index),
        rows,
    });
    groups.collect()
}

/// Each group, and those of the same perturbation: they lie beside each other.
fn siblings(groups: &[Group]) -> impl Iterator<Item = (usize, Range<usize>)> {
    let mut start = 0;
    groups.chunk_by(|a, b| a.perturbation == b.perturbation).flat_map(move |same| {
        let range = start..start + same.len();
        start = range.end;
        range.clone().map(move |at| (at, range.clone()))
    })
}

/// How the targets changed.
fn changes(dataset: &Dataset, groups: &[Group], progress: &dyn Progress) -> Result<Vec<Option<KnockDown>>, Cancelled> {
    let own = |group: &Group| own_column(dataset, &dataset.perturbations()[group.perturbation? as usize]);
    let columns: Vec<Option<usize>> = groups.iter().map(own).collect();
    let mut group_of = vec![None; dataset.cell_count()];
    for (at, group) in groups.iter().enumerate() {
        group.rows.iter().for_each(|&row| group_of[row as usize] = Some(at));
    }
    knock_downs(dataset, &columns, |row| group_of[row], progress)
}

/// p values adjusted over those that there are.
fn adjusted(p_values: impl Iterator<Item = Option<f64>>) -> Vec<Option<f64>> {
    let mut all: Vec<Option<f64>> = p_values.collect();
    let known: Vec<f64> = all.iter().flatten().copied().collect();
    all.iter_mut().flatten().zip(benjamini_hochberg(&known)).for_each(|(p, adjusted)| *p = adjusted);
    all
}

/// Two-sided p value that two shares, `[some, all]`, are one.
fn two_proportions([a, n]: [f64; 2], [b, m]: [f64; 2]) -> f64 {
    let pooled = (a + b) / (n + m);
    let variance = pooled * (1.0 - pooled) * (1.0 / n + 1.0 / m);
    if variance > 0.0 { erfc((a / n - b / m).abs() / (2.0 * variance).sqrt()) } else { 1.0 }
}

fn agreements(dataset: &Dataset, groups: &[Group], progress: &dyn Progress) -> Result<Vec<Option<f64>>, Cancelled> {
    let matrix = dataset.matrix();
    let control = dataset.control_cells();
    if control.len() < FEWEST_CELLS {
        return Ok(vec![None; groups.len()]);
    }
    let (base, errors) = log2_moments(matrix, &control);
    let of = |(at, siblings): (usize, Range<usize>)| -> Result<Option<f64>, Cancelled> {
        progress.check()?;
        let group = &groups[at];
        let Some(perturbation) = group.perturbation else { return Ok(None) };
        let others = siblings.filter(|other| *other != at);
        let others: Vec<u32> = others.flat_map(|other| groups[other].rows.iter().copied()).collect();
        if group.rows.len().min(others.len()) < FEWEST_CELLS {
            return Ok(None);
        }
        let count = others.len();
        let (own, (others, of_others)) = (log2_moments(matrix, &group.rows).0, log2_moments(matrix, &others));
        let targets = dataset.perturbations()[perturbation as usize].targets();
        let left_out: Vec<Option<usize>> = targets.iter().map(|target| dataset.genes().column(target)).collect();
        let compared: Vec<usize> = (0..own.len()).filter(|gene| !left_out.contains(&Some(*gene))).collect();
        let signal: f64 = compared.iter().map(|&gene| (others[gene] - base[gene]).powi(2)).sum();
        let pooled = |gene: usize| errors[gene] * control.len() as f64;
        let error = |&gene: &usize| variance_of_mean(of_others[gene], count, pooled(gene)) + errors[gene];
        let noise: f64 = compared.iter().map(error).sum();
        if signal < LEAST_SIGNAL * noise {
            return Ok(None);
        }
        let shifts = compared.into_iter();
        let shifts = shifts.map(|gene| [own[gene] - base[gene], others[gene] - base[gene], errors[gene]]);
        Ok(agreement(&shifts.collect::<Vec<_>>()))
    };
    siblings(groups).collect::<Vec<_>>().into_par_iter().map(of).collect()
}

/// Of two shifts per gene, with the squared error of what both are held against.
fn agreement(shifts: &[[f64; 3]]) -> Option<f64> {
    let mean = |of: usize| shifts.iter().map(|shifts| shifts[of]).sum::<f64>() / shifts.len() as f64;
    let (x, y) = (mean(0), mean(1));
    let (mut covariance, mut variances) = (0.0, [0.0; 2]);
    for [a, b, error] in shifts {
        covariance += (a - x) * (b - y) - error;
        variances[0] += (a - x).powi(2);
        variances[1] += (b - y).powi(2);
    }
    let size = (variances[0] * variances[1]).sqrt();
    (size > 0.0).then(|| (covariance / size).clamp(-1.0, 1.0))
}

#[cfg(test)]
mod tests {
    use rand_distr::{Distribution as _, Normal};

    use super::*;
    use crate::data::simulate::{SimulateConfig, simulate};
    use crate::jobs::Silent;
    use crate::preprocess::escape::responding_in;

    /// A screen whose cells escaped in part, and the guides of its perturbations: `a` has the cells that respond, `b` a third of them and
    /// those that escaped; the first perturbation has one guide only.
    fn screen() -> (Dataset, Categories) {
        let config = SimulateConfig {
            genes: 100,
            perturbations: 8,
            cells: 2400,
            seed: 5,
            escape_share: 0.3,
            doublet_share: 0.0,
            bystander_share: 0.0,
            combinations: 0,
            ineffective_perturbations: 0,
            ..SimulateConfig::default()
        };
        let simulated = simulate(&config, &Silent).unwrap();
        let dataset = simulated.dataset;
        let mut levels: Vec<String> = vec!["nt1".into(), "nt2".into()];
        for perturbation in dataset.perturbations() {
            levels.extend([format!("{} b", perturbation.name()), format!("{} a", perturbation.name())]);
        }
        let codes =
            dataset.roles().iter().zip(&simulated.cell_facts).enumerate().map(|(row, (role, facts))| match role {
                CellRole::Control => Some(row as u32 % 2),
                CellRole::Perturbed(index) => {
                    let second = *index > 0 && (facts.escaped || row % 3 == 0);
                    Some(2 + 2 * index + u32::from(!second))
                }
                CellRole::Unassigned => None,
            });
        let guides = Categories { name: "guide".into(), codes: codes.collect(), levels };
        (dataset, guides)
    }

    #[test]
    fn a_guide_that_works_in_fewer_cells_is_told() {
        let (dataset, guides) = screen();
        let left_out = vec![false; dataset.cell_count()];
        let responding = responding_in(&dataset, &left_out, &Silent).unwrap();
        let check = GuideCheck::of(&dataset, &guides, &responding, &left_out, &Silent).unwrap();
        assert_eq!(check.guides.len(), 2 + 1 + 2 * 7);
        assert_eq!(check.guides.iter().map(|guide| guide.cells).sum::<usize>(), {
            let assigned = dataset.roles().iter().filter(|role| **role != CellRole::Unassigned);
            assigned.count()
        });
        // Guides of one target beside each other, in their order; control last.
        let names: Vec<&str> = check.guides.iter().map(|guide| guide.name.as_str()).collect();
        let first = dataset.perturbations()[0].name();
        assert_eq!(names[0], format!("{first} a"));
        assert!(names[1].ends_with(" a") && names[2].ends_with(" b") && names[15..] == ["nt1", "nt2"], "{names:?}");
        let alone = &check.guides[0];
        assert_eq!((alone.others_responding, alone.share_adjusted_p, alone.agreement), (None, None, None));
        assert!(check.guides[15..].iter().all(|guide| guide.perturbation.is_none() && guide.responding.is_none()));
        let mut told = 0;
        for pair in check.guides[1..15].chunks(2) {
            let [a, b] = pair else { unreachable!() };
            assert_eq!(a.perturbation, b.perturbation);
            let (Some(own), Some(other)) = (a.responding, b.responding) else { continue };
            assert_eq!((a.others_responding, b.others_responding), (Some(other), Some(own)));
            assert!(own > other && b.works_less() && !a.works_less(), "{pair:?}");
            told += 1;
        }
        assert!(told >= 4, "{told} targets whose cells are told apart");
        // Where a guide works in more cells, more of the target is gone; and both do the same.
        let left = |guide: &Guide| guide.knock_down.and_then(|change| change.remaining);
        let pairs: Vec<&[Guide]> = check.guides[1..15].chunks(2).collect();
        let lower = pairs.iter().filter(|pair| left(&pair[0]) < left(&pair[1])).count();
        assert!(lower >= 6, "{lower} of 7");
        let agreements: Vec<f64> = check.guides[1..15].iter().filter_map(|guide| guide.agreement).collect();
        let agree = agreements.iter().filter(|r| **r > 0.3).count();
        assert!(agreements.len() >= 8 && 4 * agree > 3 * agreements.len(), "{agreements:?}");
    }

    #[test]
    fn of_guides_that_do_nothing_nothing_is_said() {
        let config = SimulateConfig {
            genes: 100,
            perturbations: 8,
            cells: 1600,
            seed: 2,
            ineffective_perturbations: 8,
            combinations: 0,
            ..SimulateConfig::default()
        };
        let dataset = simulate(&config, &Silent).unwrap().dataset;
        let codes = dataset.roles().iter().enumerate().map(|(row, role)| match role {
            CellRole::Perturbed(index) => Some(2 * index + row as u32 % 2),
            CellRole::Control | CellRole::Unassigned => None,
        });
        let levels = (0..16).map(|guide| format!("g{guide}")).collect();
        let guides = Categories { name: "guide".into(), codes: codes.collect(), levels };
        let left_out = vec![false; dataset.cell_count()];
        let responding = responding_in(&dataset, &left_out, &Silent).unwrap();
        let check = GuideCheck::of(&dataset, &guides, &responding, &left_out, &Silent).unwrap();
        assert_eq!(check.guides.len(), 16);
        assert!(check.guides.iter().all(|guide| !guide.works_less()));
        let silent = check.guides.iter().filter(|guide| guide.agreement.is_none()).count();
        assert!(silent >= 13, "{silent} of 16");
    }

    #[test]
    fn what_both_are_held_against_makes_them_no_more_alike() {
        let mut random = crate::random::stream(4, "agreement");
        let mut normal = |spread: f64| Normal::new(0.0, spread).unwrap().sample(&mut random);
        let mut mean = |effect: f64| {
            let mut all = 0.0;
            for _ in 0..200 {
                // The error of the control cells is as large as that of both guides, and theirs is of its square.
                let mut gene = || {
                    let (common, shared) = (normal(effect), normal(1.0));
                    [common + normal(1.0) - shared, common + normal(1.0) - shared, 1.0]
                };
                let shifts: Vec<[f64; 3]> = (0..100).map(|_| gene()).collect();
                all += agreement(&shifts).unwrap();
            }
            all / 200.0
        };
        let (none, some) = (mean(0.0), mean(2.0));
        assert!(none.abs() < 0.02, "{none}");
        assert!((some - 4.0 / 6.0).abs() < 0.03, "{some}");
        assert_eq!(agreement(&[[1.0, 2.0, 0.0]; 5]), None);
    }

    #[test]
    fn shares_are_compared_as_proportions() {
        // scipy's chi2_contingency([[30, 70], [80, 70]], correction=False), whose χ² is the square of z.
        assert!((two_proportions([30.0, 100.0], [80.0, 150.0]) - 2.714_805_020_431_8e-4).abs() < 1e-12);
        assert_eq!(two_proportions([0.0, 10.0], [0.0, 20.0]), 1.0);
    }
}

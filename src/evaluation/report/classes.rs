//! The fit by class of perturbation: what was seen in training, and of combinations how many of their genes were seen alone.

use serde::{Deserialize, Serialize};

use super::Method;
use crate::data::EffectTable;
use crate::evaluation::effects::{EffectMetrics, EffectOptions, compare};

/// How a method did on the perturbations of one class, the perturbed genes left out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassFit {
    /// The method.
    pub method: String,
    /// Whether it is a baseline.
    pub baseline: bool,
    /// Over the perturbations of the class for which it has an answer.
    pub effects: EffectMetrics,
}

/// One class of perturbations.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassReport {
    /// `single, seen`, `1 of 2 seen`.
    pub class: String,
    /// Observed perturbations of the class.
    pub perturbations: usize,
    /// The model first, then the baselines that answer.
    pub methods: Vec<ClassFit>,
}

/// Judge `methods` on the rows of `observed` class by class, in the order of the classes' names; empty if all are of one class.
pub fn by_class(methods: &[Method<'_>], observed: &EffectTable, class_of: impl Fn(&str) -> String) -> Vec<ClassReport> {
    let classes: Vec<String> = observed.perturbations.iter().map(|name| class_of(name)).collect();
    let mut names: Vec<&String> = classes.iter().collect();
    names.sort();
    names.dedup();
    if names.len() < 2 {
        return Vec::new();
    }
    let report = |class: &String| {
        let rows: Vec<usize> = (0..classes.len()).filter(|&row| classes[row] == *class).collect();
        let part = EffectTable {
            perturbations: rows.iter().map(|&row| observed.perturbations[row].clone()).collect(),
            genes: observed.genes.clone(),
            cells: rows.iter().map(|&row| observed.cells.get(row).copied().unwrap_or(0)).collect(),
            shifts: rows.iter().flat_map(|&row| observed.row(row).iter().copied()).collect(),
        };
        let fits = methods.iter().map(|method| ClassFit {
            method: method.name.clone(),
            baseline: method.baseline,
            effects: compare(method.effects, &part, EffectOptions::default()).overall,
        });
        ClassReport {
            class: class.clone(),
            perturbations: rows.len(),
            methods: fits.filter(|fit| fit.effects.perturbations > 0).collect(),
        }
    };
    names.into_iter().map(report).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_is_judged_by_its_own_perturbations() {
        let table = |names: &[&str], shifts: &[f32]| EffectTable {
            perturbations: names.iter().map(|name| (*name).to_owned()).collect(),
            genes: ["X", "Y", "Z"].map(str::to_owned).to_vec(),
            cells: vec![9; names.len()],
            shifts: shifts.to_vec(),
        };
        let observed = table(&["A", "A+B", "A+C"], &[1.0, 2.0, 3.0, 3.0, 2.0, 1.0, 0.0, 1.0, 0.0]);
        let right = table(&["A", "A+B"], &[1.0, 2.0, 3.0, 1.0, 2.0, 3.0]);
        let method =
            |name: &str, effects| Method { name: name.to_owned(), baseline: false, definition: String::new(), effects };
        let methods = [method("Model", &right), method("Same", &observed)];
        let class = |name: &str| if name.contains('+') { "combination" } else { "single" }.to_owned();
        let found = by_class(&methods, &observed, class);
        let told: Vec<(&str, usize, usize)> = found
            .iter()
            .map(|one| (one.class.as_str(), one.perturbations, one.methods[0].effects.perturbations))
            .collect();
        assert_eq!(told, [("combination", 2, 1), ("single", 1, 1)]);
        assert_eq!(found[0].methods[0].effects.pearson, Some(-1.0));
        assert_eq!(found[1].methods[0].effects.pearson, Some(1.0));
        assert_eq!(found[0].methods[1].effects.mean_absolute_error, Some(0.0));
        assert!(by_class(&methods, &observed, |_| "all".to_owned()).is_empty());
    }
}

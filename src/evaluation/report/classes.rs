//! The fit by class of perturbation: what was seen in training, and of combinations how many of their genes were seen alone.

use serde::{Deserialize, Serialize};

use super::{Fits, Measured, Method};
use crate::data::EffectTable;
use crate::evaluation::effects::Beside;

/// One class of perturbations.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassReport {
    /// `single, seen`, `1 of 2 seen`.
    pub class: String,
    /// Observed perturbations of the class.
    pub perturbations: usize,
    /// How the methods did on them alone: they are told from each other, not from those of other classes.
    #[serde(flatten)]
    pub fits: Fits,
}

/// The classes of perturbations in the order of their names, with the places of theirs in `names`; empty if all are of one class.
pub fn classes(names: &[String], class_of: &dyn Fn(&str) -> String) -> Vec<(String, Vec<usize>)> {
    let of_each: Vec<String> = names.iter().map(|name| class_of(name)).collect();
    let mut classes = of_each.clone();
    classes.sort();
    classes.dedup();
    if classes.len() < 2 {
        return Vec::new();
    }
    let rows = |class: &String| (0..names.len()).filter(|&row| of_each[row] == *class).collect();
    classes.iter().map(|class| (class.clone(), rows(class))).collect()
}

/// Judge `methods` by what was measured class by class; a method that answers none of a class is left out of it.
pub fn by_class(methods: &[Method<'_>], measured: Measured<'_>, class_of: &dyn Fn(&str) -> String) -> Vec<ClassReport> {
    let report = |(class, rows): (String, Vec<usize>)| {
        let observed = measured.observed.part(&rows);
        let evidence = measured.beside.evidence.map(|evidence| evidence.part(&rows));
        let beside = Beside { evidence: evidence.as_ref(), ..measured.beside };
        let ceiling = measured.ceilings.and_then(|ceilings| ceilings.of_class.get(&class));
        let answers = |table: &EffectTable| observed.perturbations.iter().any(|name| table.find(name).is_some());
        let methods: Vec<Method> = methods.iter().filter(|method| answers(method.effects)).cloned().collect();
        let part = Measured { observed: &observed, beside, ..measured };
        ClassReport { class, perturbations: rows.len(), fits: Fits::of(&methods, part, ceiling).0 }
    };
    classes(&measured.observed.perturbations, class_of).into_iter().map(report).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluation::ceiling::{Ceiling, Ceilings};
    use crate::evaluation::effects::{EffectMetrics, Evidence};

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
        let single = table(&["A"], &[1.0, 2.0, 3.0]);
        let methods = [method("Model", &right), method("Same", &observed), method("Singles", &single)];
        // Only the third row, of a combination, has a gene that responds.
        let evidence = Evidence {
            control_mean: vec![1.0; 3],
            scores: vec![0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 5.0, 0.0],
            significant: vec![false, false, false, false, false, false, false, true, false],
            against_others: vec![0.0; 9],
        };
        let pearson = |pearson| Ceiling {
            splits: 1,
            effects: EffectMetrics { pearson: Some(pearson), ..EffectMetrics::default() },
            responding: None,
        };
        let of_class = [("single".to_owned(), pearson(0.9))].into();
        let ceilings = Ceilings { all: pearson(0.5), of_class };
        let measured = Measured {
            observed: &observed,
            beside: Beside { training_mean: None, evidence: Some(&evidence) },
            ceilings: Some(&ceilings),
        };
        let class = |name: &str| if name.contains('+') { "combination" } else { "single" }.to_owned();
        let found = by_class(&methods, measured, &class);
        let told: Vec<(&str, usize, usize, usize)> = found
            .iter()
            .map(|one| {
                let methods = &one.fits.methods;
                (one.class.as_str(), one.perturbations, methods[0].effects.perturbations, methods.len())
            })
            .collect();
        assert_eq!(told, [("combination", 2, 1, 2), ("single", 1, 1, 3)]);
        assert_eq!(found[0].fits.methods[0].effects.pearson, Some(-1.0));
        assert_eq!(found[1].fits.methods[0].effects.pearson, Some(1.0));
        assert_eq!(found[0].fits.methods[1].effects.mean_absolute_error, Some(0.0));
        // The tests of the cells are those of the class's own rows.
        assert_eq!(found[0].fits.methods[1].effects.further.de_overlap, Some(1.0));
        assert_eq!(found[1].fits.methods[1].effects.further.de_overlap, None);
        assert_eq!(found[1].fits.ceiling.as_ref().unwrap().effects.pearson, Some(0.9));
        assert_eq!(found[0].fits.ceiling, None);
        assert!(by_class(&methods, measured, &|_| "all".to_owned()).is_empty());
    }
}

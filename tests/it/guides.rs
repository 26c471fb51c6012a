//! Guides of a screen: found in the file, and told which of them work.

use std::path::{Path, PathBuf};

use grn_explorer::data::h5ad::{self, ExtraColumn, WriteOptions};
use grn_explorer::data::simulate::{SimulateConfig, simulate};
use grn_explorer::data::{Categories, CellRole, ImportOptions};
use grn_explorer::jobs::Silent;
use grn_explorer::tasks::guides::{measure, table};

use crate::reference::data_file;

/// A simulated screen in `folder` with two guides of each target in the column `sgRNA`: the first has all cells that escaped.
pub fn screen(folder: &Path) -> PathBuf {
    let config = SimulateConfig {
        genes: 80,
        perturbations: 6,
        cells: 1800,
        seed: 8,
        escape_share: 0.3,
        combinations: 0,
        ineffective_perturbations: 0,
        guides: 1,
        ..SimulateConfig::default()
    };
    let simulated = simulate(&config, &Silent).unwrap();
    let names = simulated.dataset.perturbations().iter().map(|perturbation| perturbation.name());
    let mut levels: Vec<String> = names.flat_map(|name| [1, 2].map(|guide| format!("{name}_g{guide}"))).collect();
    levels.push("non-targeting_g1".to_owned());
    let of = |(row, (role, facts)): (usize, (&CellRole, &grn_explorer::data::simulate::CellFacts))| match role {
        CellRole::Perturbed(index) => Some(2 * index + u32::from(!facts.escaped && row % 3 > 0)),
        CellRole::Control => Some(levels.len() as u32 - 1),
        CellRole::Unassigned => None,
    };
    let codes = simulated.dataset.roles().iter().zip(&simulated.cell_facts).enumerate().map(of).collect();
    let extra = vec![ExtraColumn::Categories(Categories { name: "sgRNA".into(), levels, codes })];
    let path = folder.join("guides.h5ad");
    let options = WriteOptions { extra, ..WriteOptions::default() };
    h5ad::write_with(&path, &simulated.dataset, &options, &Silent).unwrap();
    path
}

#[test]
fn a_column_with_several_guides_of_a_target_is_found_or_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = screen(folder.path());
    let read = |options: &ImportOptions| h5ad::read(&path, options, &Silent).unwrap();
    let found = read(&ImportOptions::default());
    let choice = |dataset: &grn_explorer::data::Dataset| {
        dataset.import().choices.iter().find(|choice| choice.what == "guide column").cloned()
    };
    let guides = found.guide().expect("guides");
    assert_eq!((guides.name.as_str(), guides.levels.len()), ("sgRNA", 13));
    let told = choice(&found).expect("a choice");
    assert_eq!((told.chosen.as_str(), told.reason.as_str()), ("sgRNA", "13 guides; 6 targets with several"));
    // It is kept, and what the data set is does not depend on it.
    let again = folder.path().join("again.h5ad");
    h5ad::write(&again, &found).unwrap();
    let again = h5ad::read(&again, &ImportOptions::default(), &Silent).unwrap();
    assert_eq!(again.guide(), found.guide());
    let none = read(&ImportOptions { guide_column: Some("none".into()), ..ImportOptions::default() });
    assert_eq!((none.guide(), none.hash()), (None, found.hash()));
    assert_eq!(choice(&none).expect("a choice").reason, "named by you");
    assert_eq!(measure(&none, None, 3.0, &Silent).unwrap(), None);
    // Batches are no guides; a column that is named is taken.
    let batch = ImportOptions { guide_column: Some("batch".into()), ..ImportOptions::default() };
    assert_eq!(read(&batch).guide().expect("as named").levels.len(), 2);
    let missing = ImportOptions { guide_column: Some("gRNAs".into()), ..ImportOptions::default() };
    let refused = h5ad::read(&path, &missing, &Silent).unwrap_err().to_string();
    assert!(refused.contains("gRNAs") && refused.contains("sgRNA"), "{refused}");
}

#[test]
fn guides_of_a_real_screen_are_told_apart() {
    let Some(path) = data_file("papalexi2021/papalexi2021_rep1.h5ad") else { return };
    let dataset = h5ad::read(&path, &ImportOptions::default(), &Silent).unwrap();
    let check = measure(&dataset, None, 3.0, &Silent).unwrap().expect("guides");
    println!("{}", table(&check));
    assert_eq!(check.column, "guide_id");
    let guide = |name: &str| check.guides.iter().find(|guide| guide.name == name).expect("a guide");
    // It works in a third of the cells, whose response is that of the other guides all the same.
    let weak = guide("IFNGR1g2");
    assert!(weak.works_less() && weak.responding.is_some_and(|share| share < 0.5));
    assert!(["IFNGR1g1", "IFNGR1g3"].iter().all(|name| !guide(name).works_less()));
    let of = |target: &str| -> Vec<f64> {
        let own = check.guides.iter().filter(|guide| guide.perturbation.as_deref() == Some(target));
        own.filter_map(|guide| guide.agreement).collect()
    };
    for target in ["IFNGR1", "IFNGR2", "JAK2", "STAT1"] {
        assert!(of(target).len() >= 3 && of(target).iter().all(|r| *r > 0.5), "{target}: {:?}", of(target));
    }
    // Targets without effect, whose guides have nothing to agree in.
    let null = ["ATF2", "CAV1", "CD86", "ETV7", "IRF7", "MARCH8", "PDCD1LG2", "POU2F2", "STAT5A"].map(of).concat();
    assert!(null.len() < 3, "{null:?}");
}

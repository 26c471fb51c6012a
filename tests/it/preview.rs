//! A preview tells what reading would give, whatever the file.

use grn_explorer::data::ImportOptions;
use grn_explorer::data::preview::Preview;
use grn_explorer::jobs::Silent;
use grn_explorer::tasks::open;

use crate::reference::{data_dir, data_file};

#[test]
fn previews_equal_what_is_read() {
    if data_file("h5ad_encodings/expected.json").is_none() {
        return;
    }
    let folder = data_dir().join("h5ad_encodings");
    let mut compared = 0;
    let mut paths: Vec<_> =
        std::fs::read_dir(folder).expect("folder").map(|entry| entry.expect("entry").path()).collect();
    paths.sort();
    for path in paths.iter().filter(|path| path.extension().is_some_and(|ending| ending == "h5ad")) {
        for separator in [None, Some("none".to_owned())] {
            let options = ImportOptions { combination_separator: separator, ..ImportOptions::default() };
            // Broken files and missing filters are other tests' matter.
            let Ok(dataset) = open::dataset(path, &options, &Silent) else { continue };
            let preview = open::preview(path, &options, &Silent).expect("what can be read can be previewed");
            let read = Preview::of_dataset(&dataset);
            let shown = path.display();
            assert_eq!(preview.levels, read.levels, "{shown}");
            assert_eq!(preview.perturbations, read.perturbations, "{shown}");
            assert_eq!(
                (preview.cells, preview.genes, preview.control_cells, preview.unassigned_cells, preview.kind),
                (read.cells, read.genes, read.control_cells, read.unassigned_cells, read.kind),
                "{shown}"
            );
            assert_eq!((preview.targets, preview.measured_targets), (read.targets, read.measured_targets), "{shown}");
            assert_eq!((&preview.gene_examples, &preview.cell_columns), (&read.gene_examples, &read.cell_columns));
            for choice in &preview.choices {
                assert!(read.choices.contains(choice), "{shown}: {choice:?}");
            }
            compared += 1;
        }
    }
    assert!(compared >= 20, "{compared}");
}

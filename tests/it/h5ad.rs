//! Reading and writing .h5ad: every encoding of one table, files of published screens, our own files, damaged files.

use std::path::{Path, PathBuf};

use grn_explorer::data::h5ad::{self, ExtraColumn, H5adError, ImportOptions, MatrixLayout, WriteOptions};
use grn_explorer::data::{
    Categories, CellRole, CsrMatrix, Dataset, DatasetParts, Gene, ImportReport, MatrixKind, Perturbation,
    PerturbationKind, Summary,
};
use grn_explorer::jobs::{Cancelled, Progress, ProgressUpdate, Silent};
use proptest::prelude::*;
use serde_json::Value;

use crate::reference::{data_dir, data_file};

fn open(path: &Path) -> Dataset {
    open_with(path, &ImportOptions::default())
}

fn open_with(path: &Path, options: &ImportOptions) -> Dataset {
    h5ad::read(path, options, &Silent).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The label of every cell: `control`, none, or the perturbation's name.
fn labels(dataset: &Dataset) -> Vec<Option<String>> {
    let name = |role: &CellRole| match role {
        CellRole::Control => Some("control".to_owned()),
        CellRole::Unassigned => None,
        CellRole::Perturbed(index) => Some(dataset.perturbations()[*index as usize].name()),
    };
    dataset.roles().iter().map(name).collect()
}

fn chosen<'a>(dataset: &'a Dataset, what: &str) -> &'a str {
    let choice = dataset.import().choices.iter().find(|choice| choice.what == what);
    choice.map_or_else(|| panic!("no choice of {what}"), |choice| choice.chosen.as_str())
}

fn warns(dataset: &Dataset, words: &str) -> bool {
    dataset.warnings().iter().any(|warning| warning.message.contains(words))
}

fn encodings() -> Option<(PathBuf, Value)> {
    let path = data_file("h5ad_encodings/expected.json")?;
    let text = std::fs::read_to_string(&path).expect("readable");
    Some((data_dir().join("h5ad_encodings"), serde_json::from_str(&text).expect("JSON")))
}

fn numbers(expected: &Value, name: &str) -> Vec<f64> {
    expected[name].as_array().expect("array").iter().map(|number| number.as_f64().expect("number")).collect()
}

fn words(expected: &Value, name: &str) -> Vec<Option<String>> {
    expected[name].as_array().expect("array").iter().map(|word| word.as_str().map(str::to_owned)).collect()
}

/// The files that hold the counts of the table, and where.
const SAME_COUNTS: &[(&str, &str)] = &[
    ("csr_f32_gzip", "X"),
    ("csr_i32", "X"),
    ("csr_i64", "X"),
    ("csr_i64_indices", "X"),
    ("csc_f32_gzip", "X"),
    ("dense_f32_lzf", "X"),
    ("dense_f64_uncompressed", "X"),
    ("dense_u16", "X"),
    ("counts_in_raw_subset_x", "raw/X"),
    ("lognorm_with_counts_layer", "layers/counts"),
    ("many_unused_categories", "X"),
    ("nullable_int_bool", "X"),
    ("nullable_string_array", "X"),
    ("plain_string_labels", "X"),
];

#[test]
fn every_encoding_gives_the_same_data_set() {
    let Some((folder, expected)) = encodings() else { return };
    let mut hashes = Vec::new();
    for (name, matrix) in SAME_COUNTS {
        let dataset = open(&folder.join(format!("{name}.h5ad")));
        assert_eq!(dataset.matrix_kind(), MatrixKind::Counts, "{name}");
        assert_eq!(chosen(&dataset, "matrix"), *matrix, "{name}");
        assert_eq!(chosen(&dataset, "perturbation column"), "perturbation", "{name}");
        assert_eq!(labels(&dataset), words(&expected, "perturbation"), "{name}");
        let symbols: Vec<Option<String>> = dataset.genes().symbols().into_iter().map(Some).collect();
        assert_eq!(symbols, words(&expected, "genes"), "{name}");
        let rows: Vec<f64> = (0..dataset.cell_count()).map(|row| dataset.matrix().row_sum(row)).collect();
        assert_eq!(rows, numbers(&expected, "row_sums"), "{name}");
        let mut columns = vec![0.0; dataset.gene_count()];
        for row in 0..dataset.cell_count() {
            let stored = dataset.matrix().row(row);
            stored.iter().for_each(|(column, value)| columns[column as usize] += f64::from(value));
        }
        assert_eq!(columns, numbers(&expected, "col_sums"), "{name}");
        assert_eq!(dataset.control_cells().len(), 15, "{name}");
        assert_eq!(dataset.unassigned_cells().len(), 5, "{name}");
        assert!(warns(&dataset, "5 of 60 cells"), "{name}: {:?}", dataset.warnings());
        assert_eq!(dataset.genes().get(0).ensembl.as_deref(), Some("ENSG00000000000"), "{name}");
        let batch = dataset.batch().unwrap_or_else(|| panic!("{name}: no batch"));
        assert_eq!(batch.levels, ["b1", "b2"], "{name}");
        assert_eq!(dataset.kind(), PerturbationKind::KnockOut, "{name}");
        hashes.push(dataset.hash().to_owned());
    }
    hashes.dedup();
    assert_eq!(hashes.len(), 1, "the encodings differ");
}

#[test]
fn other_layouts_of_the_same_table_open_with_the_same_labels() {
    let Some((folder, expected)) = encodings() else { return };
    let replogle = open(&folder.join("replogle_style_ensembl_index.h5ad"));
    assert_eq!(labels(&replogle), words(&expected, "perturbation"));
    assert_eq!(chosen(&replogle, "perturbation column"), "gene");
    assert_eq!(chosen(&replogle, "gene names"), "gene_name");
    assert_eq!(chosen(&replogle, "control"), "non-targeting");
    assert_eq!(replogle.genes().symbol(10), "DUPGENE");
    assert_eq!(replogle.genes().symbol(11), "DUPGENE-1");
    assert_eq!(replogle.genes().get(11).ensembl.as_deref(), Some("ENSG00000000011"));
    assert!(warns(&replogle, "DUPGENE-1"));

    // This file calls the unassigned cells `ctrl`: nobody can know better.
    let gears = open(&folder.join("gears_style.h5ad"));
    let as_controls: Vec<Option<String>> =
        words(&expected, "perturbation").into_iter().map(|label| label.or(Some("control".to_owned()))).collect();
    assert_eq!(labels(&gears), as_controls);
    assert_eq!(gears.matrix_kind(), MatrixKind::LogNormalised);

    let logs = open(&folder.join("lognorm_only.h5ad"));
    assert_eq!((logs.matrix_kind(), chosen(&logs, "matrix")), (MatrixKind::LogNormalised, "X"));
    assert!(warns(&logs, "no counts"));
    let scaled = open(&folder.join("scaled_negative.h5ad"));
    assert_eq!(scaled.matrix_kind(), MatrixKind::Scaled);
    assert!(warns(&scaled, "neither counts nor log-normalised"));
    assert_eq!(labels(&scaled), words(&expected, "perturbation"));
}

#[test]
fn choices_can_be_overridden_and_wrong_names_get_hints() {
    let Some((folder, _)) = encodings() else { return };
    let layered = folder.join("lognorm_with_counts_layer.h5ad");
    let in_x = open_with(&layered, &ImportOptions { matrix: Some("X".into()), ..ImportOptions::default() });
    assert_eq!(in_x.matrix_kind(), MatrixKind::LogNormalised);
    let forced = ImportOptions { matrix_kind: Some(MatrixKind::Counts), ..ImportOptions::default() };
    assert_eq!(open_with(&folder.join("lognorm_only.h5ad"), &forced).matrix_kind(), MatrixKind::Counts);
    let options = ImportOptions {
        control_labels: vec!["TP53".into()],
        unassigned_labels: vec!["HLA-A".into()],
        batch_column: Some("none".into()),
        cell_type_column: Some("label".into()),
        kind: Some(PerturbationKind::KnockDown),
        ..ImportOptions::default()
    };
    let dataset = open_with(&layered, &options);
    assert_eq!((dataset.control_cells().len(), dataset.unassigned_cells().len()), (15, 10));
    assert_eq!(dataset.kind(), PerturbationKind::KnockDown);
    assert!(dataset.batch().is_none());
    assert_eq!(
        dataset.cell_type().map(|types| types.levels.clone()),
        Some(vec!["φ-0".into(), "φ-1".into(), "φ-2".into()])
    );

    let error = |options: ImportOptions| h5ad::read(&layered, &options, &Silent).expect_err("refused").to_string();
    let unknown = error(ImportOptions { perturbation_column: Some("perturbatoin".into()), ..ImportOptions::default() });
    assert_eq!(unknown, "obs has no column perturbatoin; did you mean perturbation?");
    let unknown = error(ImportOptions { control_labels: vec!["contrl".into()], ..ImportOptions::default() });
    assert_eq!(unknown, "column perturbation has no label contrl; did you mean control?");
    let unknown = error(ImportOptions { matrix: Some("layers/spliced".into()), ..ImportOptions::default() });
    assert_eq!(unknown, "there is no matrix layers/spliced; the file has layers/counts, X");
    let unknown = error(ImportOptions { gene_column: Some("gene".into()), ..ImportOptions::default() });
    assert!(unknown.starts_with("var has no column gene; did you mean gene_id"), "{unknown}");
}

#[test]
fn damaged_files_name_the_place_and_what_was_expected() {
    let Some((folder, _)) = encodings() else { return };
    for (name, parts) in [
        ("broken_category_code", ["obs/perturbation/codes: found code 99 in row 0", "-1 to 4 (5 categories)"]),
        ("broken_index_out_of_range", ["X/indices: found index 4000 in row 0", "0 to 39 (40 columns)"]),
        ("broken_indptr_decreasing", ["X/indptr: found 139 at position 6", "never decrease"]),
        ("broken_nan_counts", ["X: found NaN for cell cell_2 and gene GENE3", "finite number"]),
        ("broken_obs_length", ["obs/score: found 3 values", "60 (one for each name in obs/_index)"]),
        ("broken_not_hdf5", ["not an HDF5 file", "expected an .h5ad file"]),
        ("broken_truncated", ["found 9000 bytes", "expected 64344"]),
        ("dense_zstd", ["zstd (HDF5 filter 32015)", "expected gzip, lzf or none"]),
    ] {
        let path = folder.join(format!("{name}.h5ad"));
        let error = h5ad::read(&path, &ImportOptions::default(), &Silent).expect_err(name).to_string();
        for part in parts {
            assert!(error.contains(part), "{name}: {error}");
        }
        assert_eq!(h5ad::looks_like_hdf5(&path), name != "broken_not_hdf5", "{name}");
    }
    let missing = h5ad::read(&folder.join("absent.h5ad"), &ImportOptions::default(), &Silent);
    assert!(matches!(missing, Err(H5adError::Open { .. })));
    assert!(!h5ad::looks_like_hdf5(&folder));
}

#[test]
fn papalexi_opens_with_its_targets() {
    let Some(path) = data_file("papalexi2021/papalexi2021_rep1.h5ad") else { return };
    let dataset = open(&path);
    assert_eq!((dataset.cell_count(), dataset.gene_count(), dataset.perturbations().len()), (9428, 299, 25));
    assert_eq!((chosen(&dataset, "perturbation column"), chosen(&dataset, "control")), ("gene", "non-targeting"));
    assert_eq!((dataset.control_cells().len(), dataset.unassigned_cells().len()), (965, 0));
    assert_eq!(dataset.matrix_kind(), MatrixKind::Counts);
    assert!(warns(&dataset, "16 of 25 perturbed genes"), "{:?}", dataset.warnings());
    // The column of guides gives the same perturbations.
    let by_guide = ImportOptions { perturbation_column: Some("guide_id".into()), ..ImportOptions::default() };
    let guides = open_with(&path, &by_guide);
    assert_eq!(guides.perturbations(), dataset.perturbations());
    assert_eq!(guides.roles(), dataset.roles());

    let summary = Summary::of(&dataset, &Silent).expect("not cancelled");
    assert_eq!(summary.perturbations.iter().filter(|perturbation| perturbation.knock_down.is_some()).count(), 9);
    let stat1 = summary.perturbations.iter().find(|perturbation| perturbation.name == "STAT1").expect("STAT1");
    assert_eq!(stat1.cells, 248);
    assert_eq!((summary.median_counts, summary.median_genes), (167.0, 61.0));
    // By NumPy and SciPy 1.17 (mannwhitneyu, asymptotic, with continuity correction, alternative "less").
    for (name, shift, remaining, p_value) in [
        ("STAT1", -4.680157714109377, 0.2202443849611028, 3.031297787453713e-93),
        ("JAK2", -3.45127779931992, 0.2991795270578563, 4.684859743567609e-64),
        ("TNFRSF14", -0.6329948738595492, 0.8072288153068894, 0.0003611261731699805),
    ] {
        let perturbation = summary.perturbations.iter().find(|perturbation| perturbation.name == name);
        let found = perturbation.and_then(|perturbation| perturbation.knock_down).expect("measured");
        assert!((found.log2_shift - shift).abs() < 1e-5, "{name}: {found:?}");
        assert!((found.remaining.expect("expressed") - remaining).abs() < 1e-5, "{name}: {found:?}");
        assert!((found.p_value / p_value - 1.0).abs() < 1e-4, "{name}: {found:?}");
    }
}

#[test]
fn other_published_files_open_with_sensible_labels() {
    if let Some(path) = data_file("dixit2016/dixit2016_24tf_counts.h5ad") {
        let dataset = open(&path);
        assert_eq!((dataset.perturbations().len(), dataset.control_cells().len()), (8, 992));
        assert_eq!(dataset.matrix_kind(), MatrixKind::Counts);
        assert!(!warns(&dataset, "perturbed genes"), "all are measured: {:?}", dataset.warnings());
    }
    if let Some(path) = data_file("norman_mcfaline/devel.h5ad") {
        let dataset = open(&path);
        assert_eq!((dataset.cell_count(), dataset.gene_count()), (5961, 500));
        assert_eq!((dataset.perturbations().len(), dataset.control_cells().len()), (33, 400));
        assert_eq!(dataset.perturbations().iter().filter(|one| one.targets().len() == 2).count(), 15);
        assert_eq!((dataset.matrix_kind(), dataset.kind()), (MatrixKind::LogNormalised, PerturbationKind::Activation));
        assert!(warns(&dataset, "mixes kinds"));
        assert_eq!(dataset.cell_type().map(|types| types.levels.len()), Some(4));
    }
    if let Some(path) = data_file("tiny_h5ad/adamson_mini.h5ad") {
        let dataset = open(&path);
        assert_eq!((dataset.perturbations().len(), dataset.control_cells().len()), (10, 80));
        assert!(dataset.genes().column("HSPA5").is_some() && dataset.genes().column("ENSG00000044574").is_some());
    }
    if let Some(path) = data_file("tiny_h5ad/norman_subset.h5ad") {
        let dataset = open(&path);
        assert_eq!((chosen(&dataset, "matrix"), chosen(&dataset, "gene names")), ("layers/counts", "feature_name"));
        assert_eq!((dataset.control_cells().len(), dataset.perturbations().len()), (6, 41));
        assert!(dataset.perturbations().contains(&Perturbation::of(["ELMSAN1", "MAP2K6"])));
        assert!(dataset.perturbations().contains(&Perturbation::of(["ETS2"])));
    }
    if let Some(path) = data_file("sergio_knockout/sim_output_q_0.6_d_10_edgeden_0.5_kd_0.0_nsamp_200_noise_n_0.h5ad") {
        let dataset = open(&path);
        assert_eq!((dataset.perturbations().len(), dataset.control_cells().len()), (10, 4000));
        assert_eq!(dataset.genes().symbol(3), "gene-3");
    }
    if let Some(path) = data_file("h5ad_old/dataframe_v0.1_categories.h5ad") {
        let dataset = open(&path);
        assert_eq!((dataset.cell_count(), dataset.gene_count(), dataset.matrix_kind()), (459, 510, MatrixKind::Counts));
        assert_eq!(dataset.unassigned_cells().len(), 459);
        assert_eq!(dataset.batch().map(|batch| batch.levels.len()), Some(7));
        assert!(warns(&dataset, "name the column"));
    }
}

/// A small screen with everything that a file must keep.
pub fn screen() -> Dataset {
    let genes = ["STAT1", "HLA-A", "MT-CO1", "φ4", "JAK2"];
    let rows = (0..40u32)
        .map(|row| {
            (0..5u32)
                .filter(|column| (row + column) % 3 != 0)
                .map(|column| (column, ((row * column) % 7 + 1) as f32))
                .collect()
        })
        .collect();
    let roles = (0..40).map(|row| match row % 4 {
        0 => CellRole::Control,
        3 => CellRole::Unassigned,
        other => CellRole::Perturbed(other as u32 - 1 + u32::from(row > 30)),
    });
    let categories = |name: &str, levels: &[&str]| Categories {
        name: name.into(),
        levels: levels.iter().map(|&level| level.into()).collect(),
        codes: (0..40).map(|row| (row % 5 != 0).then_some(row as u32 % levels.len() as u32)).collect(),
    };
    let gene = |(at, symbol): (usize, &&str)| Gene {
        symbol: (*symbol).into(),
        ensembl: (at > 0).then(|| format!("ENSG0000000000{at}")),
    };
    Dataset::new(DatasetParts {
        name: "screen".into(),
        source: None,
        matrix: CsrMatrix::from_rows(5, rows).expect("sound"),
        matrix_kind: MatrixKind::Counts,
        genes: genes.iter().enumerate().map(gene).collect(),
        cells: (0..40).map(|row| format!("AAAC-{row}")).collect(),
        // Names that the rules for published screens would clean or take for controls.
        perturbations: vec![
            Perturbation::of(["JAK2", "STAT1"]),
            Perturbation::of(["NTg1"]),
            Perturbation::of(["STAT1_2"]),
        ],
        roles: roles.collect(),
        kind: PerturbationKind::Activation,
        batch: Some(categories("lane", &["l1", "l2"])),
        cell_type: Some(categories("cell line", &["K562"])),
        guide: None,
        import: ImportReport::default(),
        warnings: Vec::new(),
    })
    .expect("a data set")
}

#[test]
fn what_is_written_is_read_back() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("screen.h5ad");
    let written = screen();
    let extra = vec![
        ExtraColumn::Numbers { name: "efficiency".into(), values: (0..40).map(f64::from).collect() },
        ExtraColumn::Categories(Categories {
            name: "truth".into(),
            levels: vec!["x".into()],
            codes: vec![Some(0); 40],
        }),
    ];
    let write =
        |extra: Vec<ExtraColumn>, layout| h5ad::write_with(&path, &written, &WriteOptions { extra, layout }, &Silent);
    for layout in [MatrixLayout::Dense, MatrixLayout::Columns, MatrixLayout::Rows] {
        write(extra.clone(), layout).expect("written");
        assert_eq!(open(&path).hash(), written.hash(), "{layout:?}");
    }
    let read = open(&path);
    assert_eq!(labels(&read), labels(&written));
    assert_eq!(read.cells(), written.cells());
    assert_eq!(read.kind(), PerturbationKind::Activation);
    assert_eq!(read.batch(), written.batch());
    let genes = |dataset: &Dataset| dataset.genes().iter().cloned().collect::<Vec<Gene>>();
    assert_eq!(genes(&read), genes(&written));
    // Values that somebody normalised afterwards are not taken for counts because of our note.
    let normalised = folder.path().join("normalised.h5ad");
    std::fs::copy(&path, &normalised).expect("copied");
    let file = hdf5::File::with_options()
        .with_access_plist(|access| access.file_locking(false))
        .open_rw(&normalised)
        .expect("opened");
    let values = file.dataset("X/data").expect("values");
    let logs: Vec<f32> = values.read_raw::<f32>().expect("read").into_iter().map(f32::ln_1p).collect();
    values.write_raw(&logs).expect("written");
    drop(values);
    file.close().expect("closed");
    assert_eq!(open(&normalised).matrix_kind(), MatrixKind::LogNormalised);
    std::fs::remove_file(&normalised).expect("removed");
    // By name, a further column is as good as any.
    let options = ImportOptions { cell_type_column: Some("truth".into()), ..ImportOptions::default() };
    assert_eq!(open_with(&path, &options).cell_type().map(|types| types.levels.clone()), Some(vec!["x".to_owned()]));
    // Nothing but the file is left behind, also after a refused write.
    let taken = vec![ExtraColumn::Numbers { name: "perturbation".into(), values: vec![0.0; 40] }];
    assert!(matches!(write(taken, MatrixLayout::Rows), Err(H5adError::Write { .. })));
    let short = vec![ExtraColumn::Numbers { name: "short".into(), values: vec![0.0; 4] }];
    assert!(matches!(write(short, MatrixLayout::Rows), Err(H5adError::Write { .. })));
    assert!(h5ad::write(&folder.path().join("absent/screen.h5ad"), &written).is_err());
    assert_eq!(std::fs::read_dir(folder.path()).expect("folder").count(), 1);
    assert_eq!(open(&path).hash(), written.hash());
}

#[test]
fn cancel_ends_the_reading() {
    struct Impatient;
    impl Progress for Impatient {
        fn report(&self, _: ProgressUpdate) {}
        fn is_cancelled(&self) -> bool {
            true
        }
        fn should_stop(&self) -> bool {
            true
        }
    }
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("screen.h5ad");
    h5ad::write(&path, &screen()).expect("written");
    let cancelled = h5ad::read(&path, &ImportOptions::default(), &Impatient);
    assert!(matches!(cancelled, Err(H5adError::Cancelled(Cancelled))));
}

/// One thing done to a sound file that leaves it sound for HDF5, but not for us.
#[derive(Clone, Debug)]
enum Damage {
    /// A number of an array is changed.
    Number(&'static str, prop::sample::Index, i32),
    /// A value of the matrix is changed.
    Value(prop::sample::Index, f32),
    /// A member is gone.
    Gone(&'static str),
    /// A member is an array of numbers of another length.
    Numbers(&'static str, Vec<i64>),
    /// A member is an array of words.
    Words(&'static str, Vec<String>),
    /// A member claims far more values than are stored.
    Huge(&'static str),
    /// The shape of the matrix is another.
    Shape(i64, i64),
    /// A group says that it is something else.
    Encoding(&'static str, &'static str),
}

const MEMBERS: [&str; 16] = [
    "X",
    "X/data",
    "X/indices",
    "X/indptr",
    "obs",
    "obs/_index",
    "obs/perturbation",
    "obs/perturbation/codes",
    "obs/perturbation/categories",
    "obs/lane",
    "obs/lane/codes",
    "var",
    "var/_index",
    "var/ensembl_id",
    "uns/grn_explorer",
    "uns/grn_explorer/version",
];

fn damage() -> impl Strategy<Value = Damage> {
    let member = || prop::sample::select(&MEMBERS[..]);
    let integers = prop::sample::select(&["X/indices", "X/indptr", "obs/perturbation/codes", "obs/lane/codes"][..]);
    let values = prop_oneof![any::<f32>(), Just(f32::NAN), Just(f32::INFINITY), Just(-1.0), Just(0.5), Just(1e30)];
    const ENCODINGS: [&str; 7] =
        ["csr_matrix", "csc_matrix", "categorical", "nullable-integer", "dataframe", "nonsense", ""];
    let extents = || prop_oneof![-3i64..60, any::<i64>()];
    prop_oneof![
        (integers, any::<prop::sample::Index>(), prop_oneof![-3i32..60, any::<i32>()])
            .prop_map(|(member, at, number)| Damage::Number(member, at, number)),
        (any::<prop::sample::Index>(), values).prop_map(|(at, value)| Damage::Value(at, value)),
        member().prop_map(Damage::Gone),
        (member(), prop::collection::vec(-3i64..60, 0..50))
            .prop_map(|(member, values)| Damage::Numbers(member, values)),
        (member(), prop::collection::vec("[A-Z_+|0-9φ]{0,8}", 0..50))
            .prop_map(|(member, words)| Damage::Words(member, words)),
        member().prop_map(Damage::Huge),
        (extents(), extents()).prop_map(|(rows, columns)| Damage::Shape(rows, columns)),
        (member(), prop::sample::select(&ENCODINGS[..])).prop_map(|(member, word)| Damage::Encoding(member, word)),
    ]
}

/// Do `damage` to the file; what earlier damage made impossible is left undone.
fn spoil(file: &hdf5::File, damage: &Damage) -> hdf5::Result<()> {
    use hdf5::types::VarLenUnicode;
    /// Not one that earlier damage made huge.
    fn small(file: &hdf5::File, member: &str) -> hdf5::Result<hdf5::Dataset> {
        let array = file.dataset(member)?;
        if array.size() < 1 << 20 { Ok(array) } else { Err("huge".into()) }
    }
    let text = |word: &str| word.parse::<VarLenUnicode>().map_err(|error| hdf5::Error::from(error.to_string()));
    match damage {
        Damage::Number(member, at, number) => {
            let array = small(file, member)?;
            let mut numbers: Vec<i32> = array.read_raw()?;
            if !numbers.is_empty() {
                let at = at.index(numbers.len());
                numbers[at] = *number;
                array.write_raw(&numbers)?;
            }
        }
        Damage::Value(at, value) => {
            let array = small(file, "X/data")?;
            let mut values: Vec<f32> = array.read_raw()?;
            if !values.is_empty() {
                let at = at.index(values.len());
                values[at] = *value;
                array.write_raw(&values)?;
            }
        }
        Damage::Gone(member) => file.unlink(member)?,
        Damage::Numbers(member, numbers) => {
            file.unlink(member)?;
            let array = file.new_dataset::<i64>().shape([numbers.len()]).create(*member)?;
            if !numbers.is_empty() {
                array.write_raw(numbers)?;
            }
        }
        Damage::Words(member, words) => {
            file.unlink(member)?;
            let words = words.iter().map(|word| text(word)).collect::<hdf5::Result<Vec<_>>>()?;
            let array = file.new_dataset::<VarLenUnicode>().shape([words.len()]).create(*member)?;
            if !words.is_empty() {
                array.write_raw(&words)?;
            }
        }
        Damage::Huge(member) => {
            file.unlink(member)?;
            file.new_dataset::<f64>().chunk([1 << 16]).deflate(1).shape([1usize << 45]).create(*member)?;
        }
        Damage::Shape(rows, columns) => {
            file.group("X")?.attr("shape")?.write_raw(&[*rows, *columns])?;
        }
        Damage::Encoding(member, word) => {
            let group = file.group(member)?;
            group.delete_attr("encoding-type")?;
            group.new_attr::<VarLenUnicode>().create("encoding-type")?.write_scalar(&text(word)?)?;
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever an HDF5 file holds: an error or a data set, but never a panic or a flood of memory.
    #[test]
    fn wrong_contents_never_panic(damages in prop::collection::vec(damage(), 1..4), by_columns in any::<bool>()) {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("screen.h5ad");
        h5ad::write(&path, &screen()).expect("written");
        // Without a lock, which a process started by another test would inherit.
        let file = hdf5::File::with_options().with_access_plist(|access| access.file_locking(false)).open_rw(&path).expect("opened");
        if by_columns {
            // As compressed columns the matrix is damaged to begin with.
            let _ = spoil(&file, &Damage::Encoding("X", "csc_matrix"));
        }
        for damage in &damages {
            let _ = spoil(&file, damage);
        }
        file.close().expect("closed");
        let error = match h5ad::read(&path, &ImportOptions::default(), &Silent) {
            Ok(dataset) => {
                prop_assert_eq!(dataset.roles().len(), dataset.cell_count());
                return Ok(());
            }
            Err(error) => error.to_string(),
        };
        prop_assert!(!error.is_empty() && !error.contains("H5"), "{}", error);
    }
}

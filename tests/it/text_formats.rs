//! Screens in matrix market files, tables and Cell Ranger's .h5: one table written in many ways gives one data set.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use grn_explorer::data::{CellRole, Dataset, ImportOptions, KeptGenes, MatrixKind, Orientation};
use grn_explorer::jobs::Silent;
use grn_explorer::tasks::open::{self, FileKind};
use tempfile::TempDir;

const GENES: [&str; 6] = ["STAT1", "JAK2", "HLA-A", "MT-CO1", "NKX2-1", "KLF1"];
const CELLS: usize = 14;
const LABELS: [&str; CELLS] = [
    "control",
    "control",
    "control",
    "control",
    "control",
    "STAT1",
    "STAT1",
    "STAT1",
    "JAK2",
    "JAK2",
    "JAK2",
    "JAK2+STAT1",
    "JAK2+STAT1",
    "NA",
];

fn count(cell: usize, gene: usize) -> usize {
    let mixed = (cell * 31 + gene * 17 + cell * gene) % 7;
    if mixed < 3 { 0 } else { mixed - 2 }
}

/// Barcodes as Cell Ranger writes them.
fn barcode(cell: usize) -> String {
    let bases: String = (0..12).map(|at| ["A", "C", "G", "T"][((cell >> (at % 4)) ^ (at * 3)) & 3]).collect();
    format!("{bases}{}-1", ["AC", "GT", "TT", "CA"][cell % 4])
}

fn ensembl(gene: usize) -> String {
    format!("ENSG{:011}", gene + 1)
}

fn write(path: &Path, text: &str) {
    if path.extension().is_some_and(|ending| ending == "gz") {
        let file = std::fs::File::create(path).expect("new");
        let mut gzip = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
        gzip.write_all(text.as_bytes()).expect("written");
        gzip.finish().expect("finished");
    } else {
        std::fs::write(path, text).expect("written");
    }
}

fn folder(files: &[(&str, String)]) -> TempDir {
    let folder = tempfile::tempdir().expect("folder");
    for (name, text) in files {
        write(&folder.path().join(name), text);
    }
    folder
}

fn open_with(path: &Path, options: &ImportOptions) -> anyhow::Result<std::sync::Arc<Dataset>> {
    assert_eq!(open::kind_of(path)?, FileKind::Dataset);
    open::dataset(path, options, &Silent)
}

fn read(path: &Path) -> std::sync::Arc<Dataset> {
    open_with(path, &ImportOptions::default()).unwrap_or_else(|error| panic!("{}: {error:#}", path.display()))
}

fn error(path: &Path) -> String {
    let error = open::dataset(path, &ImportOptions::default(), &Silent).err();
    format!("{:#}", error.unwrap_or_else(|| panic!("{} opens", path.display())))
}

fn chosen<'a>(dataset: &'a Dataset, what: &str) -> &'a str {
    let choice = dataset.import().choices.iter().find(|choice| choice.what == what);
    choice.map_or_else(|| panic!("no choice of {what}"), |choice| choice.chosen.as_str())
}

fn role(dataset: &Dataset, cell: usize) -> String {
    match dataset.roles()[cell] {
        CellRole::Control => "control".to_owned(),
        CellRole::Unassigned => "NA".to_owned(),
        CellRole::Perturbed(index) => dataset.perturbations()[index as usize].name(),
    }
}

#[track_caller]
fn assert_is_the_table(dataset: &Dataset, labelled: bool) {
    assert_eq!(dataset.genes().symbols(), GENES);
    assert_eq!((dataset.cell_count(), dataset.matrix_kind()), (CELLS, MatrixKind::Counts));
    for (cell, label) in LABELS.into_iter().enumerate() {
        for gene in 0..GENES.len() {
            assert_eq!(dataset.matrix().get(cell, gene), count(cell, gene) as f32, "cell {cell}, gene {gene}");
        }
        let expected = if labelled { label } else { "NA" };
        assert_eq!(role(dataset, cell), expected, "cell {cell}");
    }
}

/// The matrix market file: genes × cells unless `cells_in_rows`.
fn mtx(kind: &str, cells_in_rows: bool) -> String {
    let mut entries = Vec::new();
    // Any order will do.
    for gene in (0..GENES.len()).rev() {
        for cell in 0..CELLS {
            let value = count(cell, gene);
            let (row, column) = if cells_in_rows { (cell + 1, gene + 1) } else { (gene + 1, cell + 1) };
            match kind {
                _ if value == 0 => {}
                "real" => entries.push(format!("{row} {column} {value}.0e0")),
                _ => entries.push(format!("{row} {column} {value}")),
            }
        }
    }
    let (rows, columns) = if cells_in_rows { (CELLS, GENES.len()) } else { (GENES.len(), CELLS) };
    format!(
        "%%MatrixMarket matrix coordinate {kind} general\n% made by hand\n{rows} {columns} {}\n{}\n",
        entries.len(),
        entries.join("\n")
    )
}

fn barcodes() -> String {
    (0..CELLS).map(|cell| barcode(cell) + "\n").collect()
}

fn features() -> String {
    (0..GENES.len()).map(|gene| format!("{}\t{}\tGene Expression\n", ensembl(gene), GENES[gene])).collect()
}

/// Labels by barcode, in another order, with a stranger.
fn labels(separator: &str) -> String {
    let mut text = ["cell_barcode", "guide", "batch"].join(separator) + "\n";
    for cell in (0..CELLS).rev() {
        text += &([barcode(cell), LABELS[cell].to_owned(), format!("{}", cell % 2)].join(separator) + "\n");
    }
    text + &["TTTTTTTTTTTTTTTT-9", "control", "1"].join(separator) + "\n"
}

/// Sound files of this table, for others to damage: which to open, and all that belong to it.
pub fn examples() -> Vec<(&'static str, Vec<(&'static str, Vec<u8>)>)> {
    let bytes = |name: &str, text: String| {
        let folder = folder(&[(name, text)]);
        std::fs::read(folder.path().join(name)).expect("read")
    };
    let plain = |text: String| text.into_bytes();
    let tenx = |write: fn(&Path)| {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("x.h5");
        write(&path);
        std::fs::read(path).expect("read")
    };
    vec![
        (
            "matrix.mtx",
            vec![
                ("matrix.mtx", plain(mtx("integer", false))),
                ("features.tsv", plain(features())),
                ("barcodes.tsv", plain(barcodes())),
                ("labels.csv", plain(labels(","))),
            ],
        ),
        (
            "matrix.mtx.gz",
            vec![
                ("matrix.mtx.gz", bytes("matrix.mtx.gz", mtx("real", true))),
                ("genes.txt", plain(features())),
                ("barcodes.tsv.gz", bytes("barcodes.tsv.gz", barcodes())),
            ],
        ),
        ("counts.csv", vec![("counts.csv", plain(by_cells(",", true)))]),
        ("dge.txt", vec![("dge.txt", plain(by_genes("\t", true))), ("labels.tsv", plain(labels("\t")))]),
        ("dge.csv.gz", vec![("dge.csv.gz", bytes("dge.csv.gz", by_genes(",", false)))]),
        ("x.h5", vec![("x.h5", tenx(tenx::version_2)), ("labels.tsv", plain(labels("\t")))]),
        ("x.h5", vec![("x.h5", tenx(|path| tenx::version_3(path, None)))]),
    ]
}

#[test]
fn a_folder_of_cell_ranger_opens_with_labels_beside_it() {
    let folder = folder(&[
        ("matrix.mtx.gz", mtx("integer", false)),
        ("features.tsv.gz", features()),
        ("barcodes.tsv.gz", barcodes()),
        ("cell_identities.csv", labels(",")),
    ]);
    let dataset = read(folder.path());
    assert_is_the_table(&dataset, true);
    assert_eq!(dataset.genes().get(2).ensembl.as_deref(), Some("ENSG00000000003"));
    assert_eq!(dataset.cells()[3], barcode(3));
    assert_eq!(dataset.batch().map(|batch| batch.name.clone()), Some("batch".to_owned()));
    assert_eq!(chosen(&dataset, "matrix"), "matrix.mtx.gz (genes × cells)");
    assert_eq!(chosen(&dataset, "labels file"), "cell_identities.csv");
    // The file, or one of its lists, will do as well.
    for name in ["matrix.mtx.gz", "barcodes.tsv.gz", "features.tsv.gz"] {
        assert_eq!(read(&folder.path().join(name)).hash(), dataset.hash(), "{name}");
    }
    let none = ImportOptions { labels_file: Some("none".into()), ..ImportOptions::default() };
    assert_is_the_table(&open_with(folder.path(), &none).expect("opened"), false);
}

#[test]
fn matrices_open_in_every_form() {
    let dense: String =
        (0..CELLS).flat_map(|cell| (0..GENES.len()).map(move |gene| format!("{}\n", count(cell, gene)))).collect();
    let genes = GENES.join("\n") + "\n";
    let swapped: String = (0..GENES.len()).map(|gene| format!("{}\t{}\n", GENES[gene], ensembl(gene))).collect();
    let header = "id\tgene_name\n".to_owned()
        + &(0..GENES.len()).map(|gene| format!("{}.4\t{}\n", ensembl(gene), GENES[gene])).collect::<String>();
    let cells =
        "barcode,lane\n".to_owned() + &(0..CELLS).map(|cell| format!("{},L1\n", barcode(cell))).collect::<String>();
    let forms: [(&str, Vec<(&str, String)>); 5] = [
        (
            "GSM7_K562_matrix.mtx.txt.gz",
            vec![
                ("GSM7_K562_matrix.mtx.txt.gz", mtx("real", false)),
                ("GSM7_K562_genes.tsv.gz", swapped),
                ("GSM7_K562_barcodes.tsv", barcodes()),
                ("GSM7_K562_cell_identities.csv.gz", labels(",")),
            ],
        ),
        (
            "counts.mtx",
            vec![
                ("counts.mtx", mtx("integer", true)),
                ("genes.txt", genes),
                ("cells.csv", cells),
                ("labels.tsv", labels("\t")),
            ],
        ),
        (
            "matrix.mtx",
            vec![
                ("matrix.mtx", mtx("integer", false)),
                ("genes.tsv", header),
                ("barcodes.tsv", barcodes()),
                ("metadata.csv", labels(";")),
            ],
        ),
        (
            "matrix.mtx",
            vec![
                (
                    "matrix.mtx",
                    format!("%%MatrixMarket matrix array integer general\n{} {CELLS}\n{dense}", GENES.len()),
                ),
                ("features.tsv", features()),
                ("barcodes.tsv", barcodes()),
                ("labels.csv", labels(",")),
            ],
        ),
        // Old files end lines as Windows does, and without a last end.
        (
            "matrix.mtx",
            vec![
                ("matrix.mtx", mtx("integer", false).trim_end().replace('\n', "\r\n")),
                ("features.tsv", features().replace('\n', "\r\n")),
                ("barcodes.tsv", barcodes().trim_end().to_owned()),
                ("labels.csv", labels(",").replace('\n', "\r\n")),
            ],
        ),
    ];
    let mut hashes = Vec::new();
    for (name, files) in &forms {
        let folder = folder(files);
        let dataset = read(&folder.path().join(name));
        assert_is_the_table(&dataset, true);
        hashes.push(dataset.hash().to_owned());
    }
    hashes.dedup();
    assert_eq!(hashes.len(), 1);
    let pattern: String = mtx("integer", false)
        .replace("integer", "pattern")
        .lines()
        .map(|line| {
            if line.starts_with('%') || line.starts_with("6 14 ") {
                format!("{line}\n")
            } else {
                format!("{}\n", &line[..line.rfind(' ').expect("three")])
            }
        })
        .collect();
    let folder = folder(&[("matrix.mtx", pattern), ("features.tsv", features()), ("barcodes.tsv", barcodes())]);
    let dataset = read(folder.path());
    assert!(dataset.matrix().values().iter().all(|value| value == 1.0));
}

#[test]
fn a_square_matrix_is_taken_as_cell_ranger_writes_it_unless_told() {
    let names = |prefix: &str| (0..3).map(|at| format!("{prefix}{at}\n")).collect::<String>();
    let folder = folder(&[
        ("matrix.mtx", "%%MatrixMarket matrix coordinate integer general\n3 3 2\n1 2 5\n3 1 1\n".to_owned()),
        ("genes.tsv", names("GENE")),
        ("barcodes.tsv", names("CELL")),
    ]);
    let dataset = read(folder.path());
    assert_eq!((dataset.matrix().get(1, 0), dataset.matrix().get(0, 2)), (5.0, 1.0));
    let options = ImportOptions { orientation: Some(Orientation::CellsInRows), ..ImportOptions::default() };
    assert_eq!(open_with(folder.path(), &options).expect("opened").matrix().get(0, 1), 5.0);
}

/// A folder of Cell Ranger with captured guides.
pub fn with_guides() -> TempDir {
    let guides = ["STAT1_1", "STAT1_2", "JAK2_1", "NTC_1", "CD3_antibody"];
    let capture = |at: usize, kind: &str| format!("{}\t{}\t{kind}\n", guides[at], guides[at]);
    let features = features()
        + &(0..4).map(|at| capture(at, "CRISPR Guide Capture")).collect::<String>()
        + &capture(4, "Antibody Capture");
    // Cells 0 to 4 have the control guide, 5 to 7 STAT1's, 8 to 10 JAK2's, the next two, the last none.
    let got = |cell: usize| match cell {
        0..=4 => vec![(3, 30)],
        5 | 6 => vec![(0, 12), (3, 2)],
        7 => vec![(1, 5)],
        8..=10 => vec![(2, 9)],
        11 | 12 => vec![(0, 8), (2, 7)],
        _ => vec![(1, 4)],
    };
    let mut entries: Vec<String> = mtx("integer", false).lines().skip(3).map(str::to_owned).collect();
    for cell in 0..CELLS {
        entries
            .extend(got(cell).iter().map(|(guide, value)| format!("{} {} {value}", GENES.len() + guide + 1, cell + 1)));
        entries.push(format!("{} {} 99", GENES.len() + 5, cell + 1));
    }
    let matrix = format!(
        "%%MatrixMarket matrix coordinate integer general\n{} {CELLS} {}\n{}\n",
        GENES.len() + 5,
        entries.len(),
        entries.join("\n")
    );
    folder(&[("matrix.mtx", matrix), ("features.tsv", features), ("barcodes.tsv", barcodes())])
}

#[test]
fn a_matrix_larger_than_memory_is_refused_before_it_is_read() {
    let folder = with_guides();
    let entries =
        std::fs::read_to_string(folder.path().join("matrix.mtx")).expect("written").lines().count() as u64 - 2;
    let options = ImportOptions::default();
    let read = |memory| grn_explorer::data::text::read_into(memory, folder.path(), &options, &Silent);
    assert!(read(entries * 16).is_ok());
    let error = read(entries * 16 - 1).expect_err("too large").to_string();
    assert!(error.contains("matrix.mtx"), "{error}");
}

#[test]
fn captured_guides_become_labels() {
    let folder = with_guides();
    let dataset = read(folder.path());
    assert_eq!(dataset.genes().symbols(), GENES);
    assert_eq!(chosen(&dataset, "perturbation column"), "feature_call");
    let expected: Vec<String> =
        LABELS.iter().map(|&label| if label == "JAK2+STAT1" { "NA".to_owned() } else { label.to_owned() }).collect();
    assert_eq!((0..CELLS).map(|cell| role(&dataset, cell)).collect::<Vec<_>>(), expected);
    let calls = dataset.import().choices.iter().find(|choice| choice.what == "guide calls").expect("told");
    assert!(
        calls.reason.contains("14 cells with 4 guides counted, 11 have one, 1 none, 2 several"),
        "{}",
        calls.reason
    );
    assert!(chosen(&dataset, "features") == "6 genes");
    let low = ImportOptions { guide_threshold: Some(4), ..ImportOptions::default() };
    assert_eq!(role(&open_with(folder.path(), &low).expect("opened"), CELLS - 1), "STAT1");
}

/// A table with cells in rows: names, label, counts.
fn by_cells(separator: &str, corner: bool) -> String {
    let mut header: Vec<String> = if corner { vec!["".to_owned()] } else { Vec::new() };
    header.push("perturbation".to_owned());
    header.extend(GENES.map(str::to_owned));
    let row = |cell: usize| {
        let mut row = vec![format!("\"{}\"", barcode(cell)), LABELS[cell].to_owned()];
        row.extend((0..GENES.len()).map(|gene| count(cell, gene).to_string()));
        row.join(separator)
    };
    let mut lines = vec![header.join(separator)];
    lines.extend((0..CELLS).map(row));
    lines.join("\n") + "\n"
}

fn by_genes(separator: &str, second: bool) -> String {
    let mut header = vec!["gene".to_owned()];
    if second {
        header.push("ensembl_id".to_owned());
    }
    header.extend((0..CELLS).map(barcode));
    let row = |gene: usize| {
        let mut row = vec![GENES[gene].to_owned()];
        if second {
            row.push(ensembl(gene));
        }
        row.extend((0..CELLS).map(|cell| count(cell, gene).to_string()));
        row.join(separator)
    };
    let mut lines = vec![header.join(separator)];
    lines.extend((0..GENES.len()).map(row));
    lines.join("\n") + "\n"
}

#[test]
fn tables_open_in_every_form() {
    let forms: [Vec<(&str, String)>; 7] = [
        vec![("counts.csv", by_cells(",", true))],
        vec![("counts.tsv.gz", by_cells("\t", false))],
        vec![("counts.txt", format!("\u{feff}{}", by_cells(";", true).replace('\n', "\r\n")))],
        vec![("counts.csv", by_genes(",", false)), ("counts_metadata.csv", labels(","))],
        vec![("dge.txt.gz", by_genes("\t", true)), ("obs.csv", labels(","))],
        vec![("dge.txt", by_genes(" ", false)), ("x_labels.tsv", labels("\t"))],
        // Two columns without names.
        vec![
            ("counts.csv", by_genes(",", false)),
            ("labels.tsv", (0..CELLS).map(|cell| format!("{}\t{}\n", barcode(cell), LABELS[cell])).collect()),
        ],
    ];
    let mut hashes = Vec::new();
    for files in &forms {
        let folder = folder(files);
        let dataset = read(&folder.path().join(files[0].0));
        assert_is_the_table(&dataset, true);
        assert_eq!(dataset.cells()[1], barcode(1), "{}", files[0].0);
        hashes.push(dataset.hash().to_owned());
    }
    hashes.dedup();
    assert_eq!(hashes.len(), 1);
}

#[test]
fn a_file_of_labels_can_be_named_and_a_wrong_one_is_told() {
    let elsewhere = folder(&[("mine.csv", labels(",")), ("other.csv", "cell,guide\nx1,STAT1\nx2,JAK2\n".to_owned())]);
    let folder = folder(&[("counts.csv", by_genes(",", false))]);
    let path = folder.path().join("counts.csv");
    assert_is_the_table(&read(&path), false);
    let named = |file: PathBuf| ImportOptions { labels_file: Some(file), ..ImportOptions::default() };
    assert_is_the_table(&open_with(&path, &named(elsewhere.path().join("mine.csv"))).expect("opened"), true);
    let error = open_with(&path, &named(elsewhere.path().join("other.csv"))).expect_err("strangers").to_string();
    assert!(error.starts_with("other.csv: no column holds cells of the data set; the cells are called"), "{error}");
    assert!(error.contains("its first row has x1, STAT1"), "{error}");
    let error = open_with(&path, &named(elsewhere.path().join("absent.csv"))).expect_err("absent").to_string();
    assert!(error.starts_with("absent.csv cannot be read"), "{error}");
}

#[test]
fn the_same_cell_in_several_rows_of_labels_has_a_combination() {
    let mut text = "cell,feature_call\n".to_owned();
    for (cell, labels) in LABELS.into_iter().enumerate() {
        for label in labels.split('+') {
            text += &format!("{},{label}\n", barcode(cell).trim_end_matches("-1"));
        }
    }
    let folder = folder(&[("counts.csv", by_genes(",", false)), ("labels.csv", text)]);
    let dataset = read(&folder.path().join("counts.csv"));
    assert_is_the_table(&dataset, true);
    assert!(dataset.warnings().iter().any(|warning| warning.message.starts_with("2 cells in several rows")));
}

#[test]
fn wrong_files_name_the_place_and_what_was_expected() {
    let lists = [("features.tsv", features()), ("barcodes.tsv", barcodes())];
    let with = |name: &'static str, text: String| folder(&[vec![(name, text)], lists.to_vec()].concat());
    let good = mtx("integer", false);
    let size = format!("6 {CELLS} {}", good.lines().count() - 3);
    for (text, parts) in [
        (
            good.replace("coordinate", "sparse"),
            ["matrix.mtx, line 1: found", "expected %%MatrixMarket matrix coordinate"],
        ),
        (
            good.replace(&size, "5 14 40"),
            ["matrix.mtx has 5 rows and 14 columns", "features.tsv has 6 genes and barcodes.tsv 14 cells"],
        ),
        (
            good.replace(&size, "6 14 999999999999"),
            ["matrix.mtx, line 3: found a size of 999999999999 entries", "no more than the file can hold"],
        ),
        (good.replace(&size, "6 14"), ["matrix.mtx, line 3: found \"6 14\"", "rows, columns and number of entries"]),
        (good.clone() + "7 1 1\n", ["found \"7 1 1\"", "a row from 1 to 6, a column from 1 to 14 and a finite number"]),
        (good.clone() + "0 1 1\n", ["found \"0 1 1\"", "a row from 1 to 6"]),
        (good.clone() + "1 1 nan\n", ["found \"1 1 nan\"", "a finite number"]),
        (good.clone() + "1 1 1\n", ["found another entry", "the end of the file after"]),
        (good[..good.len() - 6].to_owned(), ["found", "expected"]),
        (
            "%%MatrixMarket matrix coordinate integer general\n".to_owned(),
            ["matrix.mtx, line 1: found the end of the file", "the size of the matrix"],
        ),
    ] {
        let folder = with("matrix.mtx", text);
        let error = error(&folder.path().join("matrix.mtx"));
        for part in parts {
            assert!(error.contains(part), "{part}: {error}");
        }
    }
    let alone = folder(&[("matrix.mtx", good.clone()), ("features.tsv", features())]);
    assert!(error(alone.path()).starts_with("a list of cells (barcodes.tsv) for matrix.mtx is missing in"));
    let empty = folder(&[]);
    assert!(open::kind_of(empty.path()).expect_err("empty").to_string().contains("without a matrix"));

    let cut = with("matrix.mtx.gz", good);
    let path = cut.path().join("matrix.mtx.gz");
    let bytes = std::fs::read(&path).expect("read");
    std::fs::write(&path, &bytes[..bytes.len() - 30]).expect("written");
    assert!(error(&path).contains("the gzip data are damaged or cut short"), "{}", error(&path));

    let table = by_cells(",", true);
    let last = table.lines().last().expect("a line").to_owned();
    for (text, parts) in [
        (
            table.replace(&last, &last.replace("NA,", "NA,many")),
            ["counts.csv, line 15, column STAT1: found \"many", "expected a number"],
        ),
        (
            table.clone() + "short,control,1\n",
            ["counts.csv, line 16: found 3 fields", "expected 8 as in the lines before"],
        ),
        (
            table.replace(&last, &format!("{},", &last[..last.len() - 2])),
            ["line 15, column KLF1: found nothing", "a finite number"],
        ),
        ("1,2,3\n4,5,6\n".to_owned(), ["counts.csv, line 1: found only numbers", "names of the genes"]),
        ("a,b\nx,y\nz,w\n".to_owned(), ["counts.csv: found no column of numbers", "a table"]),
    ] {
        let folder = folder(&[("counts.csv", text)]);
        let error = error(&folder.path().join("counts.csv"));
        for part in parts {
            assert!(error.contains(part), "{part}: {error}");
        }
    }
}

#[test]
fn tables_without_any_hint_are_taken_with_cells_in_rows_and_can_be_turned() {
    let text = "x,a,b,c\np,1,2,3\nq,4,5,6\n".to_owned();
    let folder = folder(&[("t.csv", text)]);
    let path = folder.path().join("t.csv");
    let dataset = read(&path);
    assert_eq!((dataset.cell_count(), dataset.gene_count()), (2, 3));
    assert_eq!(chosen(&dataset, "orientation"), "cells in rows");
    let turned = ImportOptions { orientation: Some(Orientation::GenesInRows), ..ImportOptions::default() };
    let turned = open_with(&path, &turned).expect("opened");
    assert_eq!((turned.cell_count(), turned.gene_count(), turned.matrix().get(2, 1)), (3, 2, 6.0));
}

/// Cell Ranger's own .h5, versions 2 and 3, written by hand.
mod tenx {
    use super::*;
    use hdf5::types::{FixedAscii, VarLenUnicode};
    use hdf5::{File, Group, H5Type};

    fn array<T: H5Type>(group: &Group, name: &str, values: &[T]) {
        group.new_dataset::<T>().shape([values.len()]).create(name).expect("new").write_raw(values).expect("written");
    }

    fn words(group: &Group, name: &str, words: &[String]) {
        let fixed: Vec<FixedAscii<24>> =
            words.iter().map(|word| FixedAscii::from_ascii(word).expect("short")).collect();
        array(group, name, &fixed);
    }

    /// The matrix of `rows` per cell: (feature, value).
    fn matrix(group: &Group, features: usize, rows: &[Vec<(usize, usize)>]) {
        let (mut starts, mut indices, mut values) = (vec![0i64], Vec::new(), Vec::new());
        for row in rows {
            for &(feature, value) in row {
                indices.push(feature as i64);
                values.push(value as i32);
            }
            starts.push(values.len() as i64);
        }
        array(group, "data", &values);
        array(group, "indices", &indices);
        array(group, "indptr", &starts);
        array(group, "shape", &[features as i32, rows.len() as i32]);
    }

    fn rows() -> Vec<Vec<(usize, usize)>> {
        let row =
            |cell: usize| (0..GENES.len()).map(move |gene| (gene, count(cell, gene))).filter(|(_, value)| *value > 0);
        (0..CELLS).map(|cell| row(cell).collect()).collect()
    }

    fn file(path: &Path, fill: impl FnOnce(&File)) {
        let file =
            File::with_options().with_access_plist(|access| access.file_locking(false)).create(path).expect("new");
        fill(&file);
        file.close().expect("closed");
    }

    fn barcodes() -> Vec<String> {
        (0..CELLS).map(barcode).collect()
    }

    pub fn version_2(path: &Path) {
        file(path, |file| {
            for (genome, rows) in [("hg19", rows()), ("mm10", vec![vec![(0, 1)]; CELLS])] {
                let group = file.create_group(genome).expect("new");
                words(&group, "barcodes", &barcodes());
                words(&group, "genes", &(0..GENES.len()).map(ensembl).collect::<Vec<_>>());
                words(&group, "gene_names", &GENES.map(str::to_owned));
                matrix(&group, GENES.len(), &rows);
            }
        });
    }

    #[test]
    fn version_2_opens_the_genome_with_most_values() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("filtered_gene_bc_matrices_h5.h5");
        version_2(&path);
        write(&folder.path().join("labels.tsv"), &labels("\t"));
        let dataset = read(&path);
        assert_is_the_table(&dataset, true);
        assert_eq!(chosen(&dataset, "matrix"), "hg19");
        assert_eq!(dataset.genes().get(5).ensembl.as_deref(), Some("ENSG00000000006"));
        let mouse = ImportOptions { matrix: Some("mm10".into()), ..ImportOptions::default() };
        assert_eq!(open_with(&path, &mouse).expect("opened").matrix().stored(), CELLS);
        let none = ImportOptions { matrix: Some("X".into()), ..ImportOptions::default() };
        let error = open_with(&path, &none).expect_err("no such").to_string();
        assert_eq!(error, "there is no matrix X; the file has hg19, mm10");
    }

    pub fn version_3(path: &Path, shape: Option<[i32; 2]>) {
        file(path, |file| {
            let group = file.create_group("matrix").expect("new");
            let text = |word: &String| word.parse::<VarLenUnicode>().expect("no zero bytes");
            array(&group, "barcodes", &barcodes().iter().map(text).collect::<Vec<_>>());
            let features = group.create_group("features").expect("new");
            let of = |gene: &dyn Fn(usize) -> String, guides: [&str; 4]| {
                (0..GENES.len()).map(gene).chain(guides.map(str::to_owned)).collect::<Vec<_>>()
            };
            let guides = ["g1", "g2", "g3", "g4"];
            words(&features, "id", &of(&ensembl, guides));
            words(&features, "name", &of(&|gene| GENES[gene].to_owned(), guides));
            words(&features, "feature_type", &of(&|_| "Gene Expression".to_owned(), ["CRISPR Guide Capture"; 4]));
            words(&features, "genome", &of(&|_| "GRCh38".to_owned(), [""; 4]));
            words(&features, "target_gene_name", &of(&|_| String::new(), ["STAT1", "STAT1", "JAK2", "Non-Targeting"]));
            let mut rows = rows();
            for (cell, row) in rows.iter_mut().enumerate() {
                match LABELS[cell] {
                    "control" => row.push((9, 20)),
                    // Both guides of one target are one target.
                    "STAT1" => row.extend([(6, 11), (7, 6)]),
                    "JAK2" => row.push((8, 7)),
                    "JAK2+STAT1" => row.extend([(6, 9), (8, 9)]),
                    _ => {}
                }
            }
            matrix(&group, GENES.len() + 4, &rows);
            if let Some(shape) = shape {
                group.dataset("shape").expect("there").write_raw(&shape).expect("written");
            }
        });
    }

    #[test]
    fn version_3_calls_the_captured_guides_by_their_targets() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("k562_filtered_feature_bc_matrix.h5");
        version_3(&path, None);
        let dataset = read(&path);
        assert_eq!(dataset.name(), "k562");
        assert_eq!(dataset.genes().symbols(), GENES);
        for (cell, label) in LABELS.into_iter().enumerate() {
            let expected = if label == "JAK2+STAT1" { "NA" } else { label };
            assert_eq!(role(&dataset, cell), expected, "cell {cell}");
        }
        // Better labels in a second file win.
        let labels_file = folder.path().join("mine.tsv");
        write(&labels_file, &labels("\t").replace("guide", "perturbation"));
        let options = ImportOptions { labels_file: Some(labels_file), ..ImportOptions::default() };
        assert_is_the_table(&open_with(&path, &options).expect("opened"), true);
    }

    #[test]
    fn some_genes_of_a_large_file_are_held_and_a_preview_reads_none() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("large.h5");
        version_3(&path, None);
        let whole = read(&path);
        let options = ImportOptions { genes: Some(KeptGenes::Count(3)), ..ImportOptions::default() };
        let part = open_with(&path, &options).expect("opened");
        // The two perturbed genes and one more, never a guide.
        assert_eq!(part.gene_count(), 3);
        assert!(part.genes().column("STAT1").is_some() && part.genes().column("JAK2").is_some());
        assert_eq!(part.roles(), whole.roles());
        let measured = part.whole_cells().expect("of all genes");
        assert_eq!(measured.genes, GENES.len());
        assert_eq!(measured.total_counts, whole.matrix().row_sums());
        for (cell, _) in part.roles().iter().enumerate().filter(|(_, role)| **role != CellRole::Unassigned) {
            for gene in 0..3 {
                let column = whole.genes().column(part.genes().symbol(gene)).expect("there");
                assert_eq!(part.matrix().get(cell, gene), whole.matrix().get(cell, column));
            }
        }
        let preview = open::preview(&path, &ImportOptions::default(), &Silent).expect("looked at");
        assert_eq!((preview.genes, preview.cells), (GENES.len(), CELLS));
        assert_eq!(preview.control_cells, whole.control_cells().len());
        assert_eq!(preview.unassigned_cells, whole.unassigned_cells().len());
    }

    #[test]
    fn a_wrong_shape_is_told() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("x.h5");
        version_3(&path, Some([3, 14]));
        assert_eq!(
            error(&path),
            "matrix/shape: found [3, 14], expected [10, 14], as many features and cells as there are names"
        );
    }
}

/// Tables of effects: no cells, but something to look at.
mod effects {
    use grn_explorer::data::Summary;
    use grn_explorer::preprocess::{PrepareConfig, PrepareError, prepare};

    use super::*;
    use crate::reference::data_file;

    fn summary(dataset: &Dataset) -> Summary {
        Summary::of(dataset, &Silent).expect("not cancelled")
    }

    #[test]
    fn z_scores_open_either_way_round_and_cannot_be_trained_on() {
        let rows = ["STAT1", "JAK2", "JAK2+STAT1", "control"];
        let value = |row: usize, gene: usize| if row == gene { -3.5 } else { (row * 3 + gene) as f32 / 4.0 - 1.0 };
        let by_rows = format!("\t{}\n", GENES.join("\t"))
            + &(0..4)
                .map(|row| {
                    let values: Vec<String> = (0..6).map(|gene| value(row, gene).to_string()).collect();
                    format!("{}\t{}\n", rows[row], values.join("\t"))
                })
                .collect::<String>();
        let by_columns = format!("gene,{}\n", rows.join(","))
            + &(0..6)
                .map(|gene| {
                    let values: Vec<String> = (0..4).map(|row| value(row, gene).to_string()).collect();
                    format!("{},{}\n", GENES[gene], values.join(","))
                })
                .collect::<String>();
        let folder = folder(&[("z.tsv", by_rows), ("turned.csv", by_columns)]);
        let dataset = read(&folder.path().join("z.tsv"));
        assert_eq!(dataset.matrix_kind(), MatrixKind::Effects);
        assert_eq!(chosen(&dataset, "orientation"), "perturbations in rows");
        assert_eq!(chosen(&dataset, "matrix"), "4 perturbations × 6 genes");
        assert_eq!(dataset.genes().symbols(), GENES);
        assert_eq!((0..4).map(|row| role(&dataset, row)).collect::<Vec<_>>(), rows);
        assert_eq!(dataset.matrix().get(1, 1), -3.5);
        assert!(dataset.warnings().iter().any(|warning| warning.message.contains("no model can be trained")));
        assert_eq!(read(&folder.path().join("turned.csv")).hash(), dataset.hash());

        let summary = summary(&dataset);
        let stat1 = summary.perturbations.iter().find(|one| one.name == "STAT1").expect("there");
        let effects = stat1.effects.as_ref().expect("told");
        assert_eq!(effects.own, Some(-3.5));
        assert!(effects.others.len() == 5 && effects.others.iter().all(|(gene, _)| gene != "STAT1"));

        let refused = prepare(&dataset, &PrepareConfig::default(), 1, &Silent);
        assert!(matches!(refused, Err(PrepareError::NotCounts { found }) if found.contains("effects")));
        // The user can know better.
        let cells = ImportOptions { matrix_kind: Some(MatrixKind::Scaled), ..ImportOptions::default() };
        assert_eq!(open_with(&folder.path().join("z.tsv"), &cells).expect("opened").matrix_kind(), MatrixKind::Scaled);
    }

    #[test]
    fn whole_numbers_are_effects_if_the_user_says_so() {
        let text = "\tSTAT1\tJAK2\nSTAT1\t-3\tNA\nJAK2\t1\t0\n".to_owned();
        let counts = "\tSTAT1\tJAK2\nSTAT1\t3\t1\nJAK2\t1\t0\n".to_owned();
        let folder = folder(&[("z.tsv", text), ("counts.tsv", counts)]);
        let dataset = read(&folder.path().join("z.tsv"));
        assert_eq!(dataset.matrix_kind(), MatrixKind::Effects);
        assert!(dataset.warnings().iter().any(|warning| warning.message == "1 value is missing and shown as 0"));
        let path = folder.path().join("counts.tsv");
        assert_eq!(read(&path).matrix_kind(), MatrixKind::Counts);
        let options = ImportOptions { matrix_kind: Some(MatrixKind::Effects), ..ImportOptions::default() };
        assert_eq!(open_with(&path, &options).expect("opened").matrix_kind(), MatrixKind::Effects);
        let turned = ImportOptions { orientation: Some(Orientation::GenesInRows), ..options };
        let turned = open_with(&path, &turned).expect("opened");
        assert_eq!(chosen(&turned, "orientation"), "perturbations in columns");
    }

    #[test]
    fn published_tables_open() {
        if let Some(path) = data_file("dixit2016/log_pvals.txt") {
            let dataset = read(&path);
            assert_eq!(dataset.matrix_kind(), MatrixKind::Effects);
            assert_eq!(chosen(&dataset, "orientation"), "perturbations in columns");
            assert_eq!((dataset.cell_count(), dataset.gene_count()), (9, 24));
            assert_eq!((dataset.perturbations().len(), dataset.control_cells().len()), (8, 1));
            let row = dataset.cells().iter().position(|name| name == "Stat1").expect("there");
            let column = dataset.genes().column("Ahr").expect("measured");
            assert!((dataset.matrix().get(row, column) - 0.989_483_65).abs() < 1e-6);
        }
        for (name, cells) in [("knockouts", 100), ("knockdowns", 100)] {
            let Some(path) = data_file(&format!("dream4_size100/net1/insilico_size100_1_{name}.tsv")) else { return };
            let dataset = read(&path);
            assert_eq!((dataset.matrix_kind(), dataset.cell_count()), (MatrixKind::Effects, cells), "{name}");
            assert_eq!((role(&dataset, 3), dataset.genes().symbol(3)), ("G4".to_owned(), "G4"));
            let summary = summary(&dataset);
            let own = summary.perturbations.iter().find(|one| one.name == "G4").and_then(|one| one.effects.clone());
            let own = own.and_then(|effects| effects.own).expect("measured");
            assert_eq!(own == 0.0, name == "knockouts", "{name}: {own}");
        }
    }

    #[test]
    fn observations_of_cells_are_no_effects() {
        if let Some(path) = data_file("beeline_curated/GSD-2000-1/ExpressionData.csv") {
            let dataset = read(&path);
            assert_eq!((dataset.cell_count(), dataset.gene_count()), (2000, 19));
            assert!(dataset.genes().column("SOX9").is_some());
        }
        if let Some(path) = data_file("sachs2005/iv=1.txt") {
            let dataset = read(&path);
            assert_eq!(dataset.genes().symbol(0), "Raf");
            assert_ne!(dataset.matrix_kind(), MatrixKind::Effects);
        }
    }
}

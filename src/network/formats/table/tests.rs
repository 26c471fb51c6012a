use super::*;

fn read_one(text: &str) -> (NetworkContents, TableLayout) {
    read(text, "net", MatrixRows::Targets).unwrap()
}

fn edges(contents: &NetworkContents) -> Vec<(&str, &str, Sign)> {
    let symbol = |node: usize| contents.nodes[node].symbol.as_str();
    let signs = contents.signs();
    contents.edges.iter().zip(signs).map(|(edge, sign)| (symbol(edge.from), symbol(edge.to), sign)).collect()
}

#[test]
fn published_layouts_are_known_by_their_columns() {
    let cases = [
        ("\"source\",\"target\",\"weight\"\n\"MYC\",\"TERT\",1\n\"A\",\"B\",-1\n", TableLayout::CollecTri),
        (
            "Gene1\tGene2\tMode_of_Regulation\tPMID\nMYC\tTERT\tActivation\t1;2\nA\tB\tRepression\t3\n",
            TableLayout::Trrust,
        ),
        ("MYC\tTERT\tActivation\t1;2\nA\tB\tRepression\t3\n", TableLayout::Trrust),
        ("tf\tconfidence\ttarget\tmor\nMYC\tA\tTERT\t1.0\nA\tD\tB\t-1.0\n", TableLayout::Dorothea),
        (
            "source_genesymbol\ttarget_genesymbol\tis_stimulation\tis_inhibition\nMYC\tTERT\t1\t0\nA\tB\tFalse\tTrue\n",
            TableLayout::OmniPath,
        ),
        ("regulator\ttarget\tprobability\tsign\nMYC\tTERT\t0.5\t+\nA\tB\t0.25\t-\n", TableLayout::Edges),
        ("from;to;effect\nMYC;TERT;stimulation\nA;B;inhibition\n", TableLayout::Named),
        ("MYC\tTERT\t1\nA\tB\t-1\n", TableLayout::Plain),
        ("MYC -> TERT\nA -| B\n", TableLayout::Plain),
    ];
    for (text, layout) in cases {
        let (contents, found) = read_one(text);
        assert_eq!(found, layout, "{text}");
        assert_eq!(
            edges(&contents),
            [("MYC", "TERT", Sign::Activates), ("A", "B", Sign::Represses)],
            "{layout:?} {text}"
        );
        assert!(!contents.undirected);
    }
}

#[test]
fn undirected_layouts_are_known_too() {
    let (contents, layout) = read_one("protein1 protein2 combined_score\n9606.ENSP1 9606.ENSP2 490\n");
    assert_eq!((layout, contents.undirected), (TableLayout::String, true));
    assert_eq!(edges(&contents), [("ENSP1", "ENSP2", Sign::Unknown)]);
    assert_eq!(contents.edge_column("combined_score").unwrap().values, [Some(Value::Number(490.0))]);
    let (contents, layout) = read_one("#node1\tnode2\tcombined_score\nTP53\tMDM2\t0.999\n");
    assert_eq!((layout, contents.undirected), (TableLayout::String, true));
    let text = "ComplexID\tComplexName\tsubunits(Gene name)\n1\tC1\tA;B;C\n2\tC2\tB;A\n3\tC3\tNone\n";
    let (contents, layout) = read_one(text);
    assert_eq!((layout, contents.undirected), (TableLayout::Corum, true));
    let unknown = |a, b| (a, b, Sign::Unknown);
    assert_eq!(edges(&contents), [unknown("A", "B"), unknown("A", "C"), unknown("B", "C")]);
}

#[test]
fn quotes_commas_and_comments_are_understood() {
    assert_eq!(split_quoted("\"a,b\", \"say \"\"hi\"\"\" ,c,", ','), ["a,b", "say \"hi\"", "c", ""]);
    assert_eq!(split_quoted("\"open\tb", '\t'), ["\"open", "b"]);
    assert_eq!(split_quoted("5\"x\tb", '\t'), ["5\"x", "b"]);
    let (contents, _) = read_one("# made by hand\nA,B\n\n# more\nB,C\n");
    assert_eq!(contents.edges.len(), 2);
    let (contents, _) = read_one("A\tB\t0.25\nB\tC\t0.75\n");
    assert_eq!(contents.to_grn().unwrap().0.edges()[0].probability, 0.75);
}

#[test]
fn a_column_of_ones_and_zeros_tells_which_edges_there_are() {
    let unknown = |a, b| (a, b, Sign::Unknown);
    let (contents, layout) = read_one("G1\tG2\t1\nG2\tG3\t1\nG3\tG1\t0\nG4\tG1\t0\n");
    assert_eq!((layout, contents.nodes.len()), (TableLayout::Plain, 4));
    assert_eq!(edges(&contents), [unknown("G1", "G2"), unknown("G2", "G3")]);
    // Absent pairs may come first; true edges alone say nothing of their signs.
    assert_eq!(edges(&read_one("G1\tG2\t0\nG2\tG3\t1\n").0), [unknown("G2", "G3")]);
    assert_eq!(edges(&read_one("G1\tG2\t1\nG2\tG3\t1\n").0), [unknown("G1", "G2"), unknown("G2", "G3")]);
    assert_eq!(edges(&read_one("source,target,present\nA,B,0\nB,A,1\n").0), [unknown("B", "A")]);
    assert_eq!(read_one("A\tB\t0.5\nB\tA\t1\n").0.edges.len(), 2, "a weight is no flag");
}

#[test]
fn a_type_of_plus_and_minus_is_a_sign() {
    let (contents, _) = read_one("Gene1,Gene2,Type\nSOX9,AMH,+\nGATA4,AMH,-\n");
    assert_eq!(edges(&contents), [("SOX9", "AMH", Sign::Activates), ("GATA4", "AMH", Sign::Represses)]);
    let (contents, _) = read_one("Gene1,Gene2,Type\nSOX9,AMH,direct\nGATA4,AMH,-\n");
    assert_eq!(edges(&contents)[1].2, Sign::Unknown, "other words are no signs");
}

#[test]
fn square_matrices_are_networks_of_their_genes() {
    let unknown = |a, b| (a, b, Sign::Unknown);
    let text = "0,0,0,0\n1,0,0,0\n0,1,0,0\n0,0,0,0\n";
    let (contents, layout) = read_one(text);
    assert_eq!((layout, contents.nodes.len()), (TableLayout::Matrix, 4));
    assert_eq!(edges(&contents), [unknown("1", "2"), unknown("2", "3")]);
    let (turned, _) = read(text, "net", MatrixRows::Regulators).unwrap();
    assert_eq!(edges(&turned), [unknown("2", "1"), unknown("3", "2")]);
    let signed = ",A,B\nA,0,-0.5\nB,2,0\n";
    let (contents, layout) = read_one(signed);
    assert_eq!(layout, TableLayout::Matrix);
    assert_eq!(edges(&contents), [("A", "B", Sign::Activates), ("B", "A", Sign::Represses)]);
    // Names of the columns alone, and a corner that is left out.
    assert_eq!(edges(&read_one("A\tB\n0\t1\n0\t0\n").0), [unknown("B", "A")]);
    assert_eq!(edges(&read_one("A\tB\nA\t0\t1\nB\t0\t0\n").0), [unknown("B", "A")]);
    // A table of numbered genes is none.
    assert_eq!(read_one("regulator,target,weight\n1,2,0.5\n2,3,1\n3,1,0.25\n").1, TableLayout::Edges);
    let broken = read("0,0,0,0\n1,0,0,0\n0,x,0,0\n0,0,0,0\n", "net", MatrixRows::Targets);
    assert!(broken.is_err() || broken.unwrap().1 != TableLayout::Matrix);
}

//! A report as one page that needs nothing else: text, tables, figures and, at its end, all numbers and settings.

use std::fmt::{Display, Write as _};

use super::{Judged, ReportFigure, differences, figures, methods};
use crate::evaluation::effects::METRICS;
use crate::evaluation::report::{FitRow, Report, Verdict};
use crate::figures::{FigureMetadata, FigureTheme, svg};
use crate::words::{counted, grouped};

/// Font size of figures in points, and the width in points of a wide one.
const TEXT_SIZE: f32 = 8.0;
const WIDTH: f32 = 560.0;
const MM_PER_POINT: f32 = 25.4 / 72.0;

/// The page. `judged` is not empty; of several models the first one's data and cells are told.
pub fn html(judged: &[Judged]) -> String {
    let mut page = String::from(HEAD);
    let first = &judged[0].report;
    let names: Vec<String> = judged.iter().map(|one| escaped(&one.name).to_string()).collect();
    let _ = write!(page, "<title>Evaluation of {}</title></head><body><main>", names.join(", "));
    let _ = write!(page, "<h1>Evaluation of {}</h1>", names.join(", "));
    facts(&mut page, judged);
    notes(&mut page, judged);
    let drawn = figures(judged, TEXT_SIZE);
    let (shifts, network): (Vec<&ReportFigure>, Vec<&ReportFigure>) = drawn.iter().partition(|figure| {
        ["scale", "fit-per-perturbation", "interval-calibration", "distances"].contains(&figure.key)
    });

    page.push_str("<h2>Predicted shifts</h2>");
    fits(&mut page, judged);
    shifts.iter().for_each(|figure| place(&mut page, figure));
    verdicts(&mut page, judged);
    distances(&mut page, judged);
    classes(&mut page, judged);
    per_perturbation(&mut page, first);

    page.push_str("<h2>Network</h2>");
    gold_standard(&mut page, judged);
    page.push_str("<div class=\"figures\">");
    network.iter().for_each(|figure| place(&mut page, figure));
    page.push_str("</div>");
    discoveries(&mut page, judged);

    further(&mut page, judged);
    definitions(&mut page, first);
    settings(&mut page, judged);
    page.push_str("</main></body></html>\n");
    page
}

const HEAD: &str = "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><style>\
body{font:15px/1.45 system-ui,sans-serif;color:#1d2329;background:#fff;margin:0}\
main{max-width:1080px;margin:0 auto;padding:24px 20px 60px}\
h1{font-size:24px;margin:.2em 0 .6em}h2{font-size:19px;margin:1.8em 0 .5em;border-bottom:1px solid #d5dae0;padding-bottom:.2em}\
h3{font-size:15px;margin:1.2em 0 .3em}\
table{border-collapse:collapse;font-size:13px;font-variant-numeric:tabular-nums}\
.scroll{overflow-x:auto}\
th,td{padding:3px 9px;text-align:right;white-space:nowrap;border-bottom:1px solid #edf0f3}\
th{font-weight:600;vertical-align:bottom}th:first-child,td:first-child{text-align:left}\
th[title],td[title]{text-decoration:underline dotted #9aa4af;text-underline-offset:3px;cursor:help}\
td.model,th.model{background:#eaf2fa}td.ceiling{color:#5a6570;font-style:italic}b{font-weight:650}\
dl{display:grid;grid-template-columns:max-content 1fr;gap:2px 18px;margin:.4em 0}dt{color:#5a6570}dd{margin:0;overflow-wrap:anywhere}\
.note{background:#fff6e5;border-left:3px solid #d99a1f;padding:6px 12px;margin:6px 0}\
figure{margin:14px 0;display:inline-block;vertical-align:top}figure img{display:block;max-width:100%}\
figcaption{font-size:13px;color:#414b55;max-width:520px;margin-top:4px}figcaption b{display:block;color:#1d2329}\
figure.half{width:calc(50% - 16px);margin-right:16px;min-width:320px}figure.wide figcaption{max-width:none}\
details{margin:.6em 0}summary{cursor:pointer}pre{font-size:12px;overflow-x:auto;background:#f5f7f9;padding:10px}\
.weak{color:#5a6570;font-size:13px}@media print{details{display:none}}</style>";

/// Text with the characters that mean something in HTML written out.
struct Escaped<'a>(&'a str);

fn escaped(text: &str) -> Escaped<'_> {
    Escaped(text)
}

impl Display for Escaped<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for letter in self.0.chars() {
            match letter {
                '&' => out.write_str("&amp;")?,
                '<' => out.write_str("&lt;")?,
                '>' => out.write_str("&gt;")?,
                '"' => out.write_str("&quot;")?,
                other => out.write_char(other)?,
            }
        }
        Ok(())
    }
}

fn number(value: Option<f64>, decimals: usize) -> String {
    value
        .filter(|value| value.is_finite())
        .map_or_else(|| "–".into(), |value| format!("{value:.decimals$}").replace('-', "−"))
}

fn facts(page: &mut String, judged: &[Judged]) {
    page.push_str("<dl>");
    let mut row = |name: &str, value: &str| {
        let _ = write!(page, "<dt>{name}</dt><dd>{}</dd>", escaped(value));
    };
    for one in judged {
        let model = &one.report.model;
        row(
            "Model",
            &format!(
                "{}, {}, epoch {} of {} (program {}), BLAKE3 {}",
                model.file, model.kind, model.best_epoch, model.epochs, model.program_version, model.hash
            ),
        );
    }
    let Report { dataset, cells, program_version, .. } = &judged[0].report;
    row(
        "Data set",
        &format!(
            "{}, {} cells × {} genes, hash {}",
            dataset.file,
            grouped(dataset.cells),
            grouped(dataset.genes),
            dataset.hash
        ),
    );
    row(
        "Compared with",
        &format!(
            "{}: {} control, {} perturbed",
            cells.evaluated_on,
            grouped(cells.evaluated_control as usize),
            grouped(cells.evaluated_perturbed as usize)
        ),
    );
    row("Judged by", &format!("grn-explorer {program_version}; the perturbed genes are left out of their own rows"));
    page.push_str("</dl>");
}

fn notes(page: &mut String, judged: &[Judged]) {
    for note in differences(judged) {
        let _ = write!(page, "<p class=\"note\">{}</p>", escaped(&note));
    }
    for one in judged {
        let of = if judged.len() > 1 { format!("<b>{}</b>: ", escaped(&one.name)) } else { String::new() };
        for note in &one.report.notes {
            let _ = write!(page, "<p class=\"note\">{of}{}</p>", escaped(note));
        }
    }
}

fn definition<'a>(report: &'a Report, key: &str) -> &'a str {
    let known = report.definitions.iter().find(|definition| definition.metric == key);
    known.map(|known| known.definition.as_str()).unwrap_or_default()
}

/// The name of a metric with its definition to point at.
fn row_head(report: &Report, key: &str, arrow: &str) -> String {
    format!("<td title=\"{}\">{}{arrow}</td>", escaped(definition(report, key)), escaped(report.label(key)))
}

/// Metrics as rows, methods as columns: a page is higher than wide.
fn fits(page: &mut String, judged: &[Judged]) {
    let report = &judged[0].report;
    let all = methods(judged);
    page.push_str("<div class=\"scroll\"><table><tr><th></th>");
    for one in &all {
        let class = if one.method.baseline { "" } else { " class=\"model\"" };
        let _ = write!(page, "<th{class} title=\"{}\">{}</th>", escaped(&one.method.definition), escaped(&one.name));
    }
    let ceiling = report.ceiling.as_ref();
    if ceiling.is_some() {
        let definition = definition(report, "ceiling");
        let _ = write!(page, "<th class=\"ceiling\" title=\"{}\">Split-half replicate</th>", escaped(definition));
    }
    page.push_str("</tr>");
    let _ = write!(page, "<tr>{}", row_head(report, "perturbations", ""));
    for one in &all {
        let _ = write!(page, "<td>{}</td>", one.method.effects.perturbations);
    }
    if let Some(ceiling) = ceiling {
        let _ = write!(page, "<td class=\"ceiling\">{}</td>", ceiling.effects.perturbations);
    }
    page.push_str("</tr>");
    for metric in &METRICS {
        let sign = if metric.higher_is_better { 1.0 } else { -1.0 };
        let values = all.iter().filter_map(|one| (metric.value)(&one.method.effects));
        let best = values.max_by(|a, b| (sign * a).total_cmp(&(sign * b)));
        let _ = write!(page, "<tr>{}", row_head(report, metric.key, if metric.higher_is_better { " ↑" } else { " ↓" }));
        for one in &all {
            let value = (metric.value)(&one.method.effects);
            let text = number(value, 3);
            let text = if value.is_some() && value == best { format!("<b>{text}</b>") } else { text };
            let class = if one.method.baseline { "" } else { " class=\"model\"" };
            let interval = one.method.intervals.get(metric.key).map(|interval| {
                let [low, high] = [interval.low, interval.high].map(|end| number(Some(end), 3));
                format!(" title=\"95 %: {low} … {high}\"")
            });
            let _ = write!(page, "<td{class}{}>{text}</td>", interval.unwrap_or_default());
        }
        if let Some(ceiling) = ceiling {
            let _ = write!(page, "<td class=\"ceiling\">{}</td>", number((metric.value)(&ceiling.effects), 3));
        }
        page.push_str("</tr>");
    }
    page.push_str(
        "</table></div><p class=\"weak\">Point at a name for its definition, at a number for its 95 % interval over perturbations \
         (bootstrap). The best of each row is bold; the replicate is what half of the cells tell of the other half.</p>",
    );
}

/// A figure with its caption; the image is a drawing within the page.
fn place(page: &mut String, figure: &ReportFigure) {
    let width = if figure.wide { WIDTH } else { WIDTH * 0.55 };
    let height = figure.height.unwrap_or(width / figure.aspect);
    let scene = figure.figure.scene([width, height], &FigureTheme::paper()).scene;
    let metadata = FigureMetadata::new(figure.title.to_owned(), figure.caption.clone());
    let drawing = svg::svg(&scene, &metadata, width * MM_PER_POINT);
    let _ = write!(
        page,
        "<figure class=\"{}\"><img alt=\"{}\" src=\"data:image/svg+xml,{}\"><figcaption><b>{}</b>{}</figcaption></figure>",
        if figure.wide { "wide" } else { "half" },
        escaped(figure.title),
        in_address(&drawing),
        escaped(figure.title),
        escaped(&figure.caption)
    );
}

/// A drawing as a part of an address: what would end it or mean something there is written as %XX.
fn in_address(drawing: &str) -> String {
    let mut out = String::with_capacity(drawing.len() + drawing.len() / 8);
    for byte in drawing.bytes() {
        match byte {
            b'%' | b'#' | b'<' | b'>' | b'"' | b'&' | b'\n' | b'\r' | b'\t' | 0x80.. => {
                let _ = write!(out, "%{byte:02X}");
            }
            _ => out.push(char::from(byte)),
        }
    }
    out
}

fn table(page: &mut String, header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) {
    page.push_str("<div class=\"scroll\"><table><tr>");
    for cell in header {
        let _ = write!(page, "<th>{}</th>", escaped(cell));
    }
    page.push_str("</tr>");
    for row in rows {
        page.push_str("<tr>");
        for cell in &row {
            let _ = write!(page, "<td>{}</td>", escaped(cell));
        }
        page.push_str("</tr>");
    }
    page.push_str("</table></div>");
}

/// A heading of the part of one model, where there are several.
fn of_model(page: &mut String, judged: &[Judged], one: &Judged, title: &str) {
    let of = if judged.len() > 1 { format!(": {}", one.name) } else { String::new() };
    let _ = write!(page, "<h3>{title}{}</h3>", escaped(&of));
}

fn verdicts(page: &mut String, judged: &[Judged]) {
    for one in judged.iter().filter(|one| !one.report.verdicts.is_empty()) {
        of_model(page, judged, one, "Against the best baseline in each metric");
        let row = |verdict: &Verdict| {
            let interval = verdict.difference.map_or_else(String::new, |difference| {
                format!("{} … {}", number(Some(difference.low), 3), number(Some(difference.high), 3))
            });
            vec![
                one.report.label(&verdict.metric).to_owned(),
                number(Some(verdict.model), 3),
                verdict.best_baseline.clone(),
                number(Some(verdict.baseline), 3),
                interval,
                verdict.words().to_owned(),
            ]
        };
        let header = ["", "model", "best baseline", "its value", "difference (95 %)", ""];
        table(page, &header, one.report.verdicts.iter().map(row));
    }
}

fn classes(page: &mut String, judged: &[Judged]) {
    for one in judged.iter().filter(|one| !one.report.classes.is_empty()) {
        of_model(page, judged, one, "By what was seen in training");
        let rows = one.report.classes.iter().flat_map(|class| {
            class.methods.iter().map(|fit| {
                vec![
                    class.class.clone(),
                    fit.method.clone(),
                    fit.effects.perturbations.to_string(),
                    number(fit.effects.pearson, 3),
                    number(fit.effects.r_squared, 3),
                    number(fit.effects.mean_pearson, 3),
                    number(fit.effects.jaccard_20, 3),
                    number(fit.effects.mean_absolute_error, 4),
                ]
            })
        });
        table(page, &["", "method", "covers", "r", "R²", "Pearson-Δ", "Jaccard 20", "MAE"], rows);
    }
}

fn distances(page: &mut String, judged: &[Judged]) {
    for one in judged {
        let Some(found) = &one.report.distances else { continue };
        let title = format!(
            "Distances of {} in {} principal components",
            counted(found.rows.len(), "perturbation"),
            found.components
        );
        let _ = write!(page, "<details><summary>{}</summary>", escaped(&title));
        let rows = found.rows.iter().map(|row| {
            let generated = row.generated.as_ref();
            vec![
                row.perturbation.clone(),
                row.cells.to_string(),
                number(Some(row.e_distance), 3),
                number(row.mmd, 4),
                number(Some(row.permutation_p_value), 4),
                number(Some(row.adjusted_p_value), 4),
                number(generated.map(|generated| generated.e_distance), 3),
                number(generated.and_then(|generated| generated.mmd), 4),
            ]
        });
        let header = [
            "",
            "cells",
            "E-distance",
            "MMD",
            "p (shuffled)",
            "adjusted p",
            "E-distance from generated",
            "MMD from generated",
        ];
        table(page, &header, rows);
        page.push_str("</details>");
    }
}

fn per_perturbation(page: &mut String, report: &Report) {
    let mut names: Vec<&str> = Vec::new();
    for row in &report.per_perturbation {
        if !names.contains(&row.fit.perturbation.as_str()) {
            names.push(&row.fit.perturbation);
        }
    }
    let model = report.methods.iter().find(|method| !method.baseline).map(|method| method.method.as_str());
    let best = |name: &str| -> Option<&FitRow> {
        let others = report.per_perturbation.iter().filter(|row| row.fit.perturbation == name);
        let others = others.filter(|row| Some(row.method.as_str()) != model && row.fit.pearson.is_some());
        others.max_by(|a, b| a.fit.pearson.unwrap_or(-2.0).total_cmp(&b.fit.pearson.unwrap_or(-2.0)))
    };
    let _ = write!(page, "<details><summary>{}, one by one</summary>", counted(names.len(), "perturbation"));
    let rows = names.iter().filter_map(|name| {
        let mut own = report.per_perturbation.iter().filter(|row| row.fit.perturbation == *name);
        let own = own.find(|row| Some(row.method.as_str()) == model)?;
        let baseline = best(name);
        Some(vec![
            (*name).to_owned(),
            own.training_cells.to_string(),
            own.fit.cells.to_string(),
            number(own.fit.pearson, 3),
            baseline.map_or_else(String::new, |row| row.method.clone()),
            number(baseline.and_then(|row| row.fit.pearson), 3),
            number(own.fit.r_squared, 3),
            number(own.fit.pearson_top_20, 3),
            number(Some(own.fit.jaccard_20), 3),
            number(own.fit.further.discrimination, 3),
            number(own.fit.further.de_overlap, 3),
            number(Some(own.fit.mean_absolute_error), 4),
        ])
    });
    let header = [
        "",
        "training cells",
        "evaluated cells",
        "Pearson-Δ",
        "best baseline",
        "its Pearson-Δ",
        "R²",
        "r top 20",
        "Jaccard 20",
        "Discrimination",
        "DE overlap",
        "MAE",
    ];
    table(page, &header, rows);
    page.push_str("</details>");
}

fn gold_standard(page: &mut String, judged: &[Judged]) {
    for one in judged {
        let Some(gold) = &one.report.gold_standard else { continue };
        of_model(page, judged, one, "Against known edges");
        let _ = write!(
            page,
            "<p class=\"weak\">{} known edges among {} pairs (density {}): {}. Known edges outside: {}.</p>",
            grouped(gold.true_edges),
            grouped(gold.candidates),
            number(gold.density, 4),
            escaped(&gold.universe),
            grouped(gold.true_edges_outside)
        );
        let rows = gold.methods.iter().map(|score| {
            vec![
                score.method.clone(),
                number(score.auprc, 3),
                number(score.auprc_ratio, 2),
                number(score.auroc, 3),
                number(score.early_precision_ratio, 2),
                number(score.sign_accuracy, 2),
            ]
        });
        table(page, &["", "AUPRC", "× density", "AUROC", "early precision ×", "right signs"], rows);
    }
}

fn discoveries(page: &mut String, judged: &[Judged]) {
    for one in judged {
        let Some(found) = &one.report.discoveries else { continue };
        of_model(page, judged, one, "Edges against shuffled labels");
        let rows = found.levels.iter().map(|level| {
            vec![
                format!("{} %", level.rate * 100.0),
                grouped(level.edges),
                number(level.unreachable, 3),
                number(level.indirect_or_false, 3),
            ]
        });
        table(page, &["False discovery rate", "edges", "no path", "no known edge"], rows);
        let _ = write!(
            page,
            "<p class=\"weak\">{} edges tested, {}</p>",
            grouped(found.tested),
            counted(found.shuffles, "shuffle")
        );
    }
}

fn further(page: &mut String, judged: &[Judged]) {
    for one in judged {
        if let Some(found) = &one.report.likelihood {
            of_model(page, judged, one, "How well cells are explained");
            let _ = write!(
                page,
                "<p>IW-ELBO of a cell {} ± {} ({} draws, {} of {} cells), ELBO {}</p>",
                number(Some(found.iw_elbo), 2),
                number(Some(found.standard_error), 2),
                found.particles,
                grouped(found.cells),
                grouped(found.of_cells),
                number(Some(found.elbo), 2)
            );
        }
        if !one.report.responding.is_empty() {
            of_model(page, judged, one, "Genes that respond significantly");
            let rows = one.report.responding.iter().map(|found| {
                vec![
                    found.method.clone(),
                    found.definition.clone(),
                    found.perturbations.to_string(),
                    number(Some(found.jaccard_significant), 3),
                    number(Some(found.predicted), 1),
                    number(Some(found.observed), 1),
                ]
            });
            table(page, &["", "cells", "perturbations", "Jaccard with observed", "genes", "observed genes"], rows);
        }
        if let Some(found) = &one.report.quality_pass {
            of_model(page, judged, one, "Cells drawn from the model that pass quality control");
            let rows = found.rows.iter().map(|row| {
                let shares = [row.generated, row.measured, row.generated_control, row.measured_control];
                [vec![format!("{} MAD", row.mads)], shares.map(|share| number(Some(share), 3)).to_vec()].concat()
            });
            table(page, &["", "generated", "measured", "generated control", "measured control"], rows);
        }
    }
}

fn definitions(page: &mut String, report: &Report) {
    page.push_str("<h2>Definitions</h2><details open><summary>What every number is</summary><dl>");
    for definition in &report.definitions {
        let origin = if definition.origin.is_empty() { String::new() } else { format!(" ({})", definition.origin) };
        let _ = write!(
            page,
            "<dt>{}</dt><dd>{}{}</dd>",
            escaped(&definition.label),
            escaped(&definition.definition),
            escaped(&origin)
        );
    }
    page.push_str("</dl></details>");
}

fn settings(page: &mut String, judged: &[Judged]) {
    page.push_str("<h2>Settings and numbers</h2>");
    for one in judged {
        let text = serde_json::to_string_pretty(&one.report.model.settings).unwrap_or_default();
        let _ = write!(
            page,
            "<details><summary>Settings of {}</summary><pre>{}</pre></details>",
            escaped(&one.name),
            escaped(&text)
        );
    }
    // "</" cannot stand in a script; JSON may write it as "<\/".
    let reports: Vec<&Report> = judged.iter().map(|one| &one.report).collect();
    let json = serde_json::to_string(&reports).unwrap_or_default().replace("</", "<\\/");
    let _ = write!(
        page,
        "<p class=\"weak\">All numbers of this page stand in its source as JSON (element <code>report</code>).</p>\
         <script type=\"application/json\" id=\"report\">{json}</script>"
    );
}

#[cfg(test)]
mod tests {
    use super::super::tests::judged;
    use super::*;

    #[test]
    fn the_page_is_whole_and_its_numbers_come_back() {
        let mut one = judged("a <b> & c", 0.5, 0.25);
        one.report.notes.push("r < 0.3 </script>".into());
        let page = html(&[one.clone()]);
        assert!(page.starts_with("<!doctype html>") && page.ends_with("</html>\n"));
        assert!(page.contains("a &lt;b&gt; &amp; c") && page.contains("r &lt; 0.3"));
        assert!(page.contains("data:image/svg+xml,%3C"));
        assert!(!page.contains("src=\"http") && !page.contains("<link"), "nothing is fetched");
        let json = page.split_once("id=\"report\">").unwrap().1.split_once("</script>").unwrap().0;
        let back: Vec<Report> = serde_json::from_str(json).unwrap();
        assert_eq!(back, [one.report]);
    }

    #[test]
    fn several_models_stand_beside_each_other() {
        let page = html(&[judged("first", 0.5, 0.25), judged("second", 0.6, 0.25)]);
        for name in ["first", "second"] {
            assert!(page.contains(&format!("<th class=\"model\" title=\"A test\">{name}</th>")));
        }
        assert_eq!(page.matches("<th title=\"A test\">Mean</th>").count(), 1);
    }
}

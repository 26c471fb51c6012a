//! A report as one page that needs nothing else: text, tables, figures and, at its end, all numbers and settings.

use std::fmt::{Display, Write as _};

use super::tables::number;
use super::{
    Judged, ReportFigure, ReportTable, Section, classes, differences, figures, methods, network_baselines, of_class,
    shift_baselines, tables,
};
use crate::evaluation::effects::METRICS;
use crate::evaluation::report::Report;
use crate::figures::{FigureMetadata, FigureTheme, svg};
use crate::words::grouped;

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
    page.push_str(
        "<p class=\"weak\">Point at a name for its definition, at a number for its 95 % interval over perturbations \
         (bootstrap). The best of each row is bold, of the methods that cover all perturbations; the replicate is what half of the cells tell of the other half.</p>",
    );
    for class in classes(judged) {
        let _ = write!(page, "<details><summary>Of these alone: {}</summary>", escaped(class));
        fits(&mut page, &of_class(judged, class));
        page.push_str("</details>");
    }
    shifts.iter().for_each(|figure| place(&mut page, figure));
    section(&mut page, judged, Section::Shifts);

    page.push_str("<h2>Network</h2>");
    page.push_str("<div class=\"figures\">");
    network.iter().for_each(|figure| place(&mut page, figure));
    page.push_str("</div>");
    section(&mut page, judged, Section::Network);

    if judged.iter().any(|one| tables(&one.report).iter().any(|table| table.section == Section::Cells)) {
        page.push_str("<h2>Cells</h2>");
        section(&mut page, judged, Section::Cells);
    }
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

/// The name of a metric with its definition to point at.
fn row_head(report: &Report, key: &str, arrow: &str) -> String {
    format!("<td title=\"{}\">{}{arrow}</td>", escaped(report.definition(key)), escaped(report.label(key)))
}

/// Metrics as rows, methods as columns: a page is higher than wide. `judged` is not empty.
fn fits(page: &mut String, judged: &[Judged]) {
    let report = &judged[0].report;
    let all = methods(judged);
    page.push_str("<div class=\"scroll\"><table><tr><th></th>");
    for one in &all {
        let class = if one.method.baseline { "" } else { " class=\"model\"" };
        let _ = write!(page, "<th{class} title=\"{}\">{}</th>", escaped(&one.method.definition), escaped(&one.name));
    }
    let ceiling = report.fits.ceiling.as_ref();
    if ceiling.is_some() {
        let definition = report.definition("ceiling");
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
        let whole = all.iter().filter(|one| one.covers_all);
        let values = whole.filter_map(|one| (metric.value)(&one.method.effects));
        let best = values.max_by(|a, b| (sign * a).total_cmp(&(sign * b)));
        let _ = write!(page, "<tr>{}", row_head(report, metric.key, if metric.higher_is_better { " ↑" } else { " ↓" }));
        for one in &all {
            let value = (metric.value)(&one.method.effects);
            let text = number(value, 3);
            let text = if value.is_some() && value == best && one.covers_all { format!("<b>{text}</b>") } else { text };
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
    page.push_str("</table></div>");
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

/// The tables about something, of each model.
fn section(page: &mut String, judged: &[Judged], section: Section) {
    for one in judged {
        for table in tables(&one.report).iter().filter(|table| table.section == section) {
            let of = if judged.len() > 1 { format!(": {}", one.name) } else { String::new() };
            let title = format!("{}{of}", table.title);
            let _ = match table.long {
                true => write!(page, "<details><summary>{}</summary>", escaped(&title)),
                false => write!(page, "<h3>{}</h3>", escaped(&title)),
            };
            placed(page, &one.report, table);
            if !table.note.is_empty() {
                let _ = write!(page, "<p class=\"weak\">{}</p>", escaped(&table.note));
            }
            page.push_str(if table.long { "</details>" } else { "" });
        }
    }
}

fn placed(page: &mut String, report: &Report, table: &ReportTable) {
    page.push_str("<div class=\"scroll\"><table><tr>");
    for head in &table.header {
        let definition = match head.metric {
            "" => String::new(),
            metric => format!(" title=\"{}\"", escaped(report.definition(metric))),
        };
        let _ = write!(page, "<th{definition}>{}</th>", escaped(head.title));
    }
    page.push_str("</tr>");
    for row in &table.rows {
        page.push_str("<tr>");
        for cell in row {
            let _ = write!(page, "<td>{}</td>", escaped(cell));
        }
        page.push_str("</tr>");
    }
    page.push_str("</table></div>");
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
    for (title, baselines) in [
        ("What the baselines of predicted shifts are", &shift_baselines()[..]),
        ("What the baselines of the network are", &network_baselines()[..]),
    ] {
        let _ = write!(page, "<details><summary>{title}</summary><dl>");
        for (name, definition) in baselines {
            let _ = write!(page, "<dt>{}</dt><dd>{}</dd>", escaped(name), escaped(definition));
        }
        page.push_str("</dl></details>");
    }
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

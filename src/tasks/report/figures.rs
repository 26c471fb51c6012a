//! The figures of a report.

use std::collections::HashMap;

use super::{Judged, JudgedMethod, methods};
use crate::evaluation::effects::METRICS;
use crate::evaluation::report::{DistanceRow, FitRow, NetworkPoint, NetworkScore, Report};
use crate::figures::Figure;
use crate::figures::axes::Scale;
use crate::figures::evaluation::{Curve, CurvesFigure, Guide, ScaleFigure, ScaledMetric, Tone};
use crate::figures::response::{ScatterFigure, ScatterPoint};

/// A figure with its place in the report.
pub struct ReportFigure {
    /// For file names: `scale`, `false-omission`.
    pub key: &'static str,
    /// What it shows, for people.
    pub title: &'static str,
    /// How to read it.
    pub caption: String,
    /// What is drawn.
    pub figure: Box<dyn Figure + Send + Sync>,
    /// Width over height that suits it.
    pub aspect: f32,
    /// Height in points where it needs just that, whatever its width.
    pub height: Option<f32>,
    /// Whether it takes the whole width of a page rather than a half.
    pub wide: bool,
}

/// Width in points for which the scale's height is chosen.
const WIDE: f32 = 520.0;

/// All figures for which `judged` has the numbers, in letters of `text_size` points.
pub fn figures(judged: &[Judged], text_size: f32) -> Vec<ReportFigure> {
    let mut found = Vec::new();
    found.extend(scale(judged, text_size));
    found.extend(fit_per_perturbation(judged, text_size));
    found.extend(precision_recall(judged, text_size));
    found.extend(network_curves(judged, text_size));
    found.extend(distances(judged, text_size));
    found.extend(edge_calibration(judged, text_size));
    found.extend(intervals(judged, text_size));
    found.extend(discoveries(judged, text_size));
    found
}

fn scale(judged: &[Judged], text_size: f32) -> Option<ReportFigure> {
    let mut methods = methods(judged);
    methods.retain(|one| !one.method.scaled.is_empty());
    let report = &judged.first()?.report;
    let row = |key: &str| ScaledMetric {
        label: report.label(key).to_owned(),
        definition: report.definition(key).to_owned(),
        values: methods.iter().map(|one| one.method.scaled.get(key).map(|&value| value as f32)).collect(),
    };
    let metrics: Vec<ScaledMetric> =
        METRICS.iter().map(|metric| row(metric.key)).filter(|row| row.values.iter().any(Option::is_some)).collect();
    if metrics.is_empty() {
        return None;
    }
    let splits = report.fits.ceiling.as_ref().map_or(0, |ceiling| ceiling.splits);
    let figure = ScaleFigure {
        title: String::new(),
        methods: methods.iter().map(|one| (one.name.clone(), one.tone)).collect(),
        metrics,
        ends: ["training mean".into(), "replicate".into()],
        text_size,
    };
    Some(ReportFigure {
        key: "scale",
        title: "All metrics on one scale",
        caption: format!(
            "0 is the mean of all training perturbations, 1 what half of the cells tell of the other half (mean of {splits} splits). \
             Further right is better in every row; arrow heads lie beyond the border. Metrics in which the replicate is no better than \
             the training mean, and methods that cover fewer perturbations, have no such scale and are left out."
        ),
        aspect: WIDE / figure.height(WIDE),
        height: Some(figure.height(WIDE)),
        figure: Box::new(figure),
        wide: true,
    })
}

/// The baseline that a model is held against, perturbation by perturbation: what the training cells of the same one say where it was
/// seen, else the mean of all.
fn opponent(judged: &Judged) -> Option<&str> {
    let covers = |name: &&str| judged.report.fits.methods.iter().any(|method| method.method == **name);
    ["Same-perturbation mean", "Training mean"].into_iter().find(covers)
}

/// The fits of one method.
fn rows<'a>(report: &'a Report, method: &'a str) -> impl Iterator<Item = &'a FitRow> {
    report.per_perturbation.iter().filter(move |row| row.method == method)
}

fn fit_per_perturbation(judged: &[Judged], text_size: f32) -> Option<ReportFigure> {
    let first = judged.first()?;
    let model = first.report.fits.model()?.method.as_str();
    let opponent = opponent(first)?;
    let theirs: HashMap<&str, &FitRow> =
        rows(&first.report, opponent).map(|row| (row.fit.perturbation.as_str(), row)).collect();
    let point = |row: &FitRow| {
        let other = theirs.get(row.fit.perturbation.as_str())?;
        Some(ScatterPoint {
            x: other.fit.pearson? as f32,
            y: row.fit.pearson? as f32,
            half_width: None,
            label: row.fit.perturbation.clone(),
            highlighted: false,
        })
    };
    let points: Vec<ScatterPoint> = rows(&first.report, model).filter_map(point).collect();
    if points.is_empty() {
        return None;
    }
    let better = points.iter().filter(|point| point.y > point.x).count();
    let statistics = vec![format!("model better: {better} of {}", points.len())];
    let figure = ScatterFigure {
        title: String::new(),
        x_label: format!("Pearson-Δ of {}", opponent.to_lowercase()),
        y_label: "Pearson-Δ of the model".into(),
        x_name: "baseline".into(),
        y_name: "model".into(),
        points,
        statistics,
        labels: 8,
        text_size,
    };
    Some(ReportFigure {
        key: "fit-per-perturbation",
        title: "Fit of each perturbation",
        caption: format!(
            "Pearson's r over genes between predicted and observed shifts: above the line the model is nearer to the \
             measurement than the baseline ({})",
            opponent.to_lowercase()
        ),
        figure: Box::new(figure),
        aspect: 1.0,
        height: None,
        wide: false,
    })
}

fn precision_recall(judged: &[Judged], text_size: f32) -> Option<ReportFigure> {
    let density = judged.iter().find_map(|one| one.report.gold_standard.as_ref()?.density)?;
    let curves = ranked(judged, |report| {
        let scores = report.gold_standard.iter().flat_map(|gold| &gold.methods);
        let points = |score: &NetworkScore| -> Vec<[f32; 2]> {
            score.curve.iter().map(|point| [point.recall as f32, point.precision as f32]).collect()
        };
        scores.map(|score| (score.method.clone(), points(score))).collect()
    });
    (!curves.is_empty()).then(|| ReportFigure {
        key: "precision-recall",
        title: "Known edges found",
        caption: "Share of known edges among the best edges (precision) against the share of all known edges that are among them (recall). \
                  A random order stays at the dashed line"
            .into(),
        figure: Box::new(CurvesFigure {
            x_label: "Recall".into(),
            y_label: "Precision".into(),
            bounds: [Some([0.0, 1.0]), Some([0.0, 1.0])],
            curves,
            guide: Some(Guide::Level(density as f32, "chance".into())),
            text_size,
            ..CurvesFigure::default()
        }),
        aspect: 1.35,
        height: None,
        wide: false,
    })
}

fn distances(judged: &[Judged], text_size: f32) -> Option<ReportFigure> {
    let found = judged.first()?.report.distances.as_ref()?;
    let point = |row: &DistanceRow| {
        let generated = row.generated?;
        Some(ScatterPoint {
            x: row.e_distance as f32,
            y: generated.e_distance as f32,
            half_width: None,
            label: row.perturbation.clone(),
            highlighted: false,
        })
    };
    let points: Vec<ScatterPoint> = found.rows.iter().filter_map(point).collect();
    if points.is_empty() {
        return None;
    }
    let nearer = points.iter().filter(|point| point.y < point.x).count();
    let statistics = vec![format!("generated nearer: {nearer} of {}", points.len())];
    let figure = ScatterFigure {
        x_label: "E-distance from control cells".into(),
        y_label: "E-distance from generated cells".into(),
        x_name: "from control".into(),
        y_name: "from generated".into(),
        points,
        statistics,
        labels: 8,
        text_size,
        ..ScatterFigure::default()
    };
    Some(ReportFigure {
        key: "distances",
        title: "Generated cells",
        caption: format!(
            "E-distance (squared Euclidean in {} principal components) of each perturbation's cells from control cells and from cells \
             that the model generates: below the line the generated ones are nearer than control cells are",
            found.components
        ),
        figure: Box::new(figure),
        aspect: 1.0,
        height: None,
        wide: false,
    })
}

/// Curves of rankings, of the model of every report and of the first report's other rankings.
fn ranked(judged: &[Judged], of: impl Fn(&Report) -> Vec<(String, Vec<[f32; 2]>)>) -> Vec<Curve> {
    let mut curves: Vec<Curve> = Vec::new();
    let mut others = 0;
    for (at, one) in judged.iter().enumerate() {
        let model = one.report.fits.model().map(|method| method.method.as_str());
        for (name, points) in of(&one.report) {
            let is_model = Some(name.as_str()) == model;
            if at > 0 && !is_model {
                continue;
            }
            let tone = if is_model && at == 0 {
                Tone::Model
            } else {
                others += 1;
                Tone::Other(others - 1)
            };
            let name = if is_model && judged.len() > 1 { one.name.clone() } else { name };
            curves.push(Curve { name, tone, points });
        }
    }
    curves.retain(|curve| !curve.points.is_empty());
    curves
}

/// A number of each point of the network tests, by method.
fn by_size(report: &Report, value: fn(&NetworkPoint) -> Option<f64>) -> Vec<(String, Vec<[f32; 2]>)> {
    let mut found: Vec<(String, Vec<[f32; 2]>)> = Vec::new();
    for point in report.network_tests.iter().flat_map(|tests| &tests.points) {
        let at = found.iter().position(|(method, _)| *method == point.method).unwrap_or_else(|| {
            found.push((point.method.clone(), Vec::new()));
            found.len() - 1
        });
        found[at].1.extend(value(point).map(|value| [point.edges as f32, value as f32]));
    }
    found
}

fn network_curves(judged: &[Judged], text_size: f32) -> Vec<ReportFigure> {
    type Value = fn(&NetworkPoint) -> Option<f64>;
    let responding: Value = |point| {
        let tested = point.test.true_positives + point.test.false_positives;
        (tested > 0).then(|| point.test.true_positives as f64 / tested as f64)
    };
    let kinds: [(&str, &str, &str, &str, Value); 3] = [
        (
            "responding-edges",
            "Responding edges",
            "Share with p < 0.05",
            "Share of the best edges whose target differs between control cells and cells whose regulator was perturbed (Mann–Whitney, \
             p < 0.05), in the evaluated cells. Higher is better; chance alone gives 0.05 where nothing responds",
            responding,
        ),
        (
            "wasserstein",
            "Strength of the best edges",
            "Mean Wasserstein distance",
            "Mean Wasserstein-1 distance of the target between the same two groups of cells. Higher is better",
            |point| point.test.mean_wasserstein,
        ),
        (
            "false-omission",
            "What the network misses",
            "False omission rate",
            "Share with p < 0.05 among random testable pairs that no path of the best edges connects. Lower is better",
            |point| point.false_omission_rate,
        ),
    ];
    let figure = |(key, title, y_label, caption, value): (_, _, &str, &str, Value)| {
        let curves = ranked(judged, |report| by_size(report, value));
        (!curves.is_empty()).then(|| ReportFigure {
            key,
            title,
            caption: caption.to_owned(),
            figure: Box::new(CurvesFigure {
                x_label: "Edges kept, best first".into(),
                y_label: y_label.into(),
                x_scale: Scale::Logarithmic,
                curves,
                dots: true,
                text_size,
                ..CurvesFigure::default()
            }),
            aspect: 1.35,
            height: None,
            wide: false,
        })
    };
    kinds.into_iter().filter_map(figure).collect()
}

/// Curves that should follow the diagonal.
fn diagonal(labels: [&str; 2], bounds: [Option<[f32; 2]>; 2], curves: Vec<Curve>, text_size: f32) -> CurvesFigure {
    CurvesFigure {
        x_label: labels[0].to_owned(),
        y_label: labels[1].to_owned(),
        bounds,
        curves,
        dots: true,
        guide: Some(Guide::Diagonal),
        text_size,
        ..CurvesFigure::default()
    }
}

/// The models of all reports with their tones.
fn models(judged: &[Judged]) -> Vec<JudgedMethod<'_>> {
    methods(judged).into_iter().filter(|method| !method.method.baseline).collect()
}

fn edge_calibration(judged: &[Judged], text_size: f32) -> Option<ReportFigure> {
    let mut curves = Vec::new();
    let mut truth = false;
    for model in models(judged) {
        let Some(found) = &judged[model.report].report.edge_calibration else { continue };
        let points = |value: fn(&crate::evaluation::report::EdgeBin) -> Option<f64>| -> Vec<[f32; 2]> {
            let bins = found.bins.iter();
            bins.filter_map(|bin| Some([bin.mean_probability as f32, value(bin)? as f32])).collect()
        };
        let several = judged.len() > 1;
        let name = |what: &str| if several { format!("{what}, {}", model.name) } else { what.to_owned() };
        curves.push(Curve { name: name("responding"), tone: model.tone, points: points(|bin| Some(bin.significant)) });
        let known = points(|bin| bin.known);
        if !known.is_empty() {
            truth = true;
            let tone = if several { model.tone } else { Tone::Measured };
            curves.push(Curve { name: name("known edges"), tone, points: known });
        }
    }
    if curves.is_empty() {
        return None;
    }
    let known = if truth { " and the share that are known edges" } else { "" };
    let caption = format!(
        "Edges in ten bins of equal width, by probability: the share that responds in the evaluated cells (p < 0.05){known}. It should \
             rise with the probability; on the dashed line it equals it"
    );
    let figure =
        diagonal(["Mean probability", "Share of edges"], [Some([0.0, 1.0]), Some([0.0, 1.0])], curves, text_size);
    Some(ReportFigure {
        key: "edge-calibration",
        title: "Probabilities of edges",
        caption,
        figure: Box::new(figure),
        aspect: 1.2,
        height: None,
        wide: false,
    })
}

fn intervals(judged: &[Judged], text_size: f32) -> Option<ReportFigure> {
    let mut curves = Vec::new();
    let mut judged_on = "";
    for model in models(judged) {
        let Some(found) = &judged[model.report].report.calibration else { continue };
        judged_on = &found.judged_on;
        let points = |value: fn(&crate::evaluation::calibration::CoveragePoint) -> f64| -> Vec<[f32; 2]> {
            found.points.iter().map(|point| [point.level as f32, value(point) as f32]).collect()
        };
        let several = judged.len() > 1;
        let name = |what: &str| if several { format!("{what}, {}", model.name) } else { what.to_owned() };
        curves.push(Curve { name: name("with noise"), tone: model.tone, points: points(|at| at.coverage_with_noise) });
        if !several {
            curves.push(Curve { name: "alone".into(), tone: Tone::Other(0), points: points(|at| at.coverage) });
            curves.push(Curve { name: "top 20".into(), tone: Tone::Other(1), points: points(|at| at.coverage_top_20) });
        }
    }
    if curves.is_empty() {
        return None;
    }
    let caption = format!(
        "Share of observed shifts within the interval of each level, of {judged_on}: on the dashed line intervals hold what they \
             promise. \"With noise\" widens them by the standard error of the measurement, \"top 20\" takes each perturbation's largest \
             shifts alone"
    );
    let figure =
        diagonal(["Level of the interval", "Share within"], [Some([0.0, 1.0]), Some([0.0, 1.0])], curves, text_size);
    Some(ReportFigure {
        key: "interval-calibration",
        title: "Intervals of the ensemble",
        caption,
        figure: Box::new(figure),
        aspect: 1.2,
        height: None,
        wide: false,
    })
}

fn discoveries(judged: &[Judged], text_size: f32) -> Option<ReportFigure> {
    let curve = |model: JudgedMethod<'_>| {
        let found = judged[model.report].report.discoveries.as_ref()?;
        let points = found.levels.iter().filter_map(|level| Some([level.rate as f32, level.unreachable? as f32]));
        Some(Curve { name: model.name, tone: model.tone, points: points.collect() })
    };
    let curves: Vec<Curve> =
        models(judged).into_iter().filter_map(curve).filter(|curve| !curve.points.is_empty()).collect();
    if curves.is_empty() {
        return None;
    }
    let caption = "Share of the edges up to a false discovery rate whose target no path of known edges leads to: below the dashed line the \
                  rate is kept".to_owned();
    let figure =
        diagonal(["False discovery rate told", "Share without a path"], [Some([0.0, 0.25]), None], curves, text_size);
    Some(ReportFigure {
        key: "false-discovery",
        title: "False discovery rates of edges",
        caption,
        figure: Box::new(figure),
        aspect: 1.2,
        height: None,
        wide: false,
    })
}

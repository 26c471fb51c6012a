//! `figure`: a drawing of a model, or the figure page of a session.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use serde_json::json;

use super::console::Console;
use super::edges::EdgeArgs;
use super::failure::UsageError;
use super::import::{self, ImportArgs};
use super::output;
use super::predict::intervention;
use crate::data::ImportOptions;
use crate::document::{ComparedWith, Comparing, Document, FileReference, Layout, PagePanel};
use crate::figures::response::{HeatMapOptions, HeatMapShifts, MOST_IN_HEAT_MAP};
use crate::figures::{ExportOptions, Format, ThemeName, export};
use crate::layout::Method;
use crate::network::filter::first_view;
use crate::session;
use crate::tasks::compare;
use crate::tasks::figure::{self, FigureRequest, View, write};
use crate::tasks::networks::{self, OpenedNetwork};
use crate::tasks::open::{self, FileKind};

/// Draw a figure of a model, a network file or a session
#[derive(Debug, Args)]
pub struct DrawFigure {
    /// Trained model, network file (table of edges, SIF, GraphML, GEXF, CX2, DOT, JSON), or session of the window
    model: PathBuf,
    /// What to draw: the figure page (as the session has it), the network, predicted against measured response, what
    /// moves a gene, the largest effects of a knock-out, genetic interactions, the course of the training, a heat map of all
    /// perturbations; and of the cells in --data those of a perturbation, one gene in them, or a volcano or MA plot
    #[arg(long, default_value = "page", value_parser = ["page", "network", "response", "movers", "effects", "interactions",
        "training", "heat-map", "cells", "gene-cells", "volcano", "ma"])]
    view: String,
    /// File to write; its ending decides the format (.svg, .pdf, .png)
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Data set that the model was trained on, for the views of its cells and of interactions (predicted only without it); read
    /// as its file of choices says
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// Perturbation of the response view (all together without it) and of the views of cells, or pair (JAK2+STAT1) of the
    /// interactions view
    #[arg(long, value_name = "NAME")]
    perturbation: Option<String>,
    /// Gene of the movers view and of the view of one gene's cells
    #[arg(long, value_name = "GENE")]
    gene: Option<String>,
    /// Every two of the perturbed genes in the interactions view, not only those perturbed together
    #[arg(long)]
    all_pairs: bool,
    /// Shifts of the heat map
    #[arg(long, value_parser = ["both", "observed", "predicted"])]
    shifts: Option<String>,
    /// Genes of the heat map, those that vary most; 50 by default
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(2..=MOST_IN_HEAT_MAP as i64))]
    genes: Option<u16>,
    /// Perturbations of the heat map, those with the largest shifts; 60 by default
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(2..=MOST_IN_HEAT_MAP as i64))]
    perturbations: Option<u16>,
    /// Genes to perturb: colours the network, or is what the effects view shows
    #[arg(long, value_name = "GENE[,GENE2]", value_delimiter = ',')]
    knock_out: Vec<String>,
    /// Of the knock-out, show the cells that respond alone, without those that escaped it
    #[arg(long, requires = "knock_out")]
    responding: bool,
    /// Another model or network file to draw beside it, in one layout
    #[arg(long, value_name = "FILE")]
    compare: Option<PathBuf>,
    /// Draw both networks of --compare one over the other instead of side by side
    #[arg(long, requires = "compare")]
    overlaid: bool,
    /// Genes to point out
    #[arg(long, value_name = "GENE[,GENE2]", value_delimiter = ',')]
    highlight: Vec<String>,
    /// Which edges of the network; a readable number by default.
    #[command(flatten)]
    edges: EdgeArgs,
    /// Colours; paper, or what the session says
    #[arg(long, value_parser = ["paper", "light", "dark"])]
    theme: Option<String>,
    /// Width in millimetres; 180, or what the session says
    #[arg(long, value_name = "MM")]
    width: Option<f32>,
    /// Width over height
    #[arg(long, value_name = "RATIO")]
    aspect: Option<f32>,
    /// Pixels an inch of a PNG
    #[arg(long, default_value_t = 300.0)]
    dpi: f32,
    /// Font size in points; 7, or what the session says
    #[arg(long, value_name = "POINTS")]
    text_size: Option<f32>,
    /// Leave the background out
    #[arg(long)]
    transparent: bool,
    /// How the network is laid out: by forces, in layers from regulators to targets, on a circle, with communities
    /// apart, or in rings around a gene; by forces, or what the session says
    #[arg(long, value_parser = ["force", "layers", "circle", "communities", "rings"])]
    layout: Option<String>,
    /// Gene in the middle of the rings; the one with most edges by default
    #[arg(long, value_name = "GENE")]
    centre: Option<String>,
    /// Seed of the network's layout
    #[arg(long, value_name = "N")]
    layout_seed: Option<u64>,
}

impl DrawFigure {
    pub(super) fn run(self, console: &Console) -> anyhow::Result<()> {
        let usage = |error: &dyn std::fmt::Display| UsageError(error.to_string());
        Format::of(&self.output).map_err(|error| usage(&error))?;
        if self.view == "page" {
            for (option, given) in [("--aspect", self.aspect.is_some()), ("--layout-seed", self.layout_seed.is_some())]
            {
                if given {
                    let text = format!("{option} is for a single view, not for the figure page; add --view network");
                    return Err(UsageError(text).into());
                }
            }
            return self.page(console);
        }
        if self.compare.is_some() {
            return Err(UsageError("--compare draws the figure page; leave --view out".to_owned()).into());
        }
        let width = self.width.unwrap_or(180.0);
        let options = ExportOptions::new(width, self.dpi, self.transparent).map_err(|error| usage(&error))?;
        let mut request = self.request()?;
        output::check(&self.output)?;
        output::distinct(&self.output, &[&self.model])?;
        let (opened, hash) = read(&self.model, console)?;
        self.edges.check(&opened.grn)?;
        if let Some(path) = &self.data {
            let decisions = ImportArgs::default().decide(path, ImportOptions::default())?;
            request.dataset = Some(import::dataset_for(opened.need_model()?, path, &decisions, console)?);
        }
        match request.filter.as_mut() {
            None => request.filter = Some(first(&opened).filter),
            Some(filter) if !filter.limits_number() => filter.top = first_view(&opened.grn).top,
            Some(_) => {}
        }
        write(&opened, &hash, &request, &options, &self.output, console)
            .with_context(|| format!("cannot draw {}", self.model.display()))?;
        let result = json!({ "model": self.model, "view": self.view, "output": self.output });
        console.result(&result, || format!("Wrote {}", self.output.display()))
    }

    /// The figure page: of a session as the window shows it, of a model or network file as a session begins.
    fn page(&self, console: &Console) -> anyhow::Result<()> {
        output::check(&self.output)?;
        let inputs: Vec<&Path> = [&self.model].into_iter().chain(&self.compare).map(PathBuf::as_path).collect();
        output::distinct(&self.output, &inputs)?;
        let cannot = || format!("cannot draw {}", self.model.display());
        let is_session = open::kind_of(&self.model).ok() == Some(FileKind::Session);
        let mut document =
            if is_session { session::load(&self.model).with_context(cannot)? } else { Document::default() };
        let kept = document.sources.model.clone().or(document.sources.network.clone());
        let path = match &kept {
            Some(file) => file.path.clone(),
            None if is_session => {
                anyhow::bail!("{}: the session has no model; train one and save the session again", cannot())
            }
            None => self.model.clone(),
        };
        let (opened, hash) = read(&path, console)?;
        if let Some(file) = kept.filter(|file| file.hash != hash) {
            let what = if opened.model.is_some() { "model" } else { "network" };
            console
                .tell(&format!("warning: {} is another {what} than when the session was saved", file.path.display()));
        }
        if !is_session {
            let first = first(&opened);
            document = Document { training: document.training, ..first };
        }
        let file = Some(FileReference { path, hash });
        match opened.model {
            Some(_) => document.sources.model = file,
            None => document.sources.network = file,
        }
        self.change(&mut document, &opened)?;
        let other = self.other(&mut document, is_session, console)?;
        let usage = |error: &dyn std::fmt::Display| UsageError(error.to_string());
        let options = ExportOptions::new(document.page.width_mm, self.dpi, self.transparent);
        let options = options.map_err(|error| usage(&error))?;
        let asked = document.intervention();
        let effect = asked.map(|asked| Ok::<_, anyhow::Error>(opened.need_model()?.predict(&asked, console)?));
        let effect = effect.transpose()?;
        let drawn = figure::page(&document, &opened, other.as_ref(), effect.as_ref(), console).with_context(cannot)?;
        for (panel, reason) in &drawn.left_out {
            console.tell(&format!("warning: the panel {} is left out: {reason}", panel.label().to_lowercase()));
        }
        export::write(&drawn.scene, &drawn.metadata, &options, &self.output)?;
        let result = json!({ "model": self.model, "view": self.view, "output": self.output });
        console.result(&result, || format!("Wrote {}", self.output.display()))
    }

    /// The network to compare with: what --compare names, or what the session has.
    fn other(
        &self,
        document: &mut Document,
        is_session: bool,
        console: &Console,
    ) -> anyhow::Result<Option<OpenedNetwork>> {
        if let Some(path) = &self.compare {
            let (other, hash) = read(path, console)?;
            document.sources.compared = Some(FileReference { path: path.clone(), hash });
            let comparing = document.comparing.unwrap_or(Comparing::with(ComparedWith::File));
            document.comparing = Some(Comparing { with: ComparedWith::File, overlaid: self.overlaid, ..comparing });
            let panels = &mut document.page.panels;
            if !is_session {
                *panels = vec![PagePanel::Comparison];
                document.page.columns = 1;
            } else if !panels.contains(&PagePanel::Comparison) {
                panels.push(PagePanel::Comparison);
            }
            return Ok(Some(other));
        }
        if !document.page.panels.contains(&PagePanel::Comparison) || document.comparing.is_none() {
            return Ok(None);
        }
        match compare::other(document, console) {
            Ok(other) => Ok(Some(other)),
            Err(error) => {
                // The panel is left out, as in the window.
                console.tell(&format!("warning: {error:#}"));
                Ok(None)
            }
        }
    }

    /// What the options say goes before what the session says.
    fn change(&self, document: &mut Document, opened: &OpenedNetwork) -> anyhow::Result<()> {
        if let Some(mut filter) = self.edges.filter()? {
            self.edges.check(&opened.grn)?;
            if !filter.limits_number() {
                filter.top = first_view(&opened.grn).top;
            }
            document.filter = filter;
        }
        let request = self.request()?;
        if let Some(knock_out) = request.knock_out {
            document.knock_out = knock_out.doses().iter().cloned().collect();
            document.asked_cells = knock_out.cells();
        }
        if !self.highlight.is_empty() {
            document.selection.clone_from(&self.highlight);
        }
        if self.layout.is_some() {
            // Where the genes were is of another layout.
            document.layout = request.layout;
            document.positions = std::sync::Arc::default();
            document.pinned.clear();
        }
        let page = &mut document.page;
        page.perturbation = request.perturbation.or(page.perturbation.take());
        page.heat_map = self.heat_map(page.heat_map);
        page.width_mm = self.width.unwrap_or(page.width_mm);
        page.text_size = self.text_size.unwrap_or(page.text_size);
        if self.theme.is_some() {
            page.theme = request.theme;
        }
        Ok(())
    }

    /// Whether what views of cells need is there, and nothing that others do not take.
    fn check_cells(&self, view: View) -> Result<(), UsageError> {
        let of_cells = matches!(view, View::Cells | View::GeneCells | View::Volcano | View::MeanChange);
        let needs = [("--data FILE", self.data.is_some()), ("--perturbation NAME", self.perturbation.is_some())];
        for (option, given) in needs {
            if of_cells && !given {
                return Err(UsageError(format!("the {} view needs {option}", self.view)));
            }
        }
        if self.data.is_some() && !of_cells && view != View::Interactions {
            return Err(UsageError("--data is for --view cells, gene-cells, volcano, ma or interactions".to_owned()));
        }
        let of_map = [
            ("--shifts", self.shifts.is_some()),
            ("--genes", self.genes.is_some()),
            ("--perturbations", self.perturbations.is_some()),
        ];
        let may_have_one = view == View::HeatMap || self.view == "page";
        match of_map.into_iter().find(|(_, given)| *given && !may_have_one) {
            Some((option, _)) => Err(UsageError(format!("{option} is for --view heat-map, or a page that has one"))),
            None => Ok(()),
        }
    }

    /// What the options say goes before the `usual`.
    fn heat_map(&self, usual: HeatMapOptions) -> HeatMapOptions {
        HeatMapOptions {
            shifts: match self.shifts.as_deref() {
                Some("observed") => HeatMapShifts::Observed,
                Some("predicted") => HeatMapShifts::Predicted,
                Some(_) => HeatMapShifts::Both,
                None => usual.shifts,
            },
            genes: self.genes.map_or(usual.genes, usize::from),
            perturbations: self.perturbations.map_or(usual.perturbations, usize::from),
        }
    }

    fn request(&self) -> anyhow::Result<FigureRequest> {
        let view = match self.view.as_str() {
            "network" => View::Network,
            "response" => View::Response,
            "movers" => View::Movers,
            "effects" => View::Effects,
            "interactions" => View::Interactions,
            "heat-map" => View::HeatMap,
            "cells" => View::Cells,
            "gene-cells" => View::GeneCells,
            "volcano" => View::Volcano,
            "ma" => View::MeanChange,
            _ => View::Training,
        };
        match (&self.gene, view) {
            (None, View::Movers | View::GeneCells) => {
                return Err(UsageError(format!("the {} view needs --gene GENE", self.view)).into());
            }
            (Some(_), View::Movers | View::GeneCells) | (None, _) => {}
            (Some(_), _) => return Err(UsageError("--gene is for --view movers or gene-cells".to_owned()).into()),
        }
        if self.all_pairs && view != View::Interactions {
            return Err(UsageError("--all-pairs is for --view interactions".to_owned()).into());
        }
        self.check_cells(view)?;
        if view == View::Effects && self.knock_out.is_empty() {
            return Err(UsageError("the effects view needs --knock-out GENE".to_owned()).into());
        }
        for (name, value, least, most) in [
            ("--aspect", self.aspect.unwrap_or(1.0), 0.2, 5.0),
            ("--text-size", self.text_size.unwrap_or(7.0), 2.0, 40.0),
        ] {
            if !(least..=most).contains(&value) {
                return Err(UsageError(format!("{name} is {value}, but must be between {least} and {most}")).into());
            }
        }
        let method = match self.layout.as_deref() {
            Some("layers") => Method::Layered,
            Some("circle") => Method::Circular,
            Some("communities") => Method::Communities,
            Some("rings") => Method::Concentric,
            _ => Method::Force,
        };
        if self.centre.is_some() && method != Method::Concentric {
            return Err(UsageError("--centre GENE needs --layout rings".to_owned()).into());
        }
        let usual = FigureRequest::new(view);
        Ok(FigureRequest {
            filter: self.edges.filter()?,
            perturbation: self.perturbation.clone(),
            heat_map: self.heat_map(HeatMapOptions::default()),
            gene: self.gene.clone(),
            all_pairs: self.all_pairs,
            knock_out: (!self.knock_out.is_empty())
                .then(|| intervention(&self.knock_out, self.responding))
                .transpose()?,
            highlight: self.highlight.clone(),
            theme: match self.theme.as_deref() {
                Some("light") => ThemeName::Light,
                Some("dark") => ThemeName::Dark,
                _ => ThemeName::Paper,
            },
            aspect: self.aspect,
            text_size: self.text_size.unwrap_or(usual.text_size),
            layout: Layout { method, centre: self.centre.clone(), ..Layout::default() },
            seed: self.layout_seed.unwrap_or(usual.seed),
            ..usual
        })
    }
}

/// The network in `path`, of a model or a network file, and the hash of its bytes.
fn read(path: &Path, console: &Console) -> anyhow::Result<(OpenedNetwork, String)> {
    let opened = || anyhow::Ok((networks::open(path, console)?, open::model_reference(path)?.hash));
    let (opened, hash) = opened().with_context(|| format!("cannot open {}", path.display()))?;
    if opened.model.is_none() {
        opened.notes.iter().for_each(|note| console.tell(&format!("{}: {note}", path.display())));
    }
    Ok((opened, hash))
}

/// The document that the window begins with.
fn first(opened: &OpenedNetwork) -> Document {
    let mut document = Document::default();
    opened.begin(&mut document);
    document
}

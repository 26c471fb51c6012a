//! `figure`: a drawing of a model.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use serde_json::json;

use super::console::Console;
use super::edges::EdgeArgs;
use super::failure::UsageError;
use super::predict::intervention;
use super::{import, output};
use crate::document::Layout;
use crate::figures::{ExportOptions, Format, ThemeName};
use crate::layout::Method;
use crate::network::filter::first_view;
use crate::tasks::figure::{FigureRequest, View, write};

/// Draw a figure of a model.
#[derive(Debug, Args)]
pub struct DrawFigure {
    /// Trained model
    model: PathBuf,
    /// What to draw: the network, predicted against measured response, the largest effects of a knock-out, or the
    /// course of the training
    #[arg(long, value_parser = ["network", "response", "effects", "training"])]
    view: String,
    /// File to write; its ending decides the format (.svg, .pdf, .png)
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Perturbation of the response view; all together without it
    #[arg(long, value_name = "NAME")]
    perturbation: Option<String>,
    /// Genes to perturb: colours the network, or is what the effects view shows
    #[arg(long, value_name = "GENE[,GENE2]", value_delimiter = ',')]
    knock_out: Vec<String>,
    /// Genes to point out
    #[arg(long, value_name = "GENE[,GENE2]", value_delimiter = ',')]
    highlight: Vec<String>,
    /// Which edges of the network; a readable number by default.
    #[command(flatten)]
    edges: EdgeArgs,
    /// Colours
    #[arg(long, default_value = "paper", value_parser = ["paper", "light", "dark"])]
    theme: String,
    /// Width in millimetres
    #[arg(long, value_name = "MM", default_value_t = 180.0)]
    width: f32,
    /// Width over height
    #[arg(long, value_name = "RATIO")]
    aspect: Option<f32>,
    /// Pixels an inch of a PNG
    #[arg(long, default_value_t = 300.0)]
    dpi: f32,
    /// Font size in points
    #[arg(long, value_name = "POINTS", default_value_t = 7.0)]
    text_size: f32,
    /// Leave the background out
    #[arg(long)]
    transparent: bool,
    /// How the network is laid out: by forces, in layers from regulators to targets, on a circle, with communities
    /// apart, or in rings around a gene
    #[arg(long, default_value = "force", value_parser = ["force", "layers", "circle", "communities", "rings"])]
    layout: String,
    /// Gene in the middle of the rings; the one with most edges by default
    #[arg(long, value_name = "GENE")]
    around: Option<String>,
    /// Seed of the network's layout
    #[arg(long, value_name = "N")]
    layout_seed: Option<u64>,
}

impl DrawFigure {
    pub(super) fn run(self, console: &Console) -> anyhow::Result<()> {
        let usage = |error: &dyn std::fmt::Display| UsageError(error.to_string());
        Format::of(&self.output).map_err(|error| usage(&error))?;
        let options = ExportOptions::new(self.width, self.dpi, self.transparent).map_err(|error| usage(&error))?;
        let mut request = self.request()?;
        output::check(&self.output)?;
        output::distinct(&self.output, &[&self.model])?;
        let opened = import::model(&self.model, console)?;
        let grn = opened.model.network();
        self.edges.check(grn)?;
        if let Some(filter) = request.filter.as_mut().filter(|filter| !filter.limits_number()) {
            filter.top = first_view(grn).top;
        }
        write(&opened.model, &opened.hash, &request, &options, &self.output, console)
            .with_context(|| format!("cannot draw {}", self.model.display()))?;
        let result = json!({ "model": self.model, "view": self.view, "output": self.output });
        console.result(&result, || format!("Wrote {}", self.output.display()))
    }

    fn request(&self) -> anyhow::Result<FigureRequest> {
        let view = match self.view.as_str() {
            "network" => View::Network,
            "response" => View::Response,
            "effects" => View::Effects,
            _ => View::Training,
        };
        if view == View::Effects && self.knock_out.is_empty() {
            return Err(UsageError("the effects view needs --knock-out GENE".to_owned()).into());
        }
        for (name, value, least, most) in
            [("--aspect", self.aspect.unwrap_or(1.0), 0.2, 5.0), ("--text-size", self.text_size, 2.0, 40.0)]
        {
            if !(least..=most).contains(&value) {
                return Err(UsageError(format!("{name} is {value}, but must be between {least} and {most}")).into());
            }
        }
        let method = match self.layout.as_str() {
            "layers" => Method::Layered,
            "circle" => Method::Circular,
            "communities" => Method::Communities,
            "rings" => Method::Concentric,
            _ => Method::Force,
        };
        if self.around.is_some() && method != Method::Concentric {
            return Err(UsageError("--around GENE needs --layout rings".to_owned()).into());
        }
        let usual = FigureRequest::new(view);
        Ok(FigureRequest {
            filter: self.edges.filter()?,
            perturbation: self.perturbation.clone(),
            knock_out: (!self.knock_out.is_empty()).then(|| intervention(&self.knock_out)).transpose()?,
            highlight: self.highlight.clone(),
            theme: match self.theme.as_str() {
                "light" => ThemeName::Light,
                "dark" => ThemeName::Dark,
                _ => ThemeName::Paper,
            },
            aspect: self.aspect,
            text_size: self.text_size,
            layout: Layout { method, centre: self.around.clone(), ..Layout::default() },
            seed: self.layout_seed.unwrap_or(usual.seed),
            ..usual
        })
    }
}

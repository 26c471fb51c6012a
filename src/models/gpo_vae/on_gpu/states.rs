//! Basal states: the encoder over cells and partners, draws, divergences of the partners, and the way back.

use candle_core::Result;

use super::effects::Effects;
use super::entering::{BySampled, First};
use super::inputs::Draws;
use super::layers::{Heads, outputs, weight};
use super::normal::DrawnRows;
use super::rooms::{place, run, whole};
use super::{GpuStep, On, term};
use crate::models::gpo_vae::entering::Entering;
use crate::models::nn::gpu::{Array, Grid, Machine};

/// What is drawn, and what the way back needs.
pub(super) struct States {
    /// z, P × B × L.
    pub basal: Array,
    noise: Array,
    entered: Array,
    heads: Heads,
    /// The gradients by the heads; those of the divergences are there already.
    by_heads: Heads,
}

impl<M: Machine> GpuStep<M> {
    fn state_rows(&self, cells: usize, rows: usize) -> DrawnRows {
        DrawnRows { width: self.config.latent, inner: cells, stride: rows, heads: self.config.particles * rows }
    }

    /// Draw the basal states of the cells, which read `read`.
    pub(super) fn states(
        &mut self,
        on: &On<'_>,
        read: Array,
        effects: &Effects,
        draws: &Draws,
        share: f32,
    ) -> Result<States> {
        let (packed, entering) = (on.packed, Entering::encoder(&self.config, self.sizes));
        let (particles, latent) = (self.config.particles, self.config.latent);
        let (cells, rows) = (packed.cells, packed.entering());
        let (net, gradients) = (self.values.basal.clone(), self.gradients.basal.clone());
        let (layer, gradient) = (&net.layers[0], &gradients.layers[0]);
        let into = First { tag: "basal", layer, gradient, entering, rows, by_particle: false };
        let width = outputs(layer);
        let own = self.rooms.room(("basal", "own", 0), (cells + packed.partners) * width)?;
        let of_own = weight(layer).columns(0, entering.own);
        self.rooms.product(own.matrix(width), read.matrix(entering.own), of_own.transposed())?;
        let shared = self.shared(&into, effects)?;
        let entered = self.rooms.room(("basal", "entered", 0), particles * rows * width)?;
        self.enter(on, &into, own, shared, entered)?;
        let heads = self.rooms.heads("basal", &net, entered)?;
        let basal = self.rooms.room(("basal", "states", 0), particles * cells * latent)?;
        let drawn = self.state_rows(cells, rows);
        self.normal_draw(heads, draws.basal, basal, drawn)?;
        let seeds = (on.at(&packed.by_basal), 1);
        self.normal_ratio(heads, (basal, draws.basal), drawn, 1.0, seeds, (term::BASAL, share))?;
        let by_heads = Heads {
            means: self.rooms.room(("basal", "by means", 0), heads.means.len())?,
            logs: self.rooms.room(("basal", "by logs", 0), heads.logs.len())?,
        };
        if packed.partners > 0 {
            let sums = self.rooms.room(("basal", "divergences", 0), particles * packed.partners)?;
            let seed = (self.config.beta / particles as f64) as f32;
            run!(
                self.rooms, "divergence", Grid::rows(sums.len()); heads.means, heads.logs, sums, by_heads.means,
                by_heads.logs, whole(latent), whole(rows), whole(cells), whole(packed.partners),
                u32::from(self.config.exact_kl), seed
            );
            self.add_term(term::COUNTERFACTUAL, sums, None, share * seed)?;
        }
        Ok(States { basal, noise: draws.basal, entered, heads, by_heads })
    }

    /// The way back from the gradient by the states to the parameters of the encoder and, added, to what is drawn for all cells.
    pub(super) fn states_back(
        &mut self,
        on: &On<'_>,
        read: Array,
        effects: &Effects,
        states: &States,
        by_basal: Array,
        by_sampled: BySampled,
    ) -> Result<()> {
        let (packed, entering) = (on.packed, Entering::encoder(&self.config, self.sizes));
        let (cells, rows) = (packed.cells, packed.entering());
        let (net, gradients) = (self.values.basal.clone(), self.gradients.basal.clone());
        let (layer, gradient) = (&net.layers[0], &gradients.layers[0]);
        let into = First { tag: "basal", layer, gradient, entering, rows, by_particle: false };
        let width = outputs(layer);
        let drawn = (states.basal, states.noise, by_basal);
        let seeds = (on.at(&packed.by_basal), 1);
        self.normal_back(states.heads, drawn, states.by_heads, self.state_rows(cells, rows), seeds, 1.0)?;
        let slopes = self.rooms.heads_back("basal", &net, &gradients, states.entered, states.by_heads)?;
        let by_own = self.rooms.room(("basal", "by own", 0), (cells + packed.partners) * width)?;
        run!(
            self.rooms, "own_back", Grid::strides(by_own.len()); slopes, on.at(&packed.partner_of), by_own, whole(width),
            whole(rows), whole(cells), whole(packed.partners), whole(self.config.particles), place(by_own.len())
        );
        let by_own_part = weight(gradient).columns(0, entering.own);
        self.rooms.add_product(by_own_part, by_own.matrix(width).transposed(), read.matrix(entering.own))?;
        self.rooms.column_sums(by_own, gradient.bias)?;
        self.shared_back(on, &into, effects, slopes, by_sampled)
    }
}

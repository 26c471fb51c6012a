//! The decoder, the likelihood of counts, and the way back from it.

use candle_core::{Result, bail};

use super::effects::Effects;
use super::entering::{BySampled, First};
use super::layers::{outputs, weight};
use super::rooms::{place, run, whole};
use super::{GpuStep, On, term};
use crate::models::gpo_vae::entering::Entering;
use crate::models::gpo_vae::variants::GeneEffectsPrior;
use crate::models::nn::gpu::{Array, Grid, Machine};

/// Counts, basal states and what is drawn for all cells: what the decoder reads, and is held to.
#[derive(Clone, Copy)]
pub(super) struct Decoded<'a> {
    pub counts: Array,
    pub basal: Array,
    pub effects: &'a Effects,
}

impl<M: Machine> GpuStep<M> {
    /// The decoder and the likelihood; with `learn` the way back to the basal states, E∘M and U.
    pub(super) fn decode(
        &mut self,
        on: &On<'_>,
        given: Decoded<'_>,
        learn: bool,
        share: f32,
    ) -> Result<Option<(Array, BySampled)>> {
        let Decoded { counts, basal, effects } = given;
        let (packed, particles, genes) = (on.packed, self.config.particles, self.sizes.genes);
        let (cells, entering) = (packed.cells, Entering::decoder(&self.config, self.sizes));
        let (layers, gradients) = (self.values.decoder.clone(), self.gradients.decoder.clone());
        let head = self.values.head.clone();
        let (first, width) = (&layers[0], outputs(&layers[0]));
        let into =
            First { tag: "decoder", layer: first, gradient: &gradients[0], entering, rows: cells, by_particle: true };
        let rows = particles * cells;
        let own = self.rooms.room(("decoder", "own", 0), rows * width)?;
        let of_own = weight(first).columns(0, entering.own);
        self.rooms.product(own.matrix(width), basal.matrix(entering.own), of_own.transposed())?;
        let shared = self.shared(&into, effects)?;
        let entered = self.rooms.room(("decoder", "entered", 0), rows * width)?;
        self.enter(on, &into, own, shared, entered)?;
        let hidden = self.rooms.forward("decoder", &layers[1..], entered)?;
        let logits = self.rooms.room(("decoder", "logits", 0), rows * genes)?;
        self.rooms.product(logits.matrix(genes), hidden.matrix(width), weight(&head).transposed())?;
        let (of_rows, of_entering) = (on.at(&packed.rows), &packed.of_entering);
        run!(
            self.rooms, "decoded", Grid::strides(logits.len()); logits, head.bias,
            self.values.gene_effects.unwrap_or(head.bias), on.at(&of_entering.starts), on.at(&of_entering.entries),
            of_rows, whole(cells), whole(genes), u32::from(self.values.gene_effects.is_some()), place(logits.len())
        );
        let Some(log_c) = self.values.log_concentration else { bail!("the model has no concentrations") };
        let (library, weights) = (on.at(&packed.library), on.at(&packed.by_likelihood));
        let (scales, sums) =
            (self.rooms.room(("decoder", "scales", 0), 2 * rows)?, self.rooms.room(("loss", "likelihood", 0), rows)?);
        let grid = Grid::rows(rows);
        run!(self.rooms, "row_scales", grid; logits, library, scales, whole(genes), whole(cells));
        run!(self.rooms, "counts_value", grid; logits, scales, log_c, counts, sums, whole(genes), whole(cells));
        self.add_term(term::RECONSTRUCTION, sums, Some((weights, cells)), share)?;
        let sums = self.rooms.room(("loss", "count terms", 0), cells)?;
        run!(self.rooms, "count_terms", Grid::rows(cells); log_c, counts, sums, whole(genes));
        self.add_term(term::RECONSTRUCTION, sums, Some((weights, cells)), share * particles as f32)?;
        if !learn {
            return Ok(None);
        }

        let by_logits = self.rooms.room(("decoder", "by logits", 0), rows * genes)?;
        run!(
            self.rooms, "counts_by_logits", grid; logits, scales, log_c, counts, library, weights, by_logits,
            whole(genes), whole(cells)
        );
        if let Some(by_log) = self.gradients.log_concentration {
            let grid = Grid::bands(genes, 1);
            run!(
                self.rooms, "counts_by_log", grid; logits, scales, log_c, counts, weights, by_log, whole(genes),
                whole(cells), whole(rows)
            );
            run!(
                self.rooms, "count_terms_by_log", grid; log_c, counts, weights, by_log, whole(genes), whole(cells),
                particles as f32
            );
        }
        if let Some(by_effects) = self.gradients.gene_effects {
            run!(
                self.rooms, "gene_effects_back", Grid::pieces(genes, packed.first_effects); by_logits,
                on.at(&packed.of_effects.starts), on.at(&packed.of_effects.entries), of_rows, by_effects,
                whole(particles), whole(cells), whole(genes)
            );
        }
        let slopes = self.rooms.room(("decoder", "by hidden", 0), rows * width)?;
        let by_head = self.gradients.head.clone();
        self.rooms.affine_back(hidden, &head, &by_head, by_logits, (slopes, false))?;
        self.rooms.backward("decoder", &layers[1..], &gradients[1..], entered, slopes)?;
        let by_own = weight(&gradients[0]).columns(0, entering.own);
        self.rooms.add_product(by_own, slopes.matrix(width).transposed(), basal.matrix(entering.own))?;
        self.rooms.column_sums(slopes, gradients[0].bias)?;
        let by_basal = self.rooms.room(("decoder", "by states", 0), basal.len())?;
        self.rooms.product(by_basal.matrix(entering.own), slopes.matrix(width), of_own)?;
        let by_sampled = BySampled {
            masked: self.rooms.room(("effect", "by masked", 0), effects.masked.len())?,
            artifacts: self.rooms.room(("artifact", "by drawn", 0), effects.artifacts.len())?,
            added: false,
        };
        self.shared_back(on, &into, effects, slopes, by_sampled)?;
        Ok(Some((by_basal, BySampled { added: true, ..by_sampled })))
    }

    /// −log of the prior of effects on single genes, and its gradient, which must be the first that is written.
    pub(super) fn gene_effects_prior(&mut self, on: &On<'_>, share: f32) -> Result<()> {
        let (Some(values), Some(by)) = (self.values.gene_effects, self.gradients.gene_effects) else { return Ok(()) };
        let packed = on.packed;
        let sums = self.rooms.room(("loss", "gene effects", 0), packed.first_effects)?;
        run!(
            self.rooms, "gene_effects_prior", Grid::rows(sums.len()); values, on.at(&packed.rows),
            on.at(&packed.effect_weights), sums, by, whole(self.sizes.genes),
            u32::from(self.config.gene_effects_prior == GeneEffectsPrior::DoublePareto),
            self.config.gene_effects as f32
        );
        self.add_term(term::EFFECT, sums, None, share)
    }
}

//! How the parts lie in what enters a network's first layer: its own part (the cell or the basal state), D(E∘M) and flag·U.

use super::config::GpoVaeConfig;
use super::network::Sizes;

/// Where the parts of a first layer's input lie; a part's products are added, so that nothing needs to be put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entering {
    /// Columns of the layer's weight.
    pub inputs: usize,
    /// Of its own part, which begins at 0.
    pub own: usize,
    /// Where D(E∘M) (T columns) and U (L columns) begin; none where they do not enter.
    pub shared: Option<[usize; 2]>,
}

impl Entering {
    /// Of the encoder of the basal state: \[x̃, D(E∘M), flag·U\], or x̃ alone.
    pub fn encoder(config: &GpoVaeConfig, sizes: Sizes) -> Self {
        match config.mean_field {
            true => Self { inputs: sizes.genes, own: sizes.genes, shared: None },
            false => Self::side_by_side(sizes.genes, sizes.treatments, config.latent),
        }
    }

    /// Of the decoder: \[z, D(E∘M), flag·U\], or their sum.
    pub fn decoder(config: &GpoVaeConfig, sizes: Sizes) -> Self {
        match config.sum_mode {
            // One weight for all three.
            true => Self { inputs: config.latent, own: config.latent, shared: Some([0, 0]) },
            false => Self::side_by_side(config.latent, sizes.treatments, config.latent),
        }
    }

    fn side_by_side(own: usize, treatments: usize, latent: usize) -> Self {
        Self { inputs: own + treatments + latent, own, shared: Some([own, own + treatments]) }
    }
}

//! All networks of the model by what they are: over parameters to read, or over gradients to fill.

use crate::models::gpo_vae::GpoVaeConfig;
use crate::models::gpo_vae::network::GENE_EFFECTS;
use crate::models::nn::dense::Layer;
use crate::models::nn::normal::NormalNet;

/// The parameters, or one value for each of them.
pub(in crate::models::gpo_vae) struct Networks<W> {
    /// Of the mask, T × T, see [`super::super::MaskParameters`].
    pub mask: W,
    /// Encoder of E.
    pub effect: NormalNet<W>,
    /// Encoder of U.
    pub artifact: NormalNet<W>,
    /// Encoder of z.
    pub basal: NormalNet<W>,
    /// Layers of the decoder before its head.
    pub decoder: Vec<Layer<W>>,
    /// The decoder's head.
    pub head: Layer<W>,
    /// Its second head, where the likelihood has it.
    pub log_variance: Option<Layer<W>>,
    /// Effects on single genes, T × G, where there are any.
    pub gene_effects: Option<W>,
    /// log c, where the likelihood has it.
    pub log_concentration: Option<W>,
}

impl<W> Networks<W> {
    /// `of` gives what stands for the parameter of a name, where there is one.
    pub fn build(config: &GpoVaeConfig, of: &mut dyn FnMut(String) -> Option<W>) -> Option<Self> {
        Some(Self {
            mask: of(config.mask.parameter().to_owned())?,
            effect: net(of, "effect_encoder", config.embedding_layers)?,
            artifact: net(of, "artifact_encoder", config.embedding_layers)?,
            basal: net(of, "basal_encoder", config.basal_layers)?,
            decoder: layers(of, "decoder", config.decoder_layers + 1)?,
            head: layer(of, "decoder.head")?,
            log_variance: layer(of, "decoder.log_variance"),
            gene_effects: of(GENE_EFFECTS.to_owned()),
            log_concentration: of("log_concentration".to_owned()),
        })
    }

    /// What stands for each parameter.
    pub fn all(&mut self) -> Vec<&mut W> {
        let Self { mask, effect, artifact, basal, decoder, head, log_variance, gene_effects, log_concentration } = self;
        let nets = [effect, artifact, basal].into_iter();
        let layers = nets.flat_map(|net| net.layers.iter_mut().chain([&mut net.mean, &mut net.log_variance]));
        let layers = layers.chain(decoder).chain([head]).chain(log_variance);
        let both = layers.flat_map(|layer| [&mut layer.weight, &mut layer.bias]);
        both.chain([mask]).chain(gene_effects).chain(log_concentration).collect()
    }
}

fn layer<W>(of: &mut dyn FnMut(String) -> Option<W>, name: &str) -> Option<Layer<W>> {
    Some(Layer { weight: of(format!("{name}.weight"))?, bias: of(format!("{name}.bias"))? })
}

fn layers<W>(of: &mut dyn FnMut(String) -> Option<W>, name: &str, count: usize) -> Option<Vec<Layer<W>>> {
    (0..count).map(|at| layer(of, &format!("{name}.layers.{at}"))).collect()
}

fn net<W>(of: &mut dyn FnMut(String) -> Option<W>, name: &str, count: usize) -> Option<NormalNet<W>> {
    Some(NormalNet {
        layers: layers(of, name, count)?,
        mean: layer(of, &format!("{name}.mean"))?,
        log_variance: layer(of, &format!("{name}.log_variance"))?,
    })
}

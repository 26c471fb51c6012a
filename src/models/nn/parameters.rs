//! Named parameters and their first values.

use std::collections::{BTreeMap, HashMap};

use candle_core::{Device, Result, Shape, Tensor, Var, bail};
use rand::RngExt as _;
use rand_distr::{Distribution, StandardNormal};

use super::linear::Linear;
use crate::random::Rng;

/// Standard normal draws of the given shape.
pub fn normal(random: &mut Rng, shape: impl Into<Shape>, device: &Device) -> Result<Tensor> {
    let shape = shape.into();
    let draws: Vec<f32> = (0..shape.elem_count()).map(|_| StandardNormal.sample(random)).collect();
    Tensor::from_vec(draws, shape, device)
}

/// Where first values come from.
pub enum Source {
    /// Drawn.
    Random(Box<Rng>),
    /// Given by name: a file, or reference values.
    Given(HashMap<String, Tensor>),
}

/// All parameters of a model by name, in one order on every run.
pub struct Parameters {
    device: Device,
    source: Source,
    by_name: BTreeMap<String, Var>,
}

impl Parameters {
    /// An empty set on `device`.
    pub fn new(source: Source, device: &Device) -> Self {
        Self { device: device.clone(), source, by_name: BTreeMap::new() }
    }

    /// The device they live on.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Names and values, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Var)> {
        self.by_name.iter().map(|(name, var)| (name.as_str(), var))
    }

    /// Copies of all values, detached: a checkpoint.
    pub fn snapshot(&self) -> Result<BTreeMap<String, Tensor>> {
        self.by_name.iter().map(|(name, var)| Ok((name.clone(), var.as_detached_tensor().copy()?))).collect()
    }

    /// Set all values from a snapshot of the same model.
    pub fn restore(&self, snapshot: &BTreeMap<String, Tensor>) -> Result<()> {
        for (name, var) in &self.by_name {
            match snapshot.get(name) {
                Some(value) => var.set(value)?,
                None => bail!("parameter {name} is missing"),
            }
        }
        Ok(())
    }

    /// Give the parameter `name` another value of the same shape.
    pub fn set(&self, name: &str, value: &Tensor) -> Result<()> {
        match self.by_name.get(name) {
            Some(var) => var.set(value),
            None => bail!("there is no parameter {name}"),
        }
    }

    /// The parameter `name`; `fill` gives its first value when drawn.
    pub fn get(&mut self, name: &str, shape: &[usize], fill: impl FnOnce(&mut Rng) -> f32 + Copy) -> Result<Tensor> {
        let value = match &mut self.source {
            Source::Random(random) => {
                let count = shape.iter().product::<usize>();
                let values: Vec<f32> = (0..count).map(|_| fill(random)).collect();
                Tensor::from_vec(values, shape, &self.device)?
            }
            Source::Given(values) => match values.remove(name) {
                Some(value) if value.dims() == shape => value.to_device(&self.device)?,
                Some(value) => bail!("parameter {name} has shape {:?}, expected {shape:?}", value.dims()),
                None => bail!("parameter {name} is missing"),
            },
        };
        let var = Var::from_tensor(&value)?;
        let tensor = var.as_tensor().clone();
        self.by_name.insert(name.to_owned(), var);
        Ok(tensor)
    }

    /// A linear layer, weight and bias uniform in ±1/√inputs.
    pub fn linear(&mut self, name: &str, inputs: usize, outputs: usize) -> Result<Linear> {
        let bound = 1.0 / (inputs.max(1) as f32).sqrt();
        let fill = |random: &mut Rng| random.random_range(-bound..=bound);
        let weight = self.get(&format!("{name}.weight"), &[outputs, inputs], fill)?;
        let bias = self.get(&format!("{name}.bias"), &[outputs], fill)?;
        Ok(Linear::new(weight, bias))
    }
}

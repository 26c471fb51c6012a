//! First layer over concatenated inputs, without concatenating.
//!
//! The encoder of the basal state and the decoder read \[own part, D(E∘M), flag·U\]. Their first layer is a sum of three
//! products, of which the second depends only on the cell's condition and the third only on the particle: both are
//! computed once per condition and particle, then added per cell.

use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp3, Device, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

use super::kernels::{self, LEAK};

/// Which condition each cell has and by how much the flag vector is added to it.
#[derive(Clone, Debug)]
pub struct Assignment {
    condition: Arc<Vec<u32>>,
    flag: Arc<Vec<f32>>,
}

impl Assignment {
    /// `condition[b]` is a row of the table, `flag[b]` the weight of the flag vector; one each per cell.
    pub fn new(condition: Vec<u32>, flag: Vec<f32>) -> Self {
        assert_eq!(condition.len(), flag.len(), "one flag per cell");
        Self { condition: Arc::new(condition), flag: Arc::new(flag) }
    }

    /// Number of cells.
    pub fn len(&self) -> usize {
        self.condition.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.condition.is_empty()
    }

    /// The same conditions with other flags.
    pub fn with_flag(&self, flag: Vec<f32>) -> Self {
        assert_eq!(self.condition.len(), flag.len(), "one flag per cell");
        Self { condition: self.condition.clone(), flag: Arc::new(flag) }
    }
}

/// LeakyReLU(base + table\[condition\] + flag·shared).
///
/// `base` is `[P, B, H]` or `[1, B, H]` (the same for all particles), `table` `[P, C, H]`, `shared` `[P, H]`; gives
/// `[P, B, H]`.
pub fn leaky_sum(base: &Tensor, table: &Tensor, shared: &Tensor, cells: &Assignment) -> Result<Tensor> {
    if matches!(base.device(), Device::Cpu) {
        base.contiguous()?.apply_op3(&table.contiguous()?, &shared.contiguous()?, Fused { cells: cells.clone() })
    } else {
        leaky_sum_plain(base, table, shared, cells)
    }
}

/// The same by candle's own operations.
pub fn leaky_sum_plain(base: &Tensor, table: &Tensor, shared: &Tensor, cells: &Assignment) -> Result<Tensor> {
    let device = base.device();
    let condition = Tensor::from_slice(&cells.condition, cells.len(), device)?;
    let flag = Tensor::from_slice(&cells.flag, (1, cells.len(), 1), device)?;
    let sum = table.contiguous()?.index_select(&condition, 1)?.broadcast_add(base)?;
    kernels::leaky_relu(&(sum + flag.broadcast_mul(&shared.unsqueeze(1)?)?)?)
}

struct Fused {
    cells: Assignment,
}

impl CustomOp3 for Fused {
    fn name(&self) -> &'static str {
        "leaky-sum"
    }

    fn cpu_fwd(
        &self,
        base: &CpuStorage,
        base_layout: &Layout,
        table: &CpuStorage,
        table_layout: &Layout,
        shared: &CpuStorage,
        shared_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (base_particles, cells, width) = base_layout.shape().dims3()?;
        let (particles, conditions, _) = table_layout.shape().dims3()?;
        let (base, table) = (kernels::slice(base, base_layout)?, kernels::slice(table, table_layout)?);
        let shared = kernels::slice(shared, shared_layout)?;
        let mut out = vec![0.0f32; particles * cells * width];
        out.par_chunks_mut(width.max(1)).enumerate().with_min_len(32).for_each(|(row, out)| {
            let (particle, cell) = (row / cells, row % cells);
            let base = &base[(particle % base_particles * cells + cell) * width..][..width];
            let condition = self.cells.condition[cell] as usize;
            let table = &table[(particle * conditions + condition) * width..][..width];
            let shared = &shared[particle * width..][..width];
            let flag = self.cells.flag[cell];
            for (((out, base), table), shared) in out.iter_mut().zip(base).zip(table).zip(shared) {
                let sum = base + table + flag * shared;
                *out = sum.max(LEAK * sum);
            }
        });
        Ok((CpuStorage::F32(out), Shape::from((particles, cells, width))))
    }

    fn bwd(
        &self,
        base: &Tensor,
        table: &Tensor,
        shared: &Tensor,
        y: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (particles, cells, width) = y.dims3()?;
        let (base_particles, conditions) = (base.dim(0)?, table.dim(1)?);
        let gradient = gradient.contiguous()?;
        let mut slope = kernels::leaky_slopes(&gradient, y)?;
        let mut for_table = vec![0.0f32; particles * conditions * width];
        let mut for_shared = vec![0.0f32; particles * width];
        let per_particle = slope.par_chunks(cells * width).zip(for_table.par_chunks_mut(conditions * width));
        per_particle.zip(for_shared.par_chunks_mut(width)).for_each(|((slope, table), shared)| {
            for (cell, slope) in slope.chunks_exact(width).enumerate() {
                let row = &mut table[self.cells.condition[cell] as usize * width..][..width];
                row.iter_mut().zip(slope).for_each(|(sum, value)| *sum += value);
                let flag = self.cells.flag[cell];
                if flag != 0.0 {
                    shared.iter_mut().zip(slope).for_each(|(sum, value)| *sum += flag * value);
                }
            }
        });
        let for_base = if base_particles == particles {
            slope
        } else {
            let (first, rest) = slope.split_at_mut(cells * width);
            for particle in rest.chunks_exact(cells * width) {
                first.iter_mut().zip(particle).for_each(|(sum, value)| *sum += value);
            }
            slope.truncate(cells * width);
            slope
        };
        Ok((
            Some(Tensor::from_vec(for_base, base.shape(), &Device::Cpu)?),
            Some(Tensor::from_vec(for_table, table.shape(), &Device::Cpu)?),
            Some(Tensor::from_vec(for_shared, shared.shape(), &Device::Cpu)?),
        ))
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Var;

    use super::super::parameters::normal;
    use super::*;

    #[test]
    fn fused_and_plain_agree_in_value_and_gradient() {
        let mut random = crate::random::stream(1, "branches");
        let (particles, cells, conditions, width) = (3, 10, 4, 6);
        let mut draw = |shape| Var::from_tensor(&normal(&mut random, shape, &Device::Cpu).unwrap()).unwrap();
        for base_particles in [1, particles] {
            let base = draw(vec![base_particles, cells, width]);
            let table = draw(vec![particles, conditions, width]);
            let shared = draw(vec![particles, width]);
            let weights = draw(vec![particles, cells, width]);
            let condition = (0..cells).map(|cell| (cell * 7 % conditions) as u32).collect();
            let flag = (0..cells).map(|cell| (cell % 2) as f32).collect();
            let assignment = Assignment::new(condition, flag);
            let fused = leaky_sum(&base, &table, &shared, &assignment).unwrap();
            let plain = leaky_sum_plain(&base, &table, &shared, &assignment).unwrap();
            let difference =
                |a: &Tensor, b: &Tensor| (a - b).unwrap().abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap();
            assert!(difference(&fused, &plain) < 1e-5);
            let gradients = |y: &Tensor| (y * weights.as_tensor()).unwrap().sum_all().unwrap().backward().unwrap();
            let (fused, plain) = (gradients(&fused), gradients(&plain));
            for var in [&base, &table, &shared] {
                assert!(difference(fused.get(var).unwrap(), plain.get(var).unwrap()) < 1e-4);
            }
        }
    }
}

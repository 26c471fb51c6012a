//! Memory of the GPU that is kept from step to step, by name.

use std::collections::HashMap;

use candle_core::Result;

use crate::models::nn::gpu::{Argument, Array, Grid, Machine, Matrix, words};

/// What an array is for: of which part of the step, what, and of which layer.
pub(super) type Name = (&'static str, &'static str, usize);

/// The machine, and the arrays on it.
pub(super) struct Rooms<M> {
    pub machine: M,
    arrays: HashMap<Name, Array>,
}

impl<M: Machine> Rooms<M> {
    pub fn new(machine: M) -> Self {
        Self { machine, arrays: HashMap::new() }
    }

    /// `count` numbers by this name: what was there, as long as they were enough.
    pub fn room(&mut self, name: Name, count: usize) -> Result<Array> {
        if let Some(array) = self.arrays.get(&name).copied() {
            if array.len() >= count {
                return Ok(array.part(0, count));
            }
            self.machine.release(array);
        }
        let array = self.machine.allocate(count)?;
        self.arrays.insert(name, array);
        Ok(array)
    }

    /// Words that are put there.
    pub fn put(&mut self, name: Name, words: &[u32]) -> Result<Array> {
        let array = self.room(name, words.len())?;
        self.machine.upload(words, array)?;
        Ok(array)
    }

    /// Numbers likewise.
    pub fn put_numbers(&mut self, name: Name, numbers: &[f32]) -> Result<Array> {
        self.put(name, &words(numbers))
    }

    /// All of them, in bytes.
    pub fn held(&self) -> usize {
        self.arrays.values().map(|array| 4 * array.len()).sum()
    }

    pub fn launch(&mut self, kernel: &'static str, grid: Grid, arguments: &[Argument]) -> Result<()> {
        self.machine.launch(kernel, grid, arguments)
    }

    /// `into` = a·b.
    pub fn product(&mut self, into: Matrix, a: Matrix, b: Matrix) -> Result<()> {
        self.machine.product(into, 0.0, 1.0, a, b)
    }

    /// `into` += a·b.
    pub fn add_product(&mut self, into: Matrix, a: Matrix, b: Matrix) -> Result<()> {
        self.machine.product(into, 1.0, 1.0, a, b)
    }

    /// Σ over the rows of each column.
    pub fn column_sums(&mut self, values: Array, sums: Array) -> Result<()> {
        let (columns, rows) = (sums.len(), values.len() / sums.len().max(1));
        let grid = Grid::bands(columns, 1);
        self.launch("column_sums", grid, &[values.into(), sums.into(), whole(columns), whole(rows)])
    }
}

/// `unsigned`.
pub(super) fn whole(count: usize) -> Argument {
    Argument::Whole(count as u32)
}

/// `place`.
pub(super) fn place(count: usize) -> Argument {
    Argument::Place(count as u64)
}

/// Run a kernel: `run!(rooms, "name", grid; argument, …)`.
macro_rules! run {
    ($rooms:expr, $kernel:literal, $grid:expr; $($argument:expr),+ $(,)?) => {
        $rooms.launch($kernel, $grid, &[$($argument.into()),+])?
    };
}
pub(super) use run;

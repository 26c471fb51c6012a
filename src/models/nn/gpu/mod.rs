//! What a training step needs of a GPU: memory, kernels of our own (`kernels.cu`), products of matrices, random numbers.
//!
//! [`Machine`] is that and no more, so that a step is tested without a GPU: there the same kernels are compiled by the host's compiler and run
//! on the processor. On an NVIDIA GPU (feature `cuda`) they are compiled when the device is opened.

use candle_core::{Device, Result, bail};

#[cfg(feature = "cuda")]
mod cuda;
#[cfg(test)]
mod host;
#[cfg(test)]
mod tests;

#[cfg(feature = "cuda")]
pub use cuda::Cuda;
#[cfg(test)]
pub use host::Host;

/// The GPU that candle has opened as a machine.
///
/// # Errors
/// Why it is none.
#[cfg(feature = "cuda")]
pub fn machine(device: &Device) -> Result<Box<dyn Machine>> {
    Ok(Box::new(Cuda::new(device)?))
}

/// The GPU that candle has opened as a machine.
///
/// # Errors
/// Why it is none.
#[cfg(not(feature = "cuda"))]
pub fn machine(_device: &Device) -> Result<Box<dyn Machine>> {
    bail!("this build has no CUDA")
}

/// Some numbers (f32, or u32 where they are indices) in the memory of a GPU. It does not own them: the machine does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Array {
    pointer: u64,
    len: usize,
}

impl Array {
    /// How many.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// `count` of them from the one at `from`.
    pub fn part(self, from: usize, count: usize) -> Self {
        assert!(from + count <= self.len, "{count} numbers from {from} are not among {}", self.len);
        Self { pointer: self.pointer + 4 * from as u64, len: count }
    }

    /// As the rows of a matrix.
    pub fn matrix(self, columns: usize) -> Matrix {
        let rows = self.len / columns.max(1);
        assert_eq!(self.len, rows * columns, "a matrix has rows × columns values");
        Matrix { array: self, rows, columns, stride: columns, transposed: false }
    }
}

/// A row-major matrix, some of its columns, or either of these transposed.
#[derive(Clone, Copy, Debug)]
pub struct Matrix {
    array: Array,
    rows: usize,
    columns: usize,
    stride: usize,
    transposed: bool,
}

impl Matrix {
    /// `count` columns from the one at `from`, of a matrix that is not transposed.
    pub fn columns(self, from: usize, count: usize) -> Self {
        assert!(!self.transposed && from + count <= self.columns, "columns lie within the matrix");
        let array = self.array.part(from.min(self.array.len), self.array.len - from.min(self.array.len));
        Self { array, columns: count, ..self }
    }

    /// Rows and columns swapped.
    pub fn transposed(self) -> Self {
        Self { transposed: !self.transposed, ..self }
    }

    /// Rows and columns as it is seen.
    pub fn shape(&self) -> [usize; 2] {
        if self.transposed { [self.columns, self.rows] } else { [self.rows, self.columns] }
    }

    /// How it lies in memory: where, numbers from a row to the next, and whether it is seen transposed.
    pub fn layout(&self) -> (Array, usize, bool) {
        (self.array, self.stride, self.transposed)
    }

    /// Rows, columns and inner dimension of a product a·b that it is to hold.
    ///
    /// # Errors
    /// If they do not go together.
    pub fn sizes(&self, a: &Self, b: &Self) -> Result<[usize; 3]> {
        let ([rows, inner], [again, columns]) = (a.shape(), b.shape());
        if inner != again || self.shape() != [rows, columns] || self.transposed {
            bail!("{:?} · {:?} is no {:?}", a.shape(), b.shape(), self.shape());
        }
        for matrix in [self, a, b] {
            let last = matrix.rows.saturating_sub(1) * matrix.stride + matrix.columns;
            assert!(last <= matrix.array.len, "a matrix lies within its array");
        }
        Ok([rows, columns, inner])
    }
}

/// An argument of a kernel.
#[derive(Clone, Copy, Debug)]
pub enum Argument {
    /// `float*` or `unsigned*`.
    Array(u64),
    /// `unsigned`.
    Whole(u32),
    /// `place`.
    Place(u64),
    /// `float`.
    Number(f32),
}

impl From<Array> for Argument {
    fn from(array: Array) -> Self {
        Self::Array(array.pointer)
    }
}

impl From<u32> for Argument {
    fn from(value: u32) -> Self {
        Self::Whole(value)
    }
}

impl From<u64> for Argument {
    fn from(value: u64) -> Self {
        Self::Place(value)
    }
}

impl From<f32> for Argument {
    fn from(value: f32) -> Self {
        Self::Number(value)
    }
}

/// Blocks and threads of a launch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    blocks: u32,
    threads: [u32; 2],
}

impl Grid {
    /// Blocks that stride over many values, at most.
    const MOST_BLOCKS: usize = 1024;
    /// Threads of a block in one dimension.
    const THREADS: usize = 256;

    /// One block for each of `count` rows.
    pub fn rows(count: usize) -> Self {
        Self { blocks: count as u32, threads: [Self::THREADS as u32, 1] }
    }

    /// One block of as many threads as can be.
    pub fn one() -> Self {
        Self { blocks: 1, threads: [1024, 1] }
    }

    /// Bands of 32 of `count` columns, so many times.
    pub fn bands(count: usize, times: usize) -> Self {
        Self { blocks: (count.div_ceil(32) * times) as u32, threads: [32, 32] }
    }

    /// Blocks that stride over `count` values.
    pub fn strides(count: usize) -> Self {
        Self { blocks: count.div_ceil(Self::THREADS).clamp(1, Self::MOST_BLOCKS) as u32, ..Self::rows(1) }
    }

    /// Blocks of as many of `count` values as they have threads, so many times.
    pub fn pieces(count: usize, times: usize) -> Self {
        Self { blocks: (count.div_ceil(Self::THREADS) * times) as u32, ..Self::rows(1) }
    }

    /// How many.
    pub fn blocks(&self) -> usize {
        self.blocks as usize
    }
}

/// A GPU, or what stands for one. What is asked of it is done in that order, and maybe later: only [`Machine::download`] waits for it.
pub trait Machine {
    /// Memory for so many numbers; nothing is said of what lies there.
    fn allocate(&mut self, count: usize) -> Result<Array>;

    /// Give back what [`Machine::allocate`] gave.
    fn release(&mut self, array: Array);

    /// Copy there; numbers as they lie in memory.
    fn upload(&mut self, words: &[u32], to: Array) -> Result<()>;

    /// Copy from there.
    fn download(&mut self, from: Array) -> Result<Vec<f32>>;

    /// Run a kernel of `kernels.cu` with the arguments that it has there.
    fn launch(&mut self, kernel: &'static str, grid: Grid, arguments: &[Argument]) -> Result<()>;

    /// `into` = keep · `into` + factor · a·b.
    fn product(&mut self, into: Matrix, keep: f32, factor: f32, a: Matrix, b: Matrix) -> Result<()>;

    /// What follows is drawn from this seed on.
    fn seed(&mut self, seed: u64) -> Result<()>;

    /// Uniform draws between 0 and 1.
    fn uniform(&mut self, to: Array) -> Result<()>;

    /// Standard normal draws.
    fn normal(&mut self, to: Array) -> Result<()>;
}

impl<M: Machine + ?Sized> Machine for Box<M> {
    fn allocate(&mut self, count: usize) -> Result<Array> {
        (**self).allocate(count)
    }

    fn release(&mut self, array: Array) {
        (**self).release(array);
    }

    fn upload(&mut self, words: &[u32], to: Array) -> Result<()> {
        (**self).upload(words, to)
    }

    fn download(&mut self, from: Array) -> Result<Vec<f32>> {
        (**self).download(from)
    }

    fn launch(&mut self, kernel: &'static str, grid: Grid, arguments: &[Argument]) -> Result<()> {
        (**self).launch(kernel, grid, arguments)
    }

    fn product(&mut self, into: Matrix, keep: f32, factor: f32, a: Matrix, b: Matrix) -> Result<()> {
        (**self).product(into, keep, factor, a, b)
    }

    fn seed(&mut self, seed: u64) -> Result<()> {
        (**self).seed(seed)
    }

    fn uniform(&mut self, to: Array) -> Result<()> {
        (**self).uniform(to)
    }

    fn normal(&mut self, to: Array) -> Result<()> {
        (**self).normal(to)
    }
}

/// Floats as they lie in memory.
pub fn words(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

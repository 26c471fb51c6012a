//! The kernels as operations of candle.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use candle_core::cuda_backend::cudarc::driver::{CudaSlice, CudaView, LaunchConfig, PushKernelArg as _};
use candle_core::cuda_backend::cudarc::nvrtc::compile_ptx;
use candle_core::cuda_backend::{CudaDevice, WrapErr as _};
use candle_core::{
    CpuStorage, CudaStorage, CustomOp1, CustomOp2, CustomOp3, Device, InplaceOp2, InplaceOp3, Layout, Result, Shape,
    Storage, Tensor, bail,
};

use super::{AdamStep, Grid};

/// Whether the kernels were tried, and held.
pub(super) static WORKING: AtomicBool = AtomicBool::new(false);

/// Name under which a device keeps the compiled kernels.
const MODULE: &str = "grn_explorer";

/// The kernels, compiled once.
fn ptx() -> Result<&'static str> {
    static PTX: OnceLock<std::result::Result<String, String>> = OnceLock::new();
    let compiled = PTX.get_or_init(|| {
        let compiled = compile_ptx(include_str!("kernels.cu"));
        compiled.map(|ptx| ptx.to_src()).map_err(|error| error.to_string())
    });
    match compiled {
        Ok(ptx) => Ok(ptx),
        Err(reason) => bail!("the kernels do not compile: {reason}"),
    }
}

fn used(device: &Device) -> bool {
    device.is_cuda() && WORKING.load(Ordering::Relaxed)
}

impl From<Grid> for LaunchConfig {
    fn from(grid: Grid) -> Self {
        let [x, y] = grid.threads;
        Self { grid_dim: (grid.blocks, 1, 1), block_dim: (x, y, 1), shared_mem_bytes: 0 }
    }
}

/// Launch a kernel with these arguments, all of them places: `launch!(device, "name", grid, &input, &mut output, &count)`.
macro_rules! launch {
    ($device:expr, $kernel:literal, $grid:expr, $($argument:expr),+ $(,)?) => {{
        let function = $device.get_or_load_custom_func($kernel, MODULE, ptx()?)?;
        let mut builder = function.builder();
        $(builder.arg($argument);)+
        // SAFETY: the arguments are those of the kernel in `kernels.cu`, in its order and of its types, and the lengths of the slices follow
        // from the same counts that are handed to it.
        #[allow(unsafe_code)]
        unsafe { builder.launch($grid.into()) }.w()?;
    }};
}

/// Room for `count` numbers; every kernel writes all that it is given.
fn room(device: &CudaDevice, count: usize) -> Result<CudaSlice<f32>> {
    // SAFETY: nothing reads it before a kernel has written it: launches and allocations of a device are on one stream.
    #[allow(unsafe_code)]
    unsafe {
        device.alloc::<f32>(count)
    }
}

fn view<'a>(storage: &'a CudaStorage, layout: &Layout) -> Result<CudaView<'a, f32>> {
    let Some((start, end)) = layout.contiguous_offsets() else { bail!("expected a contiguous tensor") };
    Ok(storage.as_cuda_slice::<f32>()?.slice(start..end))
}

/// The storage of a tensor on the GPU, while it is borrowed.
macro_rules! borrow {
    ($tensor:expr => $view:ident) => {
        let (storage, layout) = $tensor.storage_and_layout();
        let Storage::Cuda(storage) = &*storage else { bail!("expected a tensor on the GPU") };
        let $view = view(storage, layout)?;
    };
}

fn wrap(values: CudaSlice<f32>, device: &CudaDevice, shape: impl Into<Shape>) -> (CudaStorage, Shape) {
    (CudaStorage::wrap_cuda_slice(values, device.clone()), shape.into())
}

/// What an operation of so many tensors is on the processor: an error.
macro_rules! only_on_gpu {
    (1) => { only_on_gpu!(of (_: &CpuStorage, _: &Layout) -> (CpuStorage, Shape)); };
    (2) => { only_on_gpu!(of (_: &CpuStorage, _: &Layout, _: &CpuStorage, _: &Layout) -> (CpuStorage, Shape)); };
    (3) => {
        only_on_gpu!(of (_: &CpuStorage, _: &Layout, _: &CpuStorage, _: &Layout, _: &CpuStorage, _: &Layout) -> (CpuStorage, Shape));
    };
    (in place, 1) => { only_on_gpu!(of (_: &mut CpuStorage, _: &Layout, _: &CpuStorage, _: &Layout) -> ()); };
    (in place, 2) => {
        only_on_gpu!(of (_: &mut CpuStorage, _: &Layout, _: &CpuStorage, _: &Layout, _: &CpuStorage, _: &Layout) -> ());
    };
    (of ($($storage:tt: $of:ty),+) -> $given:ty) => {
        fn cpu_fwd(&self, $($storage: $of),+) -> Result<$given> {
            bail!("{} is an operation of the GPU", self.name())
        }
    };
}

// ---- Layers ----

/// act(x + bias) of `x` `[rows, out]`, LeakyReLU of that slope (1: none); none where there are no kernels for its device.
pub fn affine_end(x: &Tensor, bias: &Tensor, leak: f32) -> Result<Option<Tensor>> {
    if !used(x.device()) {
        return Ok(None);
    }
    x.contiguous()?.apply_op2(&bias.contiguous()?, BiasLeaky { leak }).map(Some)
}

/// LeakyReLU of that slope; none where there are no kernels for its device.
pub fn leaky(x: &Tensor, leak: f32) -> Result<Option<Tensor>> {
    if !used(x.device()) {
        return Ok(None);
    }
    x.contiguous()?.apply_op1(Leaky { leak }).map(Some)
}

struct BiasLeaky {
    leak: f32,
}

impl CustomOp2 for BiasLeaky {
    fn name(&self) -> &'static str {
        "bias and LeakyReLU"
    }

    only_on_gpu!(2);

    fn cuda_fwd(&self, x: &CudaStorage, xl: &Layout, bias: &CudaStorage, bl: &Layout) -> Result<(CudaStorage, Shape)> {
        let (device, columns, count) = (&x.device, bl.shape().elem_count() as u32, xl.shape().elem_count());
        let (x, bias, mut y) = (view(x, xl)?, view(bias, bl)?, room(device, count)?);
        let size = count as u64;
        launch!(device, "bias_leaky", Grid::strides(count), &x, &bias, &mut y, &columns, &size, &self.leak);
        Ok(wrap(y, device, xl.shape().clone()))
    }

    fn bwd(&self, x: &Tensor, bias: &Tensor, y: &Tensor, by_y: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let by_x = slope(y, by_y, self.leak)?;
        let rows = by_x.elem_count() / bias.elem_count().max(1);
        let by_bias = by_x.reshape((rows, bias.elem_count()))?.apply_op1_no_bwd(&ColumnSums)?;
        Ok((Some(by_x.reshape(x.shape())?), Some(by_bias)))
    }
}

struct Leaky {
    leak: f32,
}

impl CustomOp1 for Leaky {
    fn name(&self) -> &'static str {
        "LeakyReLU"
    }

    only_on_gpu!(1);

    fn cuda_fwd(&self, x: &CudaStorage, xl: &Layout) -> Result<(CudaStorage, Shape)> {
        let (device, count) = (&x.device, xl.shape().elem_count());
        let (x, mut y, size) = (view(x, xl)?, room(device, count)?, count as u64);
        launch!(device, "leaky", Grid::strides(count), &x, &mut y, &size, &self.leak);
        Ok(wrap(y, device, xl.shape().clone()))
    }

    fn bwd(&self, _: &Tensor, y: &Tensor, by_y: &Tensor) -> Result<Option<Tensor>> {
        slope(y, by_y, self.leak).map(Some)
    }
}

/// The way back through LeakyReLU, from what it gave.
fn slope(y: &Tensor, by_y: &Tensor, leak: f32) -> Result<Tensor> {
    let by_y = by_y.contiguous()?;
    if leak == 1.0 { Ok(by_y) } else { by_y.apply_op2_no_bwd(y, &Slope { leak }) }
}

struct Slope {
    leak: f32,
}

impl CustomOp2 for Slope {
    fn name(&self) -> &'static str {
        "slope of LeakyReLU"
    }

    only_on_gpu!(2);

    fn cuda_fwd(&self, by_y: &CudaStorage, bl: &Layout, y: &CudaStorage, yl: &Layout) -> Result<(CudaStorage, Shape)> {
        let (device, count) = (&y.device, yl.shape().elem_count());
        let (by_y, y, mut by_x, size) = (view(by_y, bl)?, view(y, yl)?, room(device, count)?, count as u64);
        launch!(device, "leaky_slope", Grid::strides(count), &by_y, &y, &mut by_x, &size, &self.leak);
        Ok(wrap(by_x, device, yl.shape().clone()))
    }
}

struct ColumnSums;

impl CustomOp1 for ColumnSums {
    fn name(&self) -> &'static str {
        "sums of columns"
    }

    only_on_gpu!(1);

    fn cuda_fwd(&self, values: &CudaStorage, layout: &Layout) -> Result<(CudaStorage, Shape)> {
        let ((rows, columns), device) = (layout.shape().dims2()?, &values.device);
        let (values, mut sums) = (view(values, layout)?, room(device, columns)?);
        let (width, height) = (columns as u32, rows as u32);
        launch!(device, "column_sums", Grid::bands(columns), &values, &mut sums, &width, &height);
        Ok(wrap(sums, device, columns))
    }
}

// ---- Log-likelihood of counts ----

/// Σ_g log p(x_g) under the Gamma–Poisson: `logits` `[P, B, G]`, `log_concentration` `[G]`, `counts` `[B, G]` and library sizes `[B]` to
/// `[P, B]`; none where there are no kernels for their device.
pub fn count_likelihood(
    logits: &Tensor,
    log_concentration: &Tensor,
    counts: impl FnOnce(&Device) -> Result<[Tensor; 2]>,
) -> Result<Option<Tensor>> {
    if !used(logits.device()) {
        return Ok(None);
    }
    let [counts, library] = counts(logits.device())?;
    let (particles, cells, genes) = logits.dims3()?;
    let logits = logits.contiguous()?.reshape((particles * cells, genes))?;
    let scales = logits.detach().apply_op1_no_bwd(&RowScales { library: library.clone() })?;
    let log_concentration = log_concentration.contiguous()?;
    let of_cells = log_concentration.apply_op1(CountTerms { counts: counts.clone() })?;
    let seen = Seen { counts, library, scales };
    let by_mean = logits.apply_op2(&log_concentration, CountsByMean(seen))?;
    by_mean.reshape((particles, cells))?.broadcast_add(&of_cells).map(Some)
}

/// What of a batch does not learn.
#[derive(Clone)]
struct Seen {
    counts: Tensor,
    library: Tensor,
    /// Of every row of logits its largest, and library / Σ exp(logit − largest).
    scales: Tensor,
}

struct RowScales {
    library: Tensor,
}

impl CustomOp1 for RowScales {
    fn name(&self) -> &'static str {
        "scales of rows"
    }

    only_on_gpu!(1);

    fn cuda_fwd(&self, logits: &CudaStorage, layout: &Layout) -> Result<(CudaStorage, Shape)> {
        let ((rows, genes), device) = (layout.shape().dims2()?, &logits.device);
        let (logits, mut scales) = (view(logits, layout)?, room(device, 2 * rows)?);
        let (width, cells) = (genes as u32, self.library.elem_count() as u32);
        borrow!(self.library => library);
        launch!(device, "row_scales", Grid::rows(rows), &logits, &library, &mut scales, &width, &cells);
        Ok(wrap(scales, device, (rows, 2)))
    }
}

struct CountsByMean(Seen);

impl CustomOp2 for CountsByMean {
    fn name(&self) -> &'static str {
        "log-likelihood of counts"
    }

    only_on_gpu!(2);

    fn cuda_fwd(
        &self,
        logits: &CudaStorage,
        ll: &Layout,
        logs: &CudaStorage,
        cl: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        let ((rows, genes), device) = (ll.shape().dims2()?, &logits.device);
        let (logits, logs, mut sums) = (view(logits, ll)?, view(logs, cl)?, room(device, rows)?);
        let (width, cells) = (genes as u32, self.0.library.elem_count() as u32);
        borrow!(self.0.scales => scales);
        borrow!(self.0.counts => counts);
        let grid = Grid::rows(rows);
        launch!(device, "counts_value", grid, &logits, &scales, &logs, &counts, &mut sums, &width, &cells);
        Ok(wrap(sums, device, rows))
    }

    fn bwd(
        &self,
        logits: &Tensor,
        logs: &Tensor,
        _: &Tensor,
        by_row: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let by_row = by_row.contiguous()?;
        let by_logits = logits.apply_op3_no_bwd(logs, &by_row, &CountsByLogits(self.0.clone()))?;
        let by_logs = logits.apply_op3_no_bwd(logs, &by_row, &CountsByLog(self.0.clone()))?;
        Ok((Some(by_logits), Some(by_logs)))
    }
}

struct CountsByLogits(Seen);

impl CustomOp3 for CountsByLogits {
    fn name(&self) -> &'static str {
        "gradient by logits"
    }

    only_on_gpu!(3);

    fn cuda_fwd(
        &self,
        logits: &CudaStorage,
        ll: &Layout,
        logs: &CudaStorage,
        cl: &Layout,
        by_row: &CudaStorage,
        bl: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        let ((rows, genes), device) = (ll.shape().dims2()?, &logits.device);
        let (logits, logs, by_row) = (view(logits, ll)?, view(logs, cl)?, view(by_row, bl)?);
        let mut by_logits = room(device, rows * genes)?;
        let (width, cells) = (genes as u32, self.0.library.elem_count() as u32);
        borrow!(self.0.scales => scales);
        borrow!(self.0.counts => counts);
        borrow!(self.0.library => library);
        launch!(
            device,
            "counts_by_logits",
            Grid::rows(rows),
            &logits,
            &scales,
            &logs,
            &counts,
            &library,
            &by_row,
            &mut by_logits,
            &width,
            &cells,
        );
        Ok(wrap(by_logits, device, (rows, genes)))
    }
}

struct CountsByLog(Seen);

impl CustomOp3 for CountsByLog {
    fn name(&self) -> &'static str {
        "gradient by concentrations"
    }

    only_on_gpu!(3);

    fn cuda_fwd(
        &self,
        logits: &CudaStorage,
        ll: &Layout,
        logs: &CudaStorage,
        cl: &Layout,
        by_row: &CudaStorage,
        bl: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        let ((rows, genes), device) = (ll.shape().dims2()?, &logits.device);
        let (logits, logs, by_row) = (view(logits, ll)?, view(logs, cl)?, view(by_row, bl)?);
        let mut by_log = room(device, genes)?;
        let (width, cells, height) = (genes as u32, self.0.library.elem_count() as u32, rows as u32);
        borrow!(self.0.scales => scales);
        borrow!(self.0.counts => counts);
        launch!(
            device,
            "counts_by_log",
            Grid::bands(genes),
            &logits,
            &scales,
            &logs,
            &counts,
            &by_row,
            &mut by_log,
            &width,
            &cells,
            &height,
        );
        Ok(wrap(by_log, device, genes))
    }
}

struct CountTerms {
    counts: Tensor,
}

impl CustomOp1 for CountTerms {
    fn name(&self) -> &'static str {
        "terms of counts"
    }

    only_on_gpu!(1);

    fn cuda_fwd(&self, logs: &CudaStorage, layout: &Layout) -> Result<(CudaStorage, Shape)> {
        let ((cells, genes), device) = (self.counts.dims2()?, &logs.device);
        let (logs, mut sums, width) = (view(logs, layout)?, room(device, cells)?, genes as u32);
        borrow!(self.counts => counts);
        launch!(device, "count_terms", Grid::rows(cells), &logs, &counts, &mut sums, &width);
        Ok(wrap(sums, device, cells))
    }

    fn bwd(&self, logs: &Tensor, _: &Tensor, by_cell: &Tensor) -> Result<Option<Tensor>> {
        logs.apply_op2_no_bwd(&by_cell.contiguous()?, &CountTermsByLog { counts: self.counts.clone() }).map(Some)
    }
}

struct CountTermsByLog {
    counts: Tensor,
}

impl CustomOp2 for CountTermsByLog {
    fn name(&self) -> &'static str {
        "gradient of terms of counts"
    }

    only_on_gpu!(2);

    fn cuda_fwd(
        &self,
        logs: &CudaStorage,
        ll: &Layout,
        by_cell: &CudaStorage,
        bl: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        let ((cells, genes), device) = (self.counts.dims2()?, &logs.device);
        let (logs, by_cell, mut by_log) = (view(logs, ll)?, view(by_cell, bl)?, room(device, genes)?);
        let (width, height) = (genes as u32, cells as u32);
        borrow!(self.counts => counts);
        let grid = Grid::bands(genes);
        launch!(device, "count_terms_by_log", grid, &logs, &counts, &by_cell, &mut by_log, &width, &height);
        Ok(wrap(by_log, device, genes))
    }
}

// ---- Adam ----

/// One step for (parameter, its gradient, both its moments `[2, n]`, its learning rate over 1 − β₁ᵗ), nothing where the gradient's norm is
/// no number; false where there are no kernels for their device. The norm stays on the device.
pub fn optimise(parts: &[(&Tensor, Tensor, &Tensor, f32)], step: &AdamStep) -> Result<bool> {
    let Some((first, ..)) = parts.first() else { return Ok(true) };
    if !used(first.device()) {
        return Ok(false);
    }
    let squares = parts.iter().map(|(_, gradient, ..)| gradient.flatten_all()?.apply_op1_no_bwd(&Squares));
    let squares = Tensor::cat(&squares.collect::<Result<Vec<_>>>()?, 0)?.sum_all()?.reshape(1)?;
    for (parameter, gradient, moments, rate) in parts {
        moments.inplace_op3(parameter, gradient, &Moments { squares: &squares, step })?;
        parameter.inplace_op2(moments, &Update { squares: &squares, rate: *rate, step })?;
    }
    Ok(true)
}

struct Squares;

impl CustomOp1 for Squares {
    fn name(&self) -> &'static str {
        "sum of squares"
    }

    only_on_gpu!(1);

    fn cuda_fwd(&self, values: &CudaStorage, layout: &Layout) -> Result<(CudaStorage, Shape)> {
        let (device, count) = (&values.device, layout.shape().elem_count());
        let grid = Grid::strides(count);
        let (values, size, parts) = (view(values, layout)?, count as u64, grid.blocks as usize);
        let mut sums = room(device, parts)?;
        launch!(device, "squares", grid, &values, &mut sums, &size);
        Ok(wrap(sums, device, parts))
    }
}

struct Moments<'a> {
    squares: &'a Tensor,
    step: &'a AdamStep,
}

impl InplaceOp3 for Moments<'_> {
    fn name(&self) -> &'static str {
        "moments of Adam"
    }

    only_on_gpu!(in place, 2);

    fn cuda_fwd(
        &self,
        moments: &mut CudaStorage,
        layout: &Layout,
        values: &CudaStorage,
        vl: &Layout,
        gradient: &CudaStorage,
        gl: &Layout,
    ) -> Result<()> {
        let (device, count) = (moments.device.clone(), vl.shape().elem_count());
        let Some((start, end)) = layout.contiguous_offsets() else { bail!("expected contiguous moments") };
        if end - start != 2 * count || gl.shape().elem_count() != count {
            bail!("a parameter, its gradient and its moments are not of one size");
        }
        let mut moments = moments.as_cuda_slice_mut::<f32>()?.slice_mut(start..end);
        let (values, gradient) = (view(values, vl)?, view(gradient, gl)?);
        let (size, parts) = (count as u64, self.squares.elem_count() as u32);
        borrow!(self.squares => squares);
        let AdamStep { clip_norm, weight_decay, betas: [beta1, beta2], .. } = self.step;
        launch!(
            device,
            "adam_moments",
            Grid::strides(count),
            &mut moments,
            &values,
            &gradient,
            &squares,
            &size,
            &parts,
            clip_norm,
            weight_decay,
            beta1,
            beta2,
        );
        Ok(())
    }
}

struct Update<'a> {
    squares: &'a Tensor,
    rate: f32,
    step: &'a AdamStep,
}

impl InplaceOp2 for Update<'_> {
    fn name(&self) -> &'static str {
        "step of Adam"
    }

    only_on_gpu!(in place, 1);

    fn cuda_fwd(&self, values: &mut CudaStorage, layout: &Layout, moments: &CudaStorage, ml: &Layout) -> Result<()> {
        let (device, count) = (values.device.clone(), layout.shape().elem_count());
        let Some((start, end)) = layout.contiguous_offsets() else { bail!("expected a contiguous parameter") };
        if ml.shape().elem_count() != 2 * count {
            bail!("a parameter and its moments are not of one size");
        }
        let mut values = values.as_cuda_slice_mut::<f32>()?.slice_mut(start..end);
        let moments = view(moments, ml)?;
        let (size, parts) = (count as u64, self.squares.elem_count() as u32);
        borrow!(self.squares => squares);
        let (rate, AdamStep { root, epsilon, .. }) = (self.rate, self.step);
        let grid = Grid::strides(count);
        launch!(device, "adam_step", grid, &mut values, &moments, &squares, &size, &parts, rate, root, epsilon);
        Ok(())
    }
}

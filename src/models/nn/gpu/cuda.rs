//! An NVIDIA GPU.

use std::collections::HashMap;
use std::ffi::c_void;
use std::panic::catch_unwind;
use std::sync::{Arc, OnceLock};

use candle_core::cuda_backend::cudarc::cublas::{result::gemm_strided_batched_ex, sys};
use candle_core::cuda_backend::cudarc::curand::CudaRng;
use candle_core::cuda_backend::cudarc::driver::{
    CudaEvent, CudaFunction, CudaSlice, CudaStream, DevicePtr as _, DriverError, LaunchConfig, PinnedHostSlice,
    PushKernelArg as _,
    result::{memcpy_dtoh_async, memcpy_htod_async},
};
use candle_core::cuda_backend::cudarc::nvrtc::compile_ptx;
use candle_core::cuda_backend::{CudaDevice, WrapErr as _};
use candle_core::{Device, Error, Result, bail};

use super::{Argument, Array, Grid, Machine, Matrix};
use crate::words::byte_size;

/// Name under which a device keeps the compiled kernels.
const MODULE: &str = "grn_explorer";
/// Uploads that may be under way.
const STAGES: usize = 3;
/// Words of the largest of them, 16 MB: a batch. What is larger, such as all parameters, comes seldom and is waited for.
const MOST_STAGED: usize = 1 << 22;

/// The first NVIDIA GPU.
pub struct Cuda {
    device: CudaDevice,
    stream: Arc<CudaStream>,
    memory: HashMap<u64, CudaSlice<f32>>,
    kernels: HashMap<&'static str, CudaFunction>,
    random: CudaRng,
    /// Memory of the processor that is copied from while it goes on, in turn.
    stages: [Stage; STAGES],
    next: usize,
}

/// The kernels, compiled once.
fn ptx() -> Result<&'static str> {
    static PTX: OnceLock<std::result::Result<String, String>> = OnceLock::new();
    let compiled = PTX.get_or_init(|| {
        // The bindings panic where the compiler's library is missing.
        let compiled = catch_unwind(|| compile_ptx(include_str!("kernels.cu")));
        match compiled {
            Ok(compiled) => {
                compiled.map(|ptx| ptx.to_src()).map_err(|error| format!("kernels do not compile: {error}"))
            }
            Err(_) => Err("NVRTC is not installed".to_owned()),
        }
    });
    match compiled {
        Ok(ptx) => Ok(ptx),
        Err(reason) => bail!("{reason}"),
    }
}

impl Cuda {
    /// The device that candle has opened.
    ///
    /// # Errors
    /// Why it cannot be used.
    pub fn new(device: &Device) -> Result<Self> {
        let device = device.as_cuda_device()?.clone();
        // SAFETY: all work and all copies of this device are on its one stream, in order; events between streams would tell nothing.
        #[allow(unsafe_code)]
        unsafe {
            device.disable_event_tracking();
        }
        let stream = device.cuda_stream();
        let random = CudaRng::new(0, Arc::clone(&stream)).w()?;
        // What does not compile is told now.
        ptx()?;
        Ok(Self {
            device,
            stream,
            memory: HashMap::new(),
            kernels: HashMap::new(),
            random,
            stages: Default::default(),
            next: 0,
        })
    }

    /// Copy through memory that the device reads by itself, so that the processor goes on meanwhile.
    fn copy(&mut self, words: &[u32], to: Array) -> std::result::Result<(), DriverError> {
        let context = Arc::clone(self.stream.context());
        context.bind_to_thread()?;
        if words.len() > MOST_STAGED {
            // SAFETY: the array is as long, and the words are there until the copy is done.
            #[allow(unsafe_code)]
            unsafe { memcpy_htod_async(to.pointer, words, self.stream.cu_stream()) }?;
            return self.stream.synchronize();
        }
        let at = self.next;
        self.next = (at + 1) % STAGES;
        let stage = &mut self.stages[at];
        // What was copied from there before is there by now, or is waited for.
        if let Some(copied) = stage.copied.take() {
            copied.synchronize()?;
        }
        if stage.words.as_ref().is_none_or(|held| held.len() < words.len()) {
            // SAFETY: it is written below before it is read.
            #[allow(unsafe_code)]
            let held = unsafe { context.alloc_pinned::<u32>(words.len().next_power_of_two()) }?;
            stage.words = Some(held);
        }
        if let Some(held) = &mut stage.words {
            let held = &mut held.as_mut_slice()?[..words.len()];
            held.copy_from_slice(words);
            // SAFETY: the array is as long, and the memory is left alone until the event below.
            #[allow(unsafe_code)]
            unsafe { memcpy_htod_async(to.pointer, held, self.stream.cu_stream()) }?;
        }
        stage.copied = Some(self.stream.record_event(None)?);
        Ok(())
    }
}

/// Memory that the device copies from.
#[derive(Default)]
struct Stage {
    words: Option<PinnedHostSlice<u32>>,
    /// When the last copy was done.
    copied: Option<CudaEvent>,
}

/// What to do where memory is short.
fn no_room(count: usize, error: &Error) -> Error {
    let reason = error.to_string();
    Error::msg(format!(
        "the GPU has no room for another {}: smaller batches (batch_size) and fewer particles (particles) take less, or choose \
         --device cpu ({})",
        byte_size(4 * count as u64),
        reason.lines().next().unwrap_or_default()
    ))
}

impl Drop for Cuda {
    fn drop(&mut self) {
        // A copy that is under way reads from memory that goes with this.
        let _ = self.stream.synchronize();
    }
}

impl Machine for Cuda {
    fn allocate(&mut self, count: usize) -> Result<Array> {
        // SAFETY: a kernel or a copy writes it before another reads it: all are on one stream.
        #[allow(unsafe_code)]
        let slice = unsafe { self.device.alloc::<f32>(count.max(1).next_multiple_of(2)) };
        let slice = slice.map_err(|error| no_room(count, &error))?;
        let pointer = slice.device_ptr(&self.stream).0;
        self.memory.insert(pointer, slice);
        Ok(Array { pointer, len: count })
    }

    fn release(&mut self, array: Array) {
        self.memory.remove(&array.pointer);
    }

    fn upload(&mut self, words: &[u32], to: Array) -> Result<()> {
        if words.len() > to.len() {
            bail!("{} numbers do not fit where {} are", words.len(), to.len());
        }
        self.copy(words, to).w()
    }

    fn download(&mut self, from: Array) -> Result<Vec<f32>> {
        let mut values = vec![0.0f32; from.len()];
        self.stream.context().bind_to_thread().w()?;
        // SAFETY: both are as long, and nothing else reads or writes them until it is waited for.
        #[allow(unsafe_code)]
        unsafe { memcpy_dtoh_async(&mut values, from.pointer, self.stream.cu_stream()) }.w()?;
        self.stream.synchronize().w()?;
        Ok(values)
    }

    fn launch(&mut self, kernel: &'static str, grid: Grid, arguments: &[Argument]) -> Result<()> {
        if !self.kernels.contains_key(kernel) {
            let function = self.device.get_or_load_custom_func(kernel, MODULE, ptx()?)?;
            self.kernels.insert(kernel, function.into_cuda_function());
        }
        let Some(function) = self.kernels.get(kernel) else { bail!("there is no kernel {kernel}") };
        let mut builder = self.stream.launch_builder(function);
        for argument in arguments {
            match argument {
                Argument::Array(value) | Argument::Place(value) => builder.arg(value),
                Argument::Whole(value) => builder.arg(value),
                Argument::Number(value) => builder.arg(value),
            };
        }
        let [x, y] = grid.threads;
        let config = LaunchConfig { grid_dim: (grid.blocks, 1, 1), block_dim: (x, y, 1), shared_mem_bytes: 0 };
        // SAFETY: the arguments are those of the kernel, in its order and of its types, and lengths follow from the counts that are handed to
        // it: tests run the same launches with the same kernels on the processor, where types and bounds are checked.
        #[allow(unsafe_code)]
        unsafe { builder.launch(config) }.w()?;
        Ok(())
    }

    fn product(&mut self, into: Matrix, keep: f32, factor: f32, a: Matrix, b: Matrix) -> Result<()> {
        let [rows, columns, inner] = into.sizes(&a, &b)?;
        let way = |matrix: &Matrix| match matrix.transposed {
            true => sys::cublasOperation_t::CUBLAS_OP_T,
            false => sys::cublasOperation_t::CUBLAS_OP_N,
        };
        let at = |matrix: &Matrix| matrix.array.pointer as *const c_void;
        let single = sys::cudaDataType::CUDA_R_32F;
        // cuBLAS counts by columns: what is row-major here is transposed there, and (a·b)ᵀ = bᵀ·aᵀ.
        // SAFETY: the matrices lie within arrays of this device.
        #[allow(unsafe_code)]
        let done = unsafe {
            gemm_strided_batched_ex(
                *self.device.cublas_handle().handle(),
                way(&b),
                way(&a),
                columns as i32,
                rows as i32,
                inner as i32,
                (&raw const factor).cast(),
                at(&b),
                single,
                b.stride as i32,
                0,
                at(&a),
                single,
                a.stride as i32,
                0,
                (&raw const keep).cast(),
                into.array.pointer as *mut c_void,
                single,
                into.stride as i32,
                0,
                1,
                sys::cublasComputeType_t::CUBLAS_COMPUTE_32F,
                sys::cublasGemmAlgo_t::CUBLAS_GEMM_DEFAULT,
            )
        };
        done.w()
    }

    fn seed(&mut self, seed: u64) -> Result<()> {
        // A new generator: only that begins anew.
        self.random = CudaRng::new(seed, Arc::clone(&self.stream)).w()?;
        Ok(())
    }

    fn uniform(&mut self, to: Array) -> Result<()> {
        let Self { random, memory, .. } = self;
        let Some(slice) = memory.get_mut(&to.pointer) else { bail!("draws fill memory of their own") };
        random.fill_with_uniform(&mut slice.slice_mut(..to.len())).w()
    }

    fn normal(&mut self, to: Array) -> Result<()> {
        let Self { random, memory, .. } = self;
        let Some(slice) = memory.get_mut(&to.pointer) else { bail!("draws fill memory of their own") };
        // They are made in pairs.
        random.fill_with_normal(&mut slice.slice_mut(..to.len().next_multiple_of(2)), 0.0, 1.0).w()
    }
}

//! Where to compute, and why not elsewhere.

use std::panic::catch_unwind;

use candle_core::{DType, Device, Tensor};

use super::{DeviceChoice, TrainError};
use crate::models::gpo_vae::{self, GpoVaeConfig, GpuStep};
use crate::models::nn::gpu;

/// Where to compute.
pub(super) struct Chosen {
    pub device: Device,
    /// In words; after a fall-back it says why.
    name: String,
    /// Whether it is a GPU on which steps by kernels of our own were tried, and held.
    pub has_kernels: bool,
}

impl Chosen {
    fn of((device, name): (Device, String)) -> Self {
        Self { device, name, has_kernels: false }
    }

    /// What the user reads, for a model of these settings.
    pub fn in_words(&self, config: &GpoVaeConfig) -> String {
        match self.has_kernels && !<GpuStep>::takes(config) {
            true => slower(
                &self.name,
                &format!("there are none of ours for this likelihood ({})", config.likelihood.label()),
            ),
            false => self.name.clone(),
        }
    }
}

fn slower(name: &str, reason: &str) -> String {
    format!("{name}; slower than it could be, by candle's kernels: {reason}")
}

/// The device for a choice.
pub(super) fn choose(choice: DeviceChoice) -> Result<Chosen, TrainError> {
    match choice {
        DeviceChoice::Cpu => Ok(Chosen::of((Device::Cpu, processor()))),
        DeviceChoice::Cuda => cuda().map_err(|reason| refused("CUDA", &reason)),
        DeviceChoice::Metal => metal().map(Chosen::of).map_err(|reason| refused("Metal", &reason)),
        DeviceChoice::Auto => match cuda() {
            Ok(found) => Ok(found),
            Err(no_cuda) => {
                let processor = |_| (Device::Cpu, format!("{}; no GPU: {no_cuda}", processor()));
                Ok(Chosen::of(metal().unwrap_or_else(processor)))
            }
        },
    }
}

fn refused(name: &str, reason: &str) -> TrainError {
    TrainError::Device { reason: format!("{name} was asked for, but {reason}; choose --device cpu or auto") }
}

fn processor() -> String {
    let threads = rayon::current_num_threads();
    format!("processor, {threads} {}", if threads == 1 { "thread" } else { "threads" })
}

fn cuda() -> Result<Chosen, String> {
    if !candle_core::utils::cuda_is_available() {
        return Err("this build has no CUDA (build with --features cuda)".into());
    }
    let (device, name) = open("NVIDIA GPU (CUDA)", || Device::new_cuda(0))?;
    let tried = gpo_vae::try_out(|| gpu::machine(&device));
    let told = |error: candle_core::Error| error.to_string().lines().next().unwrap_or_default().to_owned();
    Ok(match tried.map_err(told) {
        Ok(()) => Chosen { device, name, has_kernels: true },
        // After some failures nothing goes on a device any more.
        Err(reason) if !works(&device) => return Err(format!("the {name} failed a trial ({reason})")),
        Err(reason) => Chosen { device, name: slower(&name, &reason), has_kernels: false },
    })
}

fn works(device: &Device) -> bool {
    Tensor::zeros(1, DType::F32, device).and_then(|zero| zero.to_vec1::<f32>()).is_ok()
}

fn metal() -> Result<(Device, String), String> {
    if !candle_core::utils::metal_is_available() {
        return Err("this build has no Metal (build with --features metal)".into());
    }
    open("Apple GPU (Metal)", || Device::new_metal(0))
}

/// The CUDA bindings panic where the driver is missing: that is a reason, not an end.
fn open(
    name: &str,
    new: impl FnOnce() -> candle_core::Result<Device> + std::panic::UnwindSafe,
) -> Result<(Device, String), String> {
    match catch_unwind(new) {
        Ok(Ok(device)) => Ok((device, name.to_owned())),
        // Below the first line stands where in the bindings it happened.
        Ok(Err(error)) => {
            Err(format!("no device could be opened ({})", error.to_string().lines().next().unwrap_or_default()))
        }
        Err(_) => Err("its driver is not installed".into()),
    }
}

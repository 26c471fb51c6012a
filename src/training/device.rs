//! Where to compute, and why not elsewhere.

use std::panic::catch_unwind;

use candle_core::Device;

use super::{DeviceChoice, TrainError};
use crate::models::nn::gpu;

/// A device and its name in words; after a fall-back the name says why.
pub(super) fn choose(choice: DeviceChoice) -> Result<(Device, String), TrainError> {
    match choice {
        DeviceChoice::Cpu => Ok((Device::Cpu, processor())),
        DeviceChoice::Cuda => cuda().map_err(|reason| refused("CUDA", &reason)),
        DeviceChoice::Metal => metal().map_err(|reason| refused("Metal", &reason)),
        DeviceChoice::Auto => match cuda() {
            Ok(found) => Ok(found),
            Err(no_cuda) => {
                Ok(metal().unwrap_or_else(|_| (Device::Cpu, format!("{}; no GPU: {no_cuda}", processor()))))
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

fn cuda() -> Result<(Device, String), String> {
    if !candle_core::utils::cuda_is_available() {
        return Err("this build has no CUDA (build with --features cuda)".into());
    }
    let (device, name) = open("NVIDIA GPU (CUDA)", || Device::new_cuda(0))?;
    Ok(match gpu::try_out(&device) {
        Ok(()) => (device, name),
        Err(reason) => (device, format!("{name}; slower than it could be, by candle's kernels alone: {reason}")),
    })
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

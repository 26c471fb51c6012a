// The hot parts of a training step on an NVIDIA GPU; compiled when a device is opened (NVRTC), so that no compiler is needed where the
// program is built or used.
//
// All matrices are row-major f32. A block works on one row, or on a band of columns; threads stride, so that any number of them gives the
// sums. Sums are taken in a fixed order: the same input gives the same bits.
//
// It uses little of the language beyond C, so that a host's compiler takes the same text, a thread of the system for each of a block's:
// that is how the arithmetic is tested where there is no GPU.

// Of f32: what is above it, or no number, is not compared with it.
#define LARGEST 3.402823466e38f
#define MEAN_FLOOR 1e-4f
#define RATE_FLOOR 1e-6f
// Counts up to this are summed term by term, as on the processor.
#define MOST_TERMS 16.0f

#define KERNEL extern "C" __global__ void
#define DEVICE __device__ __forceinline__
#define FULL 0xffffffffu

// Sum of a value over the threads of a block (up to 1,024 in one dimension), in every thread.
DEVICE float block_sum(float value) {
  __shared__ float parts[32];
  const unsigned lane = threadIdx.x & 31u, warp = threadIdx.x >> 5u, warps = (blockDim.x + 31u) >> 5u;
  for (unsigned step = 16u; step > 0u; step >>= 1u) value += __shfl_xor_sync(FULL, value, step);
  __syncthreads();
  if (lane == 0u) parts[warp] = value;
  __syncthreads();
  float sum = 0.0f;
  for (unsigned at = 0u; at < warps; ++at) sum += parts[at];
  return sum;
}

DEVICE float block_largest(float value) {
  __shared__ float parts[32];
  const unsigned lane = threadIdx.x & 31u, warp = threadIdx.x >> 5u, warps = (blockDim.x + 31u) >> 5u;
  for (unsigned step = 16u; step > 0u; step >>= 1u) value = fmaxf(value, __shfl_xor_sync(FULL, value, step));
  __syncthreads();
  if (lane == 0u) parts[warp] = value;
  __syncthreads();
  float largest = parts[0];
  for (unsigned at = 1u; at < warps; ++at) largest = fmaxf(largest, parts[at]);
  return largest;
}

// Sum over the second dimension of a block of 32 × up to 32 threads, in the threads of its first row.
DEVICE float band_sum(float value) {
  __shared__ float parts[32][33];
  __syncthreads();
  parts[threadIdx.y][threadIdx.x] = value;
  __syncthreads();
  float sum = 0.0f;
  if (threadIdx.y == 0u)
    for (unsigned at = 0u; at < blockDim.y; ++at) sum += parts[at][threadIdx.x];
  return sum;
}

typedef unsigned long long place;

// ---- Log-likelihood of counts: Gamma–Poisson with mean μ = library · softmax(logits) and concentration c, see nn/counts.rs ----

struct Gene {
  float value;     // c·log(rate/(1+rate)) − x·log(1+rate), rate = max(c/(μ + 1e-4), 1e-6)
  float by_share;  // its derivative by the logit, as if the other shares stayed
  float by_log;    // its derivative by log c
};

DEVICE Gene gene(float mean, float c, float x) {
  const float m = mean + MEAN_FLOOR;
  const float by_m = 1.0f / m, by_sum = 1.0f / (m + c);
  const float free = c * by_m;
  const float rate = fmaxf(free, RATE_FLOOR), odds = fminf(m / c, 1.0f / RATE_FLOOR);
  // log(rate/(1+rate)) = −log(1 + 1/rate): the one that loses nothing where the mean is small.
  const float l = log1pf(odds);
  // Below its floor the rate is constant.
  const float by_c = free > RATE_FLOOR ? (m - x) * by_sum : 0.0f;
  Gene found;
  found.value = -c * l - x * log1pf(rate);
  found.by_share = -by_c * c * by_m * mean;
  found.by_log = c * (by_c - l);
  return found;
}

// Of every row of logits its largest, and library / Σ exp(logit − largest): rows × 2.
KERNEL row_scales(const float* logits, const float* library, float* scales, unsigned genes, unsigned cells) {
  const unsigned row = blockIdx.x;
  const float* own = logits + (place)row * genes;
  float largest = -LARGEST;
  for (unsigned at = threadIdx.x; at < genes; at += blockDim.x) largest = fmaxf(largest, own[at]);
  largest = block_largest(largest);
  float sum = 0.0f;
  for (unsigned at = threadIdx.x; at < genes; at += blockDim.x) sum += expf(own[at] - largest);
  sum = block_sum(sum);
  if (threadIdx.x == 0u) {
    scales[2u * row] = largest;
    scales[2u * row + 1u] = library[row % cells] / sum;
  }
}

// Σ_g gene.value of every row.
KERNEL counts_value(const float* logits, const float* scales, const float* log_c, const float* counts, float* sums, unsigned genes,
                    unsigned cells) {
  const unsigned row = blockIdx.x;
  const float* own = logits + (place)row * genes;
  const float* seen = counts + (place)(row % cells) * genes;
  const float largest = scales[2u * row], scale = scales[2u * row + 1u];
  float sum = 0.0f;
  for (unsigned at = threadIdx.x; at < genes; at += blockDim.x)
    sum += gene(scale * expf(own[at] - largest), expf(log_c[at]), seen[at]).value;
  sum = block_sum(sum);
  if (threadIdx.x == 0u) sums[row] = sum;
}

// The way back of it to the logits, given the gradient by every row's sum.
KERNEL counts_by_logits(const float* logits, const float* scales, const float* log_c, const float* counts, const float* library,
                        const float* by_row, float* by_logits, unsigned genes, unsigned cells) {
  const unsigned row = blockIdx.x;
  const float* own = logits + (place)row * genes;
  const float* seen = counts + (place)(row % cells) * genes;
  float* out = by_logits + (place)row * genes;
  const float largest = scales[2u * row], scale = scales[2u * row + 1u], weight = by_row[row];
  float sum = 0.0f;
  for (unsigned at = threadIdx.x; at < genes; at += blockDim.x) {
    const float slope = gene(scale * expf(own[at] - largest), expf(log_c[at]), seen[at]).by_share;
    out[at] = slope;
    sum += slope;
  }
  sum = block_sum(sum);
  const float of_library = scale / library[row % cells];
  // Every thread comes back to what it wrote itself.
  for (unsigned at = threadIdx.x; at < genes; at += blockDim.x)
    out[at] = weight * (out[at] - of_library * expf(own[at] - largest) * sum);
}

// The way back of it to log c: a band of 32 genes to a block.
KERNEL counts_by_log(const float* logits, const float* scales, const float* log_c, const float* counts, const float* by_row,
                     float* by_log, unsigned genes, unsigned cells, unsigned rows) {
  const unsigned at = blockIdx.x * blockDim.x + threadIdx.x;
  float sum = 0.0f;
  if (at < genes) {
    const float c = expf(log_c[at]);
    for (unsigned row = threadIdx.y; row < rows; row += blockDim.y) {
      const float mean = scales[2u * row + 1u] * expf(logits[(place)row * genes + at] - scales[2u * row]);
      sum += by_row[row] * gene(mean, c, counts[(place)(row % cells) * genes + at]).by_log;
    }
  }
  sum = band_sum(sum);
  if (threadIdx.y == 0u && at < genes) by_log[at] = sum;
}

// ln Γ(c + x) − ln Γ(c).
DEVICE float ln_rising(float c, float x) {
  if (x <= MOST_TERMS && x == floorf(x)) {
    float sum = 0.0f;
    for (float step = 0.0f; step < x; step += 1.0f) sum += logf(c + step);
    return sum;
  }
  return (float)(lgamma((double)c + (double)x) - lgamma((double)c));
}

// ψ(x) of x > 0: up to where the asymptotic series holds, then that.
DEVICE double digamma(double x) {
  double sum = 0.0;
  for (; x < 8.0; x += 1.0) sum -= 1.0 / x;
  const double inverse = 1.0 / x, square = inverse * inverse;
  return sum + log(x) - 0.5 * inverse -
         square * (1.0 / 12.0 - square * (1.0 / 120.0 - square * (1.0 / 252.0 - square * (1.0 / 240.0))));
}

// ψ(c + x) − ψ(c).
DEVICE float digamma_rising(float c, float x) {
  if (x <= MOST_TERMS && x == floorf(x)) {
    float sum = 0.0f;
    for (float step = 0.0f; step < x; step += 1.0f) sum += 1.0f / (c + step);
    return sum;
  }
  return (float)(digamma((double)c + (double)x) - digamma((double)c));
}

// Σ_g ln Γ(x + c) − ln Γ(c) − ln Γ(x + 1) of every cell.
KERNEL count_terms(const float* log_c, const float* counts, float* sums, unsigned genes) {
  const float* seen = counts + (place)blockIdx.x * genes;
  float sum = 0.0f;
  for (unsigned at = threadIdx.x; at < genes; at += blockDim.x)
    if (seen[at] != 0.0f) sum += ln_rising(expf(log_c[at]), seen[at]) - ln_rising(1.0f, seen[at]);
  sum = block_sum(sum);
  if (threadIdx.x == 0u) sums[blockIdx.x] = sum;
}

// The way back of it to log c.
KERNEL count_terms_by_log(const float* log_c, const float* counts, const float* by_cell, float* by_log, unsigned genes,
                          unsigned cells) {
  const unsigned at = blockIdx.x * blockDim.x + threadIdx.x;
  float sum = 0.0f, c = 0.0f;
  if (at < genes) {
    c = expf(log_c[at]);
    for (unsigned cell = threadIdx.y; cell < cells; cell += blockDim.y) {
      const float x = counts[(place)cell * genes + at];
      if (x != 0.0f) sum += by_cell[cell] * digamma_rising(c, x);
    }
  }
  sum = band_sum(sum);
  if (threadIdx.y == 0u && at < genes) by_log[at] = sum * c;
}

// ---- A layer's bias and activation, after its product; a leak of 1 is no activation ----

KERNEL bias_leaky(const float* x, const float* bias, float* y, unsigned columns, place count, float leak) {
  for (place at = (place)blockIdx.x * blockDim.x + threadIdx.x; at < count; at += (place)gridDim.x * blockDim.x) {
    const float value = x[at] + bias[at % columns];
    y[at] = fmaxf(value, leak * value);
  }
}

KERNEL leaky(const float* x, float* y, place count, float leak) {
  for (place at = (place)blockIdx.x * blockDim.x + threadIdx.x; at < count; at += (place)gridDim.x * blockDim.x)
    y[at] = fmaxf(x[at], leak * x[at]);
}

// The way back to x, from what the layer gave.
KERNEL leaky_slope(const float* by_y, const float* y, float* by_x, place count, float leak) {
  for (place at = (place)blockIdx.x * blockDim.x + threadIdx.x; at < count; at += (place)gridDim.x * blockDim.x)
    by_x[at] = y[at] > 0.0f ? by_y[at] : leak * by_y[at];
}

// Σ over rows of every column: the way back to the bias.
KERNEL column_sums(const float* values, float* sums, unsigned columns, unsigned rows) {
  const unsigned at = blockIdx.x * blockDim.x + threadIdx.x;
  float sum = 0.0f;
  if (at < columns)
    for (unsigned row = threadIdx.y; row < rows; row += blockDim.y) sum += values[(place)row * columns + at];
  sum = band_sum(sum);
  if (threadIdx.y == 0u && at < columns) sums[at] = sum;
}

// ---- Adam: weight decay in the gradient, and the whole gradient scaled to a largest norm, see nn/adam.rs ----

// Σ x² of each block's part.
KERNEL squares(const float* values, float* parts, place count) {
  float sum = 0.0f;
  for (place at = (place)blockIdx.x * blockDim.x + threadIdx.x; at < count; at += (place)gridDim.x * blockDim.x)
    sum += values[at] * values[at];
  sum = block_sum(sum);
  if (threadIdx.x == 0u) parts[blockIdx.x] = sum;
}

// Moments (first, then second) from a gradient whose squared norm is the sum of `parts`; nothing where that is no number.
KERNEL adam_moments(float* moments, const float* values, const float* gradient, const float* parts, place count, unsigned part_count,
                    float most, float decay, float beta1, float beta2) {
  float norm = 0.0f;
  for (unsigned at = threadIdx.x; at < part_count; at += blockDim.x) norm += parts[at];
  norm = sqrtf(block_sum(norm));
  if (!(norm <= LARGEST)) return;
  const float scale = fminf(most / (norm + 1e-6f), 1.0f);
  float *first = moments, *second = moments + count;
  for (place at = (place)blockIdx.x * blockDim.x + threadIdx.x; at < count; at += (place)gridDim.x * blockDim.x) {
    const float slope = gradient[at] * scale + decay * values[at];
    first[at] += (1.0f - beta1) * (slope - first[at]);
    second[at] = beta2 * second[at] + (1.0f - beta2) * slope * slope;
  }
}

// The step itself; `rate` is the learning rate over 1 − β₁ᵗ, `root` 1/√(1 − β₂ᵗ).
KERNEL adam_step(float* values, const float* moments, const float* parts, place count, unsigned part_count, float rate, float root,
                 float epsilon) {
  float norm = 0.0f;
  for (unsigned at = threadIdx.x; at < part_count; at += blockDim.x) norm += parts[at];
  norm = block_sum(norm);
  if (!(norm <= LARGEST)) return;
  for (place at = (place)blockIdx.x * blockDim.x + threadIdx.x; at < count; at += (place)gridDim.x * blockDim.x)
    values[at] -= rate * moments[at] / (sqrtf(moments[count + at]) * root + epsilon);
}

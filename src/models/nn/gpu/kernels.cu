// The kernels of a training step on an NVIDIA GPU; compiled when a device is opened (NVRTC), so that no compiler is needed where the
// program is built or used.
//
// All matrices are row-major f32. A block works on one row, or on a band of columns; threads stride, so that any number of them gives the
// sums. Sums are taken in a fixed order: the same input gives the same bits.
//
// It uses little of the language beyond C, so that a host's compiler takes the same text, a thread of the system for each of a block's:
// that is how steps are tested where there is no GPU.
//
// P particles, B cells, B' of them with a counterfactual partner, R rows of effects (the treatments of the cells, then those of the partners),
// T treatments, L latent dimensions, H units of a layer. What enters the encoder of the basal state are E = B + 2B' rows for every particle: the
// cells, the cells with a partner under the draws of the cells, and the partners under the second draws.

// Of f32: what is above it, or no number, is not compared with it.
#define LARGEST 3.402823466e38f
// Of f32, from 1 to the next number above.
#define EPSILON 1.1920929e-7f
#define MEAN_FLOOR 1e-4f
#define RATE_FLOOR 1e-6f
// Counts up to this are summed term by term, as on the processor.
#define MOST_TERMS 16.0f

// Logits of the mask are kept within this.
#define LARGEST_LOGIT 15.942385f
#define LARGEST_LOG 88.0f
#define VARIANCE_FLOOR 1e-4f

#define KERNEL extern "C" __global__ void
#define DEVICE __device__ __forceinline__
#define FULL 0xffffffffu
// Values one by one, in strides of the whole grid.
#define EACH(at, count) \
  for (place at = (place)blockIdx.x * blockDim.x + threadIdx.x; at < (count); at += (place)gridDim.x * blockDim.x)

typedef unsigned long long place;

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

// The way back of it to the logits, given the gradient by the sums of every cell.
KERNEL counts_by_logits(const float* logits, const float* scales, const float* log_c, const float* counts, const float* library,
                        const float* by_cell, float* by_logits, unsigned genes, unsigned cells) {
  const unsigned row = blockIdx.x;
  const float* own = logits + (place)row * genes;
  const float* seen = counts + (place)(row % cells) * genes;
  float* out = by_logits + (place)row * genes;
  const float largest = scales[2u * row], scale = scales[2u * row + 1u], weight = by_cell[row % cells];
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
KERNEL counts_by_log(const float* logits, const float* scales, const float* log_c, const float* counts, const float* by_cell,
                     float* by_log, unsigned genes, unsigned cells, unsigned rows) {
  const unsigned at = blockIdx.x * blockDim.x + threadIdx.x;
  float sum = 0.0f;
  if (at < genes) {
    const float c = expf(log_c[at]);
    for (unsigned row = threadIdx.y; row < rows; row += blockDim.y) {
      const float mean = scales[2u * row + 1u] * expf(logits[(place)row * genes + at] - scales[2u * row]);
      sum += by_cell[row % cells] * gene(mean, c, counts[(place)(row % cells) * genes + at]).by_log;
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

// The way back of it to log c, for so many particles, added.
KERNEL count_terms_by_log(const float* log_c, const float* counts, const float* by_cell, float* by_log, unsigned genes, unsigned cells,
                          float particles) {
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
  if (threadIdx.y == 0u && at < genes) by_log[at] += particles * sum * c;
}

// ---- Sums, products, copies ----

// What every element has been summed to in each block's part.
KERNEL squares(const float* values, float* parts, place count) {
  float sum = 0.0f;
  EACH(at, count) sum += values[at] * values[at];
  sum = block_sum(sum);
  if (threadIdx.x == 0u) parts[blockIdx.x] = sum;
}

// Adds scale · Σ value · weight to a number, by one block; weights come again after `period` values (no weights: 1).
KERNEL weighted_sum(const float* values, const float* weights, float* sum, place count, unsigned period, unsigned weighted, float scale) {
  float own = 0.0f;
  for (place at = threadIdx.x; at < count; at += blockDim.x)
    own += weighted ? values[at] * weights[at % period] : values[at];
  own = block_sum(own);
  if (threadIdx.x == 0u) sum[0] += scale * own;
}

// Σ over rows of every column: the way back to a bias.
KERNEL column_sums(const float* values, float* sums, unsigned columns, unsigned rows) {
  const unsigned at = blockIdx.x * blockDim.x + threadIdx.x;
  float sum = 0.0f;
  if (at < columns)
    for (unsigned row = threadIdx.y; row < rows; row += blockDim.y) sum += values[(place)row * columns + at];
  sum = band_sum(sum);
  if (threadIdx.y == 0u && at < columns) sums[at] = sum;
}

KERNEL fill(float* values, place count, float value) {
  EACH(at, count) values[at] = value;
}

KERNEL copy(const float* from, float* to, place count) {
  EACH(at, count) to[at] = from[at];
}

KERNEL add(float* sums, const float* values, place count) {
  EACH(at, count) sums[at] += values[at];
}

KERNEL multiply(const float* a, const float* b, float* product, place count) {
  EACH(at, count) product[at] = a[at] * b[at];
}

KERNEL gather_rows(const float* table, const unsigned* rows, float* out, unsigned width, place count) {
  EACH(at, count) out[at] = table[(place)rows[at / width] * width + at % width];
}

// ---- Cells of a batch: counts, and what the encoder reads of them, from the counts that are not 0 ----

// Of every cell its counts, and (f(count) − mean) / deviation, f(x) = log(1 + x) or x. A gene that does not vary (deviation 0) is read as
// if its count were 0. `tables` are by gene what is read of a count of 0, means, deviations.
KERNEL expand(const unsigned* starts, const unsigned* columns, const float* values, const float* tables, float* counts, float* read,
              unsigned genes, unsigned logs) {
  const unsigned row = blockIdx.x;
  float *own_counts = counts + (place)row * genes, *own_read = read + (place)row * genes;
  const float *of_zero = tables, *means = tables + genes, *deviations = tables + 2u * genes;
  for (unsigned at = threadIdx.x; at < genes; at += blockDim.x) {
    own_counts[at] = 0.0f;
    own_read[at] = of_zero[at];
  }
  __syncthreads();
  for (unsigned at = starts[row] + threadIdx.x; at < starts[row + 1u]; at += blockDim.x) {
    const unsigned gene = columns[at];
    const float count = values[at];
    own_counts[gene] = count;
    if (deviations[gene] > 0.0f) {
      const float value = ((logs ? log1pf(count) : count) - means[gene]) / deviations[gene];
      own_read[gene] = value > LARGEST ? 1e6f : value >= -LARGEST ? value : 1e-6f;
    }
  }
}

// ---- Layers; a leak of 1 is no activation ----

KERNEL bias_leaky(float* x, const float* bias, unsigned columns, place count, float leak) {
  EACH(at, count) {
    const float value = x[at] + bias[at % columns];
    x[at] = fmaxf(value, leak * value);
  }
}

// LeakyReLU of a layer's product and bias, where the product is; that and what entered the layer, in `out`.
KERNEL residual(float* product, const float* bias, const float* x, float* out, unsigned columns, place count, float leak) {
  EACH(at, count) {
    const float value = product[at] + bias[at % columns], activated = fmaxf(value, leak * value);
    product[at] = activated;
    out[at] = activated + x[at];
  }
}

// The way back through LeakyReLU, from what came out of it.
KERNEL leaky_slope(const float* by_y, const float* y, float* by_x, place count, float leak) {
  EACH(at, count) by_x[at] = y[at] > 0.0f ? by_y[at] : leak * by_y[at];
}

// ---- The mask M: Bernoulli draws, rounded forward and soft backward, and their log prior − log posterior ----

DEVICE float sigmoid(float x) { return 1.0f / (1.0f + expf(-x)); }

DEVICE float logit(float p) {
  const float q = fminf(fmaxf(p, EPSILON), 1.0f - EPSILON);
  return logf(q) - log1pf(-q);
}

// Logits of some rows of the mask's parameters: these, or those of the probabilities that they are.
KERNEL mask_logits(const float* parameters, const unsigned* rows, float* logits, unsigned width, place count, unsigned probabilities,
                   float largest) {
  EACH(at, count) {
    const float value = parameters[(place)rows[at / width] * width + at % width];
    logits[at] = fminf(fmaxf(probabilities ? logit(value) : value, -largest), largest);
  }
}

// Rows of logits (`pairs` of them in all) under every particle's logistic draws, or uniform ones.
KERNEL mask_sample(const float* logits, const float* draws, float* soft, float* mask, place pairs, place count, float inverse_temperature,
                   unsigned uniform) {
  EACH(at, count) {
    const float u = fminf(fmaxf(draws[at], EPSILON), 1.0f - EPSILON);
    const float logistic = uniform ? logf(u) - logf(1.0f - u) : draws[at];
    soft[at] = sigmoid((logistic + logits[at % pairs]) * inverse_temperature);
    mask[at] = soft[at] >= 0.5f ? 1.0f : 0.0f;
  }
}

// Σ_t M·(log odds of the prior − logit) + log complement of the prior + softplus(logit) of every row of M; `prior` are the log odds, then
// the log complements, of every pair of treatments or (priors 1) of all alike.
KERNEL mask_ratio(const float* mask, const float* logits, const float* prior, const unsigned* rows, float* sums, unsigned width,
                  unsigned effects, place priors) {
  const unsigned row = blockIdx.x % effects;
  const float *own = mask + (place)blockIdx.x * width, *of_row = logits + (place)row * width;
  const place from = priors == 1u ? 0u : (place)rows[row] * width;
  float sum = 0.0f;
  for (unsigned at = threadIdx.x; at < width; at += blockDim.x) {
    const place pair = priors == 1u ? 0u : from + at;
    const float l = of_row[at];
    sum += own[at] * (prior[pair] - l) + prior[priors + pair] + fmaxf(l, 0.0f) + log1pf(expf(-fabsf(l)));
  }
  sum = block_sum(sum);
  if (threadIdx.x == 0u) sums[blockIdx.x] = sum;
}

// The way back from M and the ratios of its rows (`seeds`) to the logits of the rows, over all particles.
KERNEL mask_back(const float* logits, const float* soft, const float* mask, const float* by_mask, const float* prior, const unsigned* rows,
                 const float* seeds, float* by_logits, unsigned width, place pairs, place count, place priors, float inverse_temperature) {
  EACH(pair, pairs) {
    const unsigned row = (unsigned)(pair / width);
    const float seed = seeds[row], l = logits[pair], share = sigmoid(l);
    const float odds = prior[priors == 1u ? 0u : (place)rows[row] * width + pair % width];
    float sum = 0.0f;
    for (place at = pair; at < count; at += pairs)
      sum += (by_mask[at] + seed * (odds - l)) * soft[at] * (1.0f - soft[at]) * inverse_temperature + seed * (share - mask[at]);
    by_logits[pair] = sum;
  }
}

// From there, and from the gradient by all logits (T × T) of what does not draw, to the parameters, with that of the sparsity; `places` tell
// where a treatment stands among the rows, first of the cells and then of the partners (none: beyond all).
KERNEL mask_parameters_back(const float* by_all, const float* by_rows, const unsigned* places, const float* parameters, float* by_parameters,
                            unsigned width, unsigned effects, place count, unsigned probabilities, float sparsity) {
  EACH(at, count) {
    const unsigned row = (unsigned)(at / width), column = (unsigned)(at % width);
    const unsigned first = places[row], second = places[width + row];
    const float value = parameters[at];
    float drawn = 0.0f;
    if (first < effects) drawn += by_rows[(place)first * width + column];
    if (second < effects) drawn += by_rows[(place)second * width + column];
    if (probabilities) {
      const bool inside = value >= EPSILON && value <= 1.0f - EPSILON;
      by_parameters[at] = (inside ? (drawn + by_all[at]) / (value * (1.0f - value)) : 0.0f) + (value > 0.0f && value <= 1.0f ? sparsity : 0.0f);
    } else {
      const float share = sigmoid(value);
      by_parameters[at] = (fabsf(value) <= LARGEST_LOGIT ? drawn : 0.0f) + by_all[at] + sparsity * share * (1.0f - share);
    }
  }
}

// Σ of the probabilities in each block's part.
KERNEL mask_size(const float* parameters, float* parts, place count, unsigned probabilities) {
  float sum = 0.0f;
  EACH(at, count) sum += probabilities ? fminf(fmaxf(parameters[at], 0.0f), 1.0f) : sigmoid(parameters[at]);
  sum = block_sum(sum);
  if (threadIdx.x == 0u) parts[blockIdx.x] = sum;
}

// ---- Alignment: γ · mean |D·S − target|, S = A + A²/T + …; D by distinct conditions ----

// Σ of the rows in every list.
KERNEL sum_rows(const float* table, const unsigned* starts, const unsigned* rows, float* sums, unsigned width, place count) {
  EACH(at, count) {
    float sum = 0.0f;
    for (unsigned place_of = starts[at / width]; place_of < starts[at / width + 1u]; ++place_of)
      sum += table[(place)rows[place_of] * width + at % width];
    sums[at] = sum;
  }
}

// Σ |D·S − target| over the cells of every condition and treatment, and (scaled) the gradient by D·S.
KERNEL distance(const float* sums, const float* targets, const float* measured, const unsigned* starts, const unsigned* cells, float* parts,
                float* by_sums, unsigned width, place count, float factor) {
  EACH(at, count) {
    const unsigned condition = (unsigned)(at / width), column = (unsigned)(at % width);
    float total = 0.0f, signs = 0.0f;
    for (unsigned place_of = starts[condition]; place_of < starts[condition + 1u]; ++place_of) {
      const float difference = sums[at] - targets[(place)cells[place_of] * width + column];
      total += fabsf(difference);
      signs += difference > 0.0f ? 1.0f : difference < 0.0f ? -1.0f : 0.0f;
    }
    parts[at] = total * measured[column];
    by_sums[at] = signs * measured[column] * factor;
  }
}

// ---- Normal variables whose mean and log variance are heads of a network. The variance is exp(log) + 1e-4, the log kept within ±88. A row of
// ---- draws has the heads ((row / inner) · stride + row % inner) % heads.

DEVICE float bounded_exp(float log_variance) { return expf(fminf(fmaxf(log_variance, -LARGEST_LOG), LARGEST_LOG)); }

// Derivative of the variance by its log.
DEVICE float by_log_variance(float log_variance) {
  return fabsf(log_variance) <= LARGEST_LOG ? expf(log_variance) : 0.0f;
}

DEVICE place head_of(place row, unsigned inner, unsigned stride, unsigned heads) { return (row / inner * stride + row % inner) % heads; }

KERNEL normal_draw(const float* means, const float* log_variances, const float* noise, float* x, unsigned width, unsigned inner,
                   unsigned stride, unsigned heads, place count) {
  EACH(at, count) {
    const place head = head_of(at / width, inner, stride, heads) * width + at % width;
    x[at] = means[head] + sqrtf(bounded_exp(log_variances[head]) + VARIANCE_FLOOR) * noise[at];
  }
}

// Σ ½(noise² + log variance − x²/σ² − log σ²) of every row, σ the prior's standard deviation.
KERNEL normal_ratio(const float* x, const float* log_variances, const float* noise, float* sums, unsigned width, unsigned inner,
                    unsigned stride, unsigned heads, float by_square, float log_square) {
  const place start = (place)blockIdx.x * width, head = head_of(blockIdx.x, inner, stride, heads) * width;
  float sum = 0.0f;
  for (unsigned at = threadIdx.x; at < width; at += blockDim.x) {
    const float value = x[start + at], drawn = noise[start + at];
    const float log_variance = logf(bounded_exp(log_variances[head + at]) + VARIANCE_FLOOR);
    sum += 0.5f * (drawn * drawn - value * value * by_square + log_variance - log_square);
  }
  sum = block_sum(sum);
  if (threadIdx.x == 0u) sums[blockIdx.x] = sum;
}

// The way back from the draws and the ratios of their rows (`seeds`, again after `period`) to the heads, one row of draws to each, or (heads 1)
// all to the same.
KERNEL normal_back(const float* x, const float* log_variances, const float* noise, const float* by_x, const float* seeds, float* by_means,
                   float* by_logs, unsigned width, unsigned inner, unsigned stride, unsigned heads, place count, unsigned period,
                   float by_square) {
  const place own = heads == 1u ? width : count;
  EACH(first, own) {
    const place head = head_of(first / width, inner, stride, heads) * width + first % width;
    const float log_variance = log_variances[head], variance = bounded_exp(log_variance) + VARIANCE_FLOOR;
    float by_mean = 0.0f, by_variance = 0.0f;
    for (place at = first; at < count; at += own) {
      const float seed = seeds[at / width % period], slope = by_x[at] - seed * x[at] * by_square;
      by_mean += slope;
      by_variance += slope * noise[at] * 0.5f / sqrtf(variance) + seed * 0.5f / variance;
    }
    by_means[head] = by_mean;
    by_logs[head] = by_variance * by_log_variance(log_variance);
  }
}

// The divergence of every partner's distribution from its cell's: Σ ½(distance + ratio − log ratio − 1), the distance of the means over the
// variance (`exact`) or as it is; and the gradients by the heads of both, times `seed`.
KERNEL divergence(const float* means, const float* log_variances, float* sums, float* by_means, float* by_logs, unsigned width,
                  unsigned entering, unsigned cells, unsigned partners, unsigned exact, float seed) {
  const unsigned particle = blockIdx.x / partners, partner = blockIdx.x % partners;
  const place row = (place)particle * entering + cells + partner;
  const place measured = row * width, other = (row + partners) * width;
  float sum = 0.0f;
  for (unsigned at = threadIdx.x; at < width; at += blockDim.x) {
    const float log_p = log_variances[measured + at], log_q = log_variances[other + at];
    const float p = bounded_exp(log_p) + VARIANCE_FLOOR, q = bounded_exp(log_q) + VARIANCE_FLOOR;
    const float difference = means[other + at] - means[measured + at], ratio = q / p;
    const float distance = exact ? difference * difference / p : difference * difference;
    sum += 0.5f * (distance + ratio - logf(ratio) - 1.0f);
    const float by_mean = seed * (exact ? difference / p : difference);
    by_means[other + at] = by_mean;
    by_means[measured + at] = -by_mean;
    by_logs[other + at] = seed * 0.5f * (1.0f / p - 1.0f / q) * by_log_variance(log_q);
    by_logs[measured + at] = seed * 0.5f * (1.0f / p - ratio / p - (exact ? distance / p : 0.0f)) * by_log_variance(log_p);
  }
  sum = block_sum(sum);
  if (threadIdx.x == 0u) sums[blockIdx.x] = sum;
}

// ---- First layers: a part of its own, effects of the treatments, artifact ----

// The effect encoder's: product with the mask, bias and the one-hot part, a column of the weight (H × 2T).
KERNEL enter_effects(float* product, const float* weight, const float* bias, const unsigned* rows, unsigned width, unsigned effects,
                     unsigned treatments, place count, float leak) {
  EACH(at, count) {
    const unsigned row = (unsigned)(at / width % effects), unit = (unsigned)(at % width);
    const float value = product[at] + bias[unit] + weight[(place)unit * 2u * treatments + treatments + rows[row]];
    product[at] = fmaxf(value, leak * value);
  }
}

// The way back to that part of the weight.
KERNEL one_hot_back(const float* by_rows, const unsigned* places, float* by_weight, unsigned width, unsigned effects, unsigned treatments,
                    unsigned particles, place count) {
  EACH(at, count) {
    const unsigned treatment = (unsigned)(at % treatments), unit = (unsigned)(at / treatments);
    float sum = 0.0f;
    for (unsigned draw = 0u; draw < 2u; ++draw) {
      const unsigned row = places[draw * treatments + treatment];
      if (row < effects)
        for (unsigned particle = 0u; particle < particles; ++particle)
          sum += by_rows[((place)particle * effects + row) * width + unit];
    }
    by_weight[(place)unit * 2u * treatments + treatments + treatment] = sum;
  }
}

// LeakyReLU of the own part (of the particle's row, or by `own_of` one for all particles), the bias, the effects (P × R × H) of a row's
// treatments and (`flags`) the artifact of its draw (2P × H).
KERNEL enter(const float* own, const unsigned* own_of, const float* bias, const float* offsets, const float* artifacts, const unsigned* starts,
             const unsigned* places, const float* flags, const unsigned* seconds, float* out, unsigned width, unsigned rows,
             unsigned effects, unsigned particles, unsigned by_particle, unsigned shared, place count, float leak) {
  EACH(at, count) {
    const place row = at / width;
    const unsigned unit = (unsigned)(at % width), particle = (unsigned)(row / rows), entering = (unsigned)(row % rows);
    float value = own[(by_particle ? row : own_of[entering]) * width + unit] + bias[unit];
    if (shared) {
      for (unsigned place_of = starts[entering]; place_of < starts[entering + 1u]; ++place_of)
        value += offsets[((place)particle * effects + places[place_of]) * width + unit];
      const unsigned artifact = seconds[entering] ? particles + particle : particle;
      value += flags[entering] * artifacts[(place)artifact * width + unit];
    }
    out[at] = fmaxf(value, leak * value);
  }
}

// The ways back: to the own parts of cells and partners, over particles,
KERNEL own_back(const float* by_rows, const unsigned* partner_of, float* by_own, unsigned width, unsigned rows, unsigned cells,
                unsigned partners, unsigned particles, place count) {
  EACH(at, count) {
    const unsigned own = (unsigned)(at / width), unit = (unsigned)(at % width);
    float sum = 0.0f;
    for (unsigned particle = 0u; particle < particles; ++particle) {
      const place first = (place)particle * rows;
      sum += by_rows[(first + (own < cells ? own : own + partners)) * width + unit];
      if (own < cells && partner_of[own] < partners) sum += by_rows[(first + cells + partner_of[own]) * width + unit];
    }
    by_own[at] = sum;
  }
}

// to the effects, by the rows in each one's list (rising; those below `rows` count),
KERNEL offsets_back(const float* by_rows, const unsigned* starts, const unsigned* list, float* by_offsets, unsigned width, unsigned rows,
                    unsigned effects, place count) {
  EACH(at, count) {
    const place row = at / width, first = row / effects * rows;
    const unsigned effect = (unsigned)(row % effects);
    float sum = 0.0f;
    for (unsigned place_of = starts[effect]; place_of < starts[effect + 1u] && list[place_of] < rows; ++place_of)
      sum += by_rows[(first + list[place_of]) * width + at % width];
    by_offsets[at] = sum;
  }
}

// and to the artifacts of both draws: a band of 32 units to a block, for every particle and draw.
KERNEL artifacts_back(const float* by_rows, const float* flags, const unsigned* seconds, float* by_artifacts, unsigned width, unsigned rows,
                      unsigned particles) {
  const unsigned bands = (width + 31u) / 32u, artifact = blockIdx.x / bands, unit = blockIdx.x % bands * 32u + threadIdx.x;
  const unsigned second = artifact >= particles ? 1u : 0u;
  const place first = (place)(artifact % particles) * rows;
  float sum = 0.0f;
  if (unit < width)
    for (unsigned row = threadIdx.y; row < rows; row += blockDim.y)
      if (seconds[row] == second && flags[row] != 0.0f) sum += flags[row] * by_rows[(first + row) * width + unit];
  sum = band_sum(sum);
  if (threadIdx.y == 0u && unit < width) by_artifacts[(place)artifact * width + unit] = sum;
}

// From the gradient by E∘M to those by M and, in its place, by E.
KERNEL masked_back(float* by_masked, const float* mask, const float* effects, float* by_mask, place count) {
  EACH(at, count) {
    by_mask[at] = by_masked[at] * effects[at];
    by_masked[at] *= mask[at];
  }
}

// ---- The decoder's output: bias and effects on single genes ----

KERNEL decoded(float* logits, const float* bias, const float* effects, const unsigned* starts, const unsigned* places, const unsigned* rows,
               unsigned cells, unsigned genes, unsigned with_effects, place count) {
  EACH(at, count) {
    const unsigned gene_of = (unsigned)(at % genes), cell = (unsigned)(at / genes % cells);
    float value = logits[at] + bias[gene_of];
    if (with_effects)
      for (unsigned place_of = starts[cell]; place_of < starts[cell + 1u]; ++place_of)
        value += effects[(place)rows[places[place_of]] * genes + gene_of];
    logits[at] = value;
  }
}

#define ROUNDED 0.02f

// −log of the prior of the effects on single genes of every treatment, less its constant, by its weight, and the gradient; a prior flat about 0
// or (`peaked`) a double Pareto, see gpo_vae/variants.rs.
KERNEL gene_effects_prior(const float* effects, const unsigned* rows, const float* weights, float* sums, float* by_effects, unsigned genes,
                          unsigned peaked, float spread) {
  const place start = (place)rows[blockIdx.x] * genes;
  const float weight = weights[blockIdx.x], squared = spread * spread, rounded = ROUNDED * spread;
  float sum = 0.0f;
  for (unsigned at = threadIdx.x; at < genes; at += blockDim.x) {
    const float x = effects[start + at], root = sqrtf(x * x + rounded * rounded);
    sum += peaked ? 2.0f * log1pf((root - rounded) / spread) : log1pf(x * x / squared);
    by_effects[start + at] = weight * (peaked ? 2.0f * x / (root * (spread + root - rounded)) : 2.0f * x / (squared + x * x));
  }
  sum = block_sum(sum);
  if (threadIdx.x == 0u) sums[blockIdx.x] = weight * sum;
}

// The way back from the decoder's output, added: a treatment and a band of genes to a block.
KERNEL gene_effects_back(const float* by_logits, const unsigned* starts, const unsigned* list, const unsigned* rows, float* by_effects,
                         unsigned particles, unsigned cells, unsigned genes) {
  const unsigned bands = (genes + blockDim.x - 1u) / blockDim.x, effect = blockIdx.x / bands;
  const unsigned at = blockIdx.x % bands * blockDim.x + threadIdx.x;
  if (at >= genes) return;
  float sum = 0.0f;
  for (unsigned place_of = starts[effect]; place_of < starts[effect + 1u] && list[place_of] < cells; ++place_of)
    for (unsigned particle = 0u; particle < particles; ++particle)
      sum += by_logits[((place)particle * cells + list[place_of]) * genes + at];
  by_effects[(place)rows[effect] * genes + at] += sum;
}

// ---- Adam: weight decay in the gradient, and the whole gradient scaled to a largest norm, see nn/adam.rs ----

// One step with a gradient whose squared norm is the sum of `parts`; nothing where that is no number. `rate` is the learning rate over 1 − β₁ᵗ,
// `root` 1/√(1 − β₂ᵗ).
KERNEL adam(float* values, const float* gradient, float* first, float* second, const float* parts, place count, unsigned part_count,
            float most, float decay, float beta1, float beta2, float rate, float root, float epsilon) {
  float norm = 0.0f;
  for (unsigned at = threadIdx.x; at < part_count; at += blockDim.x) norm += parts[at];
  norm = sqrtf(block_sum(norm));
  if (!(norm <= LARGEST)) return;
  const float scale = fminf(most / (norm + 1e-6f), 1.0f);
  EACH(at, count) {
    const float slope = gradient[at] * scale + decay * values[at];
    first[at] += (1.0f - beta1) * (slope - first[at]);
    second[at] = beta2 * second[at] + (1.0f - beta2) * slope * slope;
    values[at] -= rate * first[at] / (sqrtf(second[at]) * root + epsilon);
  }
}

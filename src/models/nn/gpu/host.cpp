// Runs kernels where there is no GPU: every thread of a block is a thread of the system, blocks follow each other.
//
// Standard input: a line `name blocks threads_x threads_y`, a line with the lengths of the arrays, one with whole numbers, one with
// numbers, then the arrays as f32. Standard output: the arrays afterwards.

#include <barrier>
#include <cmath>
#include <cstdio>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

struct Place3 {
  unsigned x = 0, y = 0, z = 0;
};
static thread_local Place3 threadIdx;
static Place3 blockIdx, blockDim, gridDim;
static std::unique_ptr<std::barrier<>> barrier;
static std::vector<float> exchanged;

static void __syncthreads() { barrier->arrive_and_wait(); }

static float __shfl_xor_sync(unsigned, float value, unsigned step) {
  exchanged[threadIdx.x] = value;
  __syncthreads();
  const float other = exchanged[threadIdx.x ^ step];
  __syncthreads();
  return other;
}

#define __global__
#define __device__
#define __forceinline__ inline
#define __shared__ static

#include KERNELS

int main() {
  std::string name, line;
  unsigned threads_x, threads_y;
  std::getline(std::cin, line);
  std::istringstream(line) >> name >> gridDim.x >> threads_x >> threads_y;
  blockDim = {threads_x, threads_y, 1};
  std::vector<size_t> lengths;
  std::vector<place> u;
  std::vector<float> f;
  const auto read = [&](auto& into) {
    std::getline(std::cin, line);
    std::istringstream numbers(line);
    typename std::remove_reference_t<decltype(into)>::value_type value;
    while (numbers >> value) into.push_back(value);
  };
  read(lengths);
  read(u);
  read(f);
  std::vector<std::vector<float>> arrays;
  for (size_t length : lengths) {
    arrays.emplace_back(length);
    std::cin.read(reinterpret_cast<char*>(arrays.back().data()), length * sizeof(float));
  }
  std::vector<float*> a;
  for (auto& values : arrays) a.push_back(values.data());

  const auto kernel = [&] {
    if (name == "row_scales") row_scales(a[0], a[1], a[2], u[0], u[1]);
    else if (name == "counts_value") counts_value(a[0], a[1], a[2], a[3], a[4], u[0], u[1]);
    else if (name == "counts_by_logits") counts_by_logits(a[0], a[1], a[2], a[3], a[4], a[5], a[6], u[0], u[1]);
    else if (name == "counts_by_log") counts_by_log(a[0], a[1], a[2], a[3], a[4], a[5], u[0], u[1], u[2]);
    else if (name == "count_terms") count_terms(a[0], a[1], a[2], u[0]);
    else if (name == "count_terms_by_log") count_terms_by_log(a[0], a[1], a[2], a[3], u[0], u[1]);
    else if (name == "bias_leaky") bias_leaky(a[0], a[1], a[2], u[0], u[1], f[0]);
    else if (name == "leaky") leaky(a[0], a[1], u[0], f[0]);
    else if (name == "leaky_slope") leaky_slope(a[0], a[1], a[2], u[0], f[0]);
    else if (name == "column_sums") column_sums(a[0], a[1], u[0], u[1]);
    else if (name == "squares") squares(a[0], a[1], u[0]);
    else if (name == "adam_moments") adam_moments(a[0], a[1], a[2], a[3], u[0], u[1], f[0], f[1], f[2], f[3]);
    else if (name == "adam_step") adam_step(a[0], a[1], a[2], u[0], u[1], f[0], f[1], f[2]);
    else std::abort();
  };
  const unsigned count = threads_x * threads_y;
  barrier = std::make_unique<std::barrier<>>(count);
  exchanged.resize(count);
  std::vector<std::thread> threads;
  for (unsigned at = 0; at < count; ++at)
    threads.emplace_back([&, at] {
      threadIdx = {at % threads_x, at / threads_x, 0};
      for (unsigned block = 0; block < gridDim.x; ++block) {
        if (at == 0) blockIdx.x = block;
        __syncthreads();
        kernel();
        __syncthreads();
      }
    });
  for (auto& thread : threads) thread.join();
  for (auto& values : arrays) std::fwrite(values.data(), sizeof(float), values.size(), stdout);
}

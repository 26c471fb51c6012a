// What stands for a GPU where there is none: memory, kernels and products on the processor, asked for over standard input.
//
// The threads of a block take turns: each runs until it waits for the others or is at its end; blocks follow each other. Memory begins as
// numbers that are none, and has guards on both sides that are looked at after every kernel.
//
// Requests are lines, answers lines: `allocate COUNT`, `release POINTER`, `upload POINTER COUNT` and the words, `download POINTER COUNT`
// (the words follow the answer), `launch NAME BLOCKS X Y COUNT` and so many arguments (`a` pointer, `w` unsigned, `p` place, `n` float),
// `product` (see below). A request that is wrong ends the program with the reason on standard error.

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <iostream>
#include <map>
#include <string>
#include <tuple>
#include <type_traits>
#include <ucontext.h>
#include <vector>

struct Place3 {
  unsigned x = 0, y = 0, z = 0;
};
static Place3 threadIdx, blockIdx, blockDim, gridDim;

// One of a block's threads.
struct Fiber {
  ucontext_t context;
  std::vector<char> stack = std::vector<char>(128 << 10);
  Place3 index;
  bool done = false;
  unsigned waited = 0;
};
static std::vector<Fiber> fibers;
static size_t current;
static ucontext_t scheduler;
static std::vector<float> exchanged;

[[noreturn]] static void fail(const std::string& why) {
  std::fprintf(stderr, "%s\n", why.c_str());
  std::exit(3);
}

static void __syncthreads() {
  Fiber& own = fibers[current];
  ++own.waited;
  swapcontext(&own.context, &scheduler);
}

static float __shfl_xor_sync(unsigned, float value, unsigned step) {
  const size_t own = current;
  exchanged[own] = value;
  __syncthreads();
  const float other = exchanged[own ^ step];
  __syncthreads();
  return other;
}

#define __global__
#define __device__
#define __forceinline__ inline
#define __shared__ static

#include KERNELS

static std::function<void()> body;
static void run_body() {
  body();
  fibers[current].done = true;
}

static void run_block(const std::string& name) {
  const unsigned count = blockDim.x * blockDim.y;
  exchanged.assign(count, NAN);
  for (unsigned at = 0; at < count; ++at) {
    Fiber& fiber = fibers[at];
    fiber.index = {at % blockDim.x, at / blockDim.x, 0};
    fiber.done = false;
    fiber.waited = 0;
    getcontext(&fiber.context);
    fiber.context.uc_stack.ss_sp = fiber.stack.data();
    fiber.context.uc_stack.ss_size = fiber.stack.size();
    fiber.context.uc_link = &scheduler;
    makecontext(&fiber.context, run_body, 0);
  }
  for (bool all_done = false; !all_done;) {
    all_done = true;
    for (current = 0; current < count; ++current) {
      Fiber& fiber = fibers[current];
      if (fiber.done) continue;
      threadIdx = fiber.index;
      swapcontext(&scheduler, &fiber.context);
      all_done = all_done && fiber.done;
    }
    for (unsigned at = 1; at < count; ++at)
      if (fibers[at].done != fibers[0].done || fibers[at].waited != fibers[0].waited)
        fail(name + ": threads of a block do not wait at the same places");
  }
}

// ---- Memory ----

static const size_t GUARD = 64;
static const unsigned GUARDED = 0xa5a5a5a5u;
// By pointer: how many words it holds.
static std::map<place, size_t> memory;

static void check_guards(const std::string& name) {
  for (const auto& [pointer, count] : memory) {
    const unsigned* first = reinterpret_cast<const unsigned*>(pointer);
    for (size_t at = 0; at < GUARD; ++at)
      if (first[count + at] != GUARDED || *(first - 1 - at) != GUARDED) fail(name + ": wrote beside an array");
  }
}

static float* array_at(place pointer, const std::string& name) {
  auto after = memory.upper_bound(pointer);
  if (after != memory.begin() && pointer <= (--after)->first + 4 * after->second) return reinterpret_cast<float*>(pointer);
  fail(name + ": not an array");
}

// ---- Kernels, with arguments of their own types ----

struct Arguments {
  std::string name;
  std::vector<std::pair<char, std::string>> values;
  size_t next = 0;
};

template <class T>
static T take(Arguments& given) {
  if (given.next == given.values.size()) fail(given.name + ": too few arguments");
  const auto& [kind, text] = given.values[given.next++];
  const auto of_kind = [&](char wanted) {
    if (kind != wanted) fail(given.name + ": argument " + std::to_string(given.next) + " is of another kind");
  };
  if constexpr (std::is_pointer_v<T>) {
    of_kind('a');
    return reinterpret_cast<T>(array_at(std::stoull(text), given.name));
  } else if constexpr (std::is_floating_point_v<T>) {
    of_kind('n');
    return std::strtof(text.c_str(), nullptr);
  } else if constexpr (sizeof(T) == 8) {
    of_kind('p');
    return std::stoull(text);
  } else {
    of_kind('w');
    return static_cast<T>(std::stoul(text));
  }
}

template <class... A>
static void call(void (*kernel)(A...), Arguments& given) {
  // Braces: from left to right.
  std::tuple<A...> arguments{take<A>(given)...};
  if (given.next != given.values.size()) fail(given.name + ": too many arguments");
  body = [&] { std::apply(kernel, arguments); };
  const unsigned count = blockDim.x * blockDim.y;
  if (count == 0 || count > 1024 || gridDim.x == 0) fail(given.name + ": no such grid");
  while (fibers.size() < count) fibers.emplace_back();
  for (blockIdx.x = 0; blockIdx.x < gridDim.x; ++blockIdx.x) run_block(given.name);
  check_guards(given.name);
}

static void launch() {
  Arguments given;
  size_t count;
  std::cin >> given.name >> gridDim.x >> blockDim.x >> blockDim.y >> count;
  for (size_t at = 0; at < count; ++at) {
    char kind;
    std::string text;
    std::cin >> kind >> text;
    given.values.emplace_back(kind, text);
  }
#define RUN(kernel) if (given.name == #kernel) return call(kernel, given);
  RUN(squares) RUN(weighted_sum) RUN(column_sums) RUN(fill) RUN(copy) RUN(add) RUN(multiply) RUN(gather_rows) RUN(expand)
  RUN(bias_leaky) RUN(residual) RUN(leaky_slope) RUN(mask_logits) RUN(mask_sample) RUN(mask_ratio) RUN(mask_back)
  RUN(mask_parameters_back) RUN(mask_size) RUN(sum_rows) RUN(distance) RUN(normal_draw) RUN(normal_ratio) RUN(normal_back)
  RUN(divergence) RUN(enter_effects) RUN(one_hot_back) RUN(enter) RUN(own_back) RUN(offsets_back) RUN(artifacts_back)
  RUN(masked_back) RUN(decoded) RUN(gene_effects_prior) RUN(gene_effects_back) RUN(row_scales) RUN(counts_value)
  RUN(counts_by_logits) RUN(counts_by_log) RUN(count_terms) RUN(count_terms_by_log) RUN(adam)
  fail("no kernel " + given.name);
}

// ROWS COLUMNS INNER KEEP FACTOR, then pointer, stride and whether it is transposed of the result, a and b.
static void product() {
  size_t rows, columns, inner, stride[3];
  float keep, factor;
  place pointer[3];
  int transposed[3];
  std::cin >> rows >> columns >> inner >> keep >> factor;
  for (int at = 0; at < 3; ++at) std::cin >> pointer[at] >> stride[at] >> transposed[at];
  float* matrix[3];
  for (int at = 0; at < 3; ++at) matrix[at] = array_at(pointer[at], "product");
  const auto value = [&](int which, size_t row, size_t column) {
    return matrix[which][transposed[which] ? column * stride[which] + row : row * stride[which] + column];
  };
  for (size_t row = 0; row < rows; ++row)
    for (size_t column = 0; column < columns; ++column) {
      double sum = 0.0;
      for (size_t at = 0; at < inner; ++at) sum += (double)value(1, row, at) * value(2, at, column);
      float& into = matrix[0][row * stride[0] + column];
      into = (keep == 0.0f ? 0.0f : keep * into) + factor * (float)sum;
    }
  check_guards("product");
}

int main() {
  std::ios::sync_with_stdio(false);
  std::string request;
  while (std::cin >> request) {
    place pointer;
    size_t count;
    if (request == "allocate") {
      std::cin >> count;
      unsigned* first = static_cast<unsigned*>(std::malloc(4 * (count + 2 * GUARD))) + GUARD;
      std::memset(first, 0xff, 4 * count);
      for (size_t at = 0; at < GUARD; ++at) first[count + at] = *(first - 1 - at) = GUARDED;
      memory[reinterpret_cast<place>(first)] = count;
      std::cout << reinterpret_cast<place>(first) << std::endl;
      continue;
    }
    if (request == "release") {
      std::cin >> pointer;
      memory.erase(pointer);
      std::free(reinterpret_cast<unsigned*>(pointer) - GUARD);
    } else if (request == "upload") {
      std::cin >> pointer >> count;
      std::cin.get();
      std::cin.read(reinterpret_cast<char*>(array_at(pointer, "upload")), 4 * count);
      check_guards("upload");
    } else if (request == "download") {
      std::cin >> pointer >> count;
      std::cout << "done" << std::endl;
      std::cout.write(reinterpret_cast<char*>(array_at(pointer, "download")), 4 * count);
      std::cout.flush();
      continue;
    } else if (request == "launch") {
      launch();
    } else if (request == "product") {
      product();
    } else {
      fail("no request " + request);
    }
    std::cout << "done" << std::endl;
  }
}

// x W + b, with the batch norm of given statistics, the activation and the sum that follow it, in one pass over memory. Products are
// summed in registers over all inputs, so that the result is the same with any number of threads.
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "activation.h"
#include "kernel.h"
#include "norm-factors.h"
#include "threads.h"

namespace pyramidal {
namespace {

// Rows that are summed side by side, two vectors of outputs each: as many as leave registers for the weights.
template <typename V>
constexpr int kTileRows = sizeof(V) == 64 ? 8 : sizeof(V) == 32 ? 6 : 4;
constexpr int kTileVectors = 2;
// Bytes of x that stay in the cache while all weights go by.
constexpr int64_t kResident = 512 * 1024;
// Products that are worth handing over to another thread.
constexpr int64_t kLeastSums = 1000000;
// Outputs of a part; two vectors of any processor divide it.
constexpr int64_t kPanel = 32;

struct Linear {
  int64_t rows, inputs, outputs;
  const float *x, *weights;
  // Null where there is none: [outputs], [outputs], [outputs], and the output's size.
  const float *bias, *factors, *shifts, *residual;
  Activation activation;
  float *y;
};

// Rows and outputs from `begin` up to `end`.
struct Range {
  int64_t begin, end;
};

template <typename V>
PYRAMIDAL_INLINE V Finish(const Linear &linear, V sum, int64_t row, int64_t output) {
  if (linear.bias != nullptr) sum += Load<V>(linear.bias + output);
  if (linear.factors != nullptr) sum = sum * Load<V>(linear.factors + output) + Load<V>(linear.shifts + output);
  sum = Activate<V>(sum, linear.activation);
  if (linear.residual != nullptr) sum += Load<V>(linear.residual + row * linear.outputs + output);
  return sum;
}

// A tile; the first one of a panel asks for the weights of the next panel, which may be far away.
template <typename V, int kRows, int kVectors, bool isFirst>
PYRAMIDAL_INLINE void SumTile(const Linear &linear, int64_t row, int64_t output) {
  constexpr int64_t lanes = kLanes<V>;
  const float *x = linear.x + row * linear.inputs, *weights = linear.weights + output;
  V sums[kRows][kVectors] = {};
  for (int64_t k = 0; k < linear.inputs; k++) {
    V columns[kVectors];
#pragma GCC unroll 2
    for (int j = 0; j < kVectors; j++) {
      const float *column = weights + k * linear.outputs + j * lanes;
      if (isFirst) __builtin_prefetch(column + kVectors * lanes);
      columns[j] = Load<V>(column);
    }
#pragma GCC unroll 8
    for (int i = 0; i < kRows; i++) {
      const float value = x[i * linear.inputs + k];
#pragma GCC unroll 2
      for (int j = 0; j < kVectors; j++) sums[i][j] += value * columns[j];
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < kRows; i++) {
#pragma GCC unroll 2
    for (int j = 0; j < kVectors; j++) {
      const int64_t at = output + j * lanes;
      Store(Finish<V>(linear, sums[i][j], row + i, at), linear.y + (row + i) * linear.outputs + at);
    }
  }
}

// Rows of a panel; the last tile overlaps the one before it, and few rows come one by one.
template <typename V, int kVectors>
PYRAMIDAL_INLINE void SumPanel(const Linear &linear, Range rows, int64_t output) {
  constexpr int tile = kTileRows<V>;
  if (rows.end - rows.begin < tile) {
    for (int64_t row = rows.begin; row < rows.end; row++) SumTile<V, 1, kVectors, false>(linear, row, output);
    return;
  }
  SumTile<V, tile, kVectors, true>(linear, rows.begin, output);
  for (int64_t row = rows.begin + tile; row < rows.end; row += tile) {
    SumTile<V, tile, kVectors, false>(linear, std::min(row, rows.end - tile), output);
  }
}

// Outputs `outputs` of rows; the last vector overlaps the one before it, and where even one is too wide a narrower one is taken.
template <typename V>
PYRAMIDAL_INLINE void SumBlock(const Linear &linear, Range rows, Range outputs) {
  constexpr int64_t lanes = kLanes<V>;
  if constexpr (lanes > 1) {
    if (outputs.end - outputs.begin < lanes) return SumBlock<Narrower<V>>(linear, rows, outputs);
  }
  int64_t output = outputs.begin;
  for (; output + kTileVectors * lanes <= outputs.end; output += kTileVectors * lanes) {
    SumPanel<V, kTileVectors>(linear, rows, output);
  }
  for (; output < outputs.end; output += lanes) SumPanel<V, 1>(linear, rows, std::min(output, outputs.end - lanes));
}

struct SumBlocks {
  template <typename V>
  PYRAMIDAL_INLINE static void Run(const Linear *linear, Range rows, Range outputs) {
    const int64_t tile = kTileRows<V>;
    const int64_t resident = std::max<int64_t>(tile, kResident / (linear->inputs * sizeof(float)) / tile * tile);
    for (int64_t row = rows.begin; row < rows.end; row += resident) {
      SumBlock<V>(*linear, {row, std::min(rows.end, row + resident)}, outputs);
    }
  }
};

int64_t CeilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

// Parts are tiles of rows, or panels of outputs where there are more of those.
void Multiply(const Linear &linear) {
  constexpr int64_t tile = kTileRows<Sixteen>;
  const int64_t tiles = CeilDiv(linear.rows, tile), panels = CeilDiv(linear.outputs, kPanel);
  const bool isTall = tiles >= panels;
  const int64_t products = linear.inputs * (isTall ? tile * linear.outputs : kPanel * linear.rows);
  InParts(isTall ? tiles : panels, CeilDiv(kLeastSums, products), [&](int64_t begin, int64_t end) {
    const Range rows = isTall ? Range{begin * tile, std::min(linear.rows, end * tile)} : Range{0, linear.rows};
    const Range outputs = isTall ? Range{0, linear.outputs} : Range{begin * kPanel, std::min(linear.outputs, end * kPanel)};
    RunLoops<SumBlocks>(&linear, rows, outputs);
  });
}

struct LinearSettings {
  int64_t biases, norms, residuals;
  float epsilon;
  Activation activation;
};

void *ReadLinearSettings(TF_OpKernelConstruction *construction) {
  const Status status;
  auto settings = std::make_unique<LinearSettings>();
  TF_OpKernelConstruction_GetAttrInt64(construction, "biases", &settings->biases, status.it);
  TF_OpKernelConstruction_GetAttrInt64(construction, "norms", &settings->norms, status.it);
  TF_OpKernelConstruction_GetAttrInt64(construction, "residuals", &settings->residuals, status.it);
  TF_OpKernelConstruction_GetAttrFloat(construction, "epsilon", &settings->epsilon, status.it);
  settings->activation = ReadActivation(construction, status.it);
  if (TF_GetCode(status.it) != TF_OK) TF_OpKernelConstruction_Failure(construction, status.it);
  return settings.release();
}

void DeleteLinearSettings(void *settings) { delete static_cast<LinearSettings *>(settings); }

void ComputeLinear(void *kernel, TF_OpKernelContext *context) {
  const LinearSettings &settings = *static_cast<LinearSettings *>(kernel);
  const Array x = InputOf(context, 0), weight = InputOf(context, 1);
  if (x.rank() != 2 || weight.rank() != 2) throw std::runtime_error("x: expected [rows, inputs], received " + x.shape());
  const int64_t rows = x.size(0), inputs = x.size(1), outputs = weight.size(1);
  weight.Expect("weight", {inputs, outputs});
  Linear linear{rows,    inputs,  outputs, x.data<float>(), weight.data<float>(), nullptr, nullptr, nullptr, nullptr,
                settings.activation, nullptr};
  int next = 2;
  if (settings.biases > 0) {
    const Array bias = InputOf(context, next++);
    bias.Expect("bias", {outputs});
    linear.bias = bias.data<float>();
  }
  NormFactors norm;
  if (settings.norms > 0) {
    norm.Append(context, next, 1, outputs, settings.epsilon);
    linear.factors = norm.factors.data();
    linear.shifts = norm.shifts.data();
    next += 4;
  }
  if (settings.residuals > 0) {
    const Array residual = InputOf(context, next);
    if (residual.count() != rows * outputs) throw std::runtime_error("residual: expected as many values as " + std::to_string(rows) +
                                                                     " rows of " + std::to_string(outputs) + ", received " + residual.shape());
    linear.residual = residual.data<float>();
  }
  const Array y = OutputOf(context, 0, TF_FLOAT, {rows, outputs});
  linear.y = y.data<float>();
  if (rows * outputs == 0) return;
  if (inputs == 0) throw std::runtime_error("x: expected at least one input, received " + x.shape());
  Multiply(linear);
}

const bool isLinearRegistered = Register({"PyramidalLinear",
                                          {"biases: int >= 0", "norms: int >= 0", "residuals: int >= 0", "epsilon: float", "activation: string"},
                                          {"x: float", "weight: float", "bias: biases * float", "scale: norms * float",
                                           "offset: norms * float", "mean: norms * float", "variance: norms * float",
                                           "residual: residuals * float"},
                                          {"y: float"},
                                          false,
                                          &ReadLinearSettings,
                                          &RunKernel<ComputeLinear>,
                                          &DeleteLinearSettings});

}  // namespace
}  // namespace pyramidal

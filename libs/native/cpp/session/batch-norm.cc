// Batch norms with given statistics (Ioffe & Szegedy, 2015) of maps that are put side by side, and an activation, in one pass over
// memory. A map without statistics is copied.
#include <algorithm>
#include <vector>

#include "activation.h"
#include "kernel.h"
#include "norm-factors.h"
#include "threads.h"

namespace pyramidal {
namespace {

// Rows of the output's channels from `first` on.
struct NormedMap {
  const float *x;
  int64_t first, channels;
};

struct BatchNorm {
  std::vector<NormedMap> maps;
  // Of the output's channels.
  NormFactors norm;
  Activation activation;
  float *y;

  int64_t channels() const { return static_cast<int64_t>(norm.factors.size()); }
};

template <typename V>
PYRAMIDAL_INLINE void NormRow(const BatchNorm &batch, const NormedMap &map, int64_t row) {
  constexpr int64_t lanes = kLanes<V>;
  if constexpr (lanes > 1) {
    if (map.channels < lanes) return NormRow<Narrower<V>>(batch, map, row);
  }
  const float *const x = map.x + row * map.channels;
  const float *const factors = batch.norm.factors.data() + map.first, *const shifts = batch.norm.shifts.data() + map.first;
  float *const y = batch.y + row * batch.channels() + map.first;
  for (int64_t c = 0; c < map.channels; c += lanes) {
    const int64_t at = std::min(c, map.channels - lanes);
    const V value = Load<V>(x + at) * Load<V>(factors + at) + Load<V>(shifts + at);
    Store(Activate<V>(value, batch.activation), y + at);
  }
}

struct NormRows {
  template <typename V>
  PYRAMIDAL_INLINE static void Run(const BatchNorm *batch, int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; row++) {
      for (const NormedMap &map : batch->maps) NormRow<V>(*batch, map, row);
    }
  }
};

struct NormSettings {
  float epsilon;
  Activation activation;

  void Read(TF_OpKernelConstruction *construction, TF_Status *status) {
    TF_OpKernelConstruction_GetAttrFloat(construction, "epsilon", &epsilon, status);
    if (TF_GetCode(status) == TF_OK) activation = ReadActivation(construction, status);
  }
};

void ComputeBatchNorm(void *kernel, TF_OpKernelContext *context) {
  const auto &[epsilon, activation] = *static_cast<NormSettings *>(kernel);
  const int maps = TF_NumInputs(context) / 5;
  BatchNorm batch{{}, {}, activation, nullptr};
  // That of the output: of the first map but for its channels.
  std::vector<int64_t> shape = InputOf(context, 0).sizes();
  int64_t rows = 0;
  for (int i = 0; i < maps; i++) {
    const Array map = InputOf(context, i);
    std::vector<int64_t> sizes = map.sizes();
    const int64_t channels = sizes.empty() ? 0 : sizes.back();
    if (channels == 0) throw std::runtime_error("map: expected [..., channels], received " + map.shape());
    sizes.back() = shape.back();
    if (sizes != shape) throw std::runtime_error("map: expected the sides of the first one, received " + map.shape());
    rows = map.count() / channels;
    batch.maps.push_back({map.data<float>(), batch.channels(), channels});
    batch.norm.Append(context, maps + i, maps, channels, epsilon);
  }
  shape.back() = batch.channels();
  const Array y = OutputOf(context, 0, TF_FLOAT, shape);
  batch.y = y.data<float>();
  InParts(rows, kLeastPart / batch.channels(),
          [&](int64_t begin, int64_t end) { RunLoops<NormRows>(&batch, begin, end); });
}

const bool isBatchNormRegistered =
    Register({"PyramidalBatchNorm",
              {"maps: int", "epsilon: float", "activation: string"},
              {"x: maps * float", "scale: maps * float", "offset: maps * float", "mean: maps * float", "variance: maps * float"},
              {"y: float"},
              false,
              &CreateSettings<NormSettings>,
              &RunKernel<ComputeBatchNorm>,
              &DeleteSettings<NormSettings>});

}  // namespace
}  // namespace pyramidal

// Layer normalisation of rows (Ba et al., 2016) in one pass over memory. Sums are taken in an order that depends on the sizes
// alone, not on the threads.
#include <algorithm>
#include <cmath>

#include "kernel.h"
#include "threads.h"

namespace pyramidal {
namespace {

// Sums run side by side, as many as two registers of AVX2 hold.
constexpr int64_t kSumLanes = 16;

inline float Total(const float *lanes) {
  float sum = 0;
  for (int64_t i = 0; i < kSumLanes; i++) sum += lanes[i];
  return sum;
}

// Rows `begin..end`, which have `channels` values each.
PYRAMIDAL_LOOPS void Normalise(const float *x, const float *__restrict scale, const float *__restrict offset,
                               float epsilon, int64_t channels, float *y, int64_t begin, int64_t end) {
  const int64_t whole = channels - channels % kSumLanes;
  for (int64_t row = begin; row < end; row++) {
    const float *__restrict in = x + row * channels;
    float *__restrict out = y + row * channels;
    float lanes[kSumLanes] = {0};
    for (int64_t c = 0; c < whole; c += kSumLanes) {
      for (int64_t i = 0; i < kSumLanes; i++) lanes[i] += in[c + i];
    }
    for (int64_t c = whole; c < channels; c++) lanes[c - whole] += in[c];
    const float mean = Total(lanes) / static_cast<float>(channels);
    std::fill_n(lanes, kSumLanes, 0.0f);
    for (int64_t c = 0; c < whole; c += kSumLanes) {
      for (int64_t i = 0; i < kSumLanes; i++) lanes[i] += (in[c + i] - mean) * (in[c + i] - mean);
    }
    for (int64_t c = whole; c < channels; c++) lanes[c - whole] += (in[c] - mean) * (in[c] - mean);
    const float inverse_std = 1 / std::sqrt(Total(lanes) / static_cast<float>(channels) + epsilon);
    for (int64_t c = 0; c < channels; c++) out[c] = (in[c] - mean) * inverse_std * scale[c] + offset[c];
  }
}

struct LayerNormSettings {
  float epsilon;

  void Read(TF_OpKernelConstruction *construction, TF_Status *status) {
    TF_OpKernelConstruction_GetAttrFloat(construction, "epsilon", &epsilon, status);
  }
};

void ComputeNorm(void *settings, TF_OpKernelContext *context) {
  const Array x = InputOf(context, 0), scale = InputOf(context, 1), offset = InputOf(context, 2);
  if (x.rank() != 2) throw std::runtime_error("x: expected [rows, channels], received " + x.shape());
  const int64_t rows = x.size(0), channels = x.size(1);
  scale.Expect("scale", {channels});
  offset.Expect("offset", {channels});
  const Array y = OutputOf(context, 0, TF_FLOAT, {rows, channels});
  const float epsilon = static_cast<LayerNormSettings *>(settings)->epsilon;
  InParts(rows, kLeastPart / std::max<int64_t>(1, channels), [&](int64_t begin, int64_t end) {
    Normalise(x.data<float>(), scale.data<float>(), offset.data<float>(), epsilon, channels,
              y.data<float>(), begin, end);
  });
}

const bool isNormRegistered = Register({"PyramidalLayerNorm",
                                        {"epsilon: float"},
                                        {"x: float", "scale: float", "offset: float"},
                                        {"y: float"},
                                        false,
                                        &CreateSettings<LayerNormSettings>,
                                        &RunKernel<ComputeNorm>,
                                        &DeleteSettings<LayerNormSettings>});

}  // namespace
}  // namespace pyramidal

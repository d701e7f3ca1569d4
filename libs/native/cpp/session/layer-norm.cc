// Layer normalisation of rows (Ba et al., 2016) in one pass over memory. Sums are taken in an order that depends on the sizes and the
// processor, not on the threads.
#include <algorithm>
#include <cmath>

#include "kernel.h"
#include "threads.h"
#include "vectors.h"

namespace pyramidal {
namespace {

struct LayerNorm {
  // [rows, channels], [channels], [channels], [rows, channels].
  const float *x, *scale, *offset;
  float *y;
  int64_t channels;
  float epsilon;
};

struct NormaliseRows {
  template <typename V>
  PYRAMIDAL_INLINE static void Run(const LayerNorm *norm, int64_t begin, int64_t end) {
    const auto &[x, scale, offset, y, channels, epsilon] = *norm;
    const int64_t whole = channels - channels % kLanes<V>;
    for (int64_t row = begin; row < end; row++) {
      const float *const in = x + row * channels;
      float *const out = y + row * channels;
      V sums = {};
      for (int64_t c = 0; c < whole; c += kLanes<V>) sums += Load<V>(in + c);
      float sum = SumOf<V>(sums);
      for (int64_t c = whole; c < channels; c++) sum += in[c];
      const float mean = sum / static_cast<float>(channels);
      V squares = {};
      for (int64_t c = 0; c < whole; c += kLanes<V>) {
        const V distance = Load<V>(in + c) - mean;
        squares += distance * distance;
      }
      float square = SumOf<V>(squares);
      for (int64_t c = whole; c < channels; c++) square += (in[c] - mean) * (in[c] - mean);
      const float inverse_std = 1 / std::sqrt(square / static_cast<float>(channels) + epsilon);
      for (int64_t c = 0; c < whole; c += kLanes<V>) {
        Store((Load<V>(in + c) - mean) * inverse_std * Load<V>(scale + c) + Load<V>(offset + c), out + c);
      }
      for (int64_t c = whole; c < channels; c++) out[c] = (in[c] - mean) * inverse_std * scale[c] + offset[c];
    }
  }
};

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
  const LayerNorm norm{x.data<float>(), scale.data<float>(), offset.data<float>(), y.data<float>(), channels,
                       static_cast<LayerNormSettings *>(settings)->epsilon};
  InParts(rows, kLeastPart / std::max<int64_t>(1, channels),
          [&](int64_t begin, int64_t end) { RunLoops<NormaliseRows>(&norm, begin, end); });
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

// Layer normalisation of rows (Ba et al., 2016) and its gradient, in one pass over memory each. Sums are taken in an order that depends
// on the sizes and the processor, not on the threads.
#include <algorithm>
#include <cmath>
#include <vector>

#include "kernel.h"
#include "threads.h"
#include "vectors.h"

namespace pyramidal {
namespace {

// Rows whose gradients for scale and offset are summed together.
constexpr int64_t kRowsOfStrip = 128;

struct LayerNorm {
  // [rows, channels], [channels], [channels], [rows, channels].
  const float *x, *scale, *offset;
  float *y;
  // What is added to x before, and where the sums go, if anything: [rows, channels] both.
  const float *addend;
  float *sums;
  // Of each row, where they are kept.
  float *means, *inverse_stds;
  int64_t channels;
  float epsilon;
};

struct NormaliseRows {
  template <typename V>
  PYRAMIDAL_INLINE static void Run(const LayerNorm *norm, int64_t begin, int64_t end) {
    const auto &[x, scale, offset, y, addend, sums_out, means, inverse_stds, channels, epsilon] = *norm;
    const int64_t whole = channels - channels % kLanes<V>;
    for (int64_t row = begin; row < end; row++) {
      const float *in = x + row * channels;
      float *const out = y + row * channels;
      if (addend != nullptr) {
        const float *const other = addend + row * channels;
        float *const to = sums_out + row * channels;
        for (int64_t c = 0; c < whole; c += kLanes<V>) Store(Load<V>(in + c) + Load<V>(other + c), to + c);
        for (int64_t c = whole; c < channels; c++) to[c] = in[c] + other[c];
        in = to;
      }
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
      if (means == nullptr) continue;
      means[row] = mean;
      inverse_stds[row] = inverse_std;
    }
  }
};

struct LayerNormSettings {
  float epsilon;

  void Read(TF_OpKernelConstruction *construction, TF_Status *status) {
    TF_OpKernelConstruction_GetAttrFloat(construction, "epsilon", &epsilon, status);
  }
};

// Whether means and inverse standard deviations are outputs, too.
template <bool keeps>
void ComputeNorm(void *settings, TF_OpKernelContext *context) {
  const Array x = InputOf(context, 0), scale = InputOf(context, 1), offset = InputOf(context, 2);
  if (x.rank() != 2) throw std::runtime_error("x: expected [rows, channels], received " + x.shape());
  const int64_t rows = x.size(0), channels = x.size(1);
  scale.Expect("scale", {channels});
  offset.Expect("offset", {channels});
  const Array y = OutputOf(context, 0, TF_FLOAT, {rows, channels});
  LayerNorm norm{x.data<float>(), scale.data<float>(), offset.data<float>(), y.data<float>(), nullptr, nullptr,
                 nullptr,         nullptr,             channels,             static_cast<LayerNormSettings *>(settings)->epsilon};
  const auto normalise = [&] {
    InParts(rows, kLeastPart / std::max<int64_t>(1, channels),
            [&](int64_t begin, int64_t end) { RunLoops<NormaliseRows>(&norm, begin, end); });
  };
  if constexpr (!keeps) return normalise();
  const Array means = OutputOf(context, 1, TF_FLOAT, {rows}), inverse_stds = OutputOf(context, 2, TF_FLOAT, {rows});
  norm.means = means.data<float>();
  norm.inverse_stds = inverse_stds.data<float>();
  normalise();
}

// The norm of a sum, and the sum.
void ComputeAddedNorm(void *settings, TF_OpKernelContext *context) {
  const Array a = InputOf(context, 0), b = InputOf(context, 1), scale = InputOf(context, 2), offset = InputOf(context, 3);
  if (a.rank() < 1 || a.sizes() != b.sizes()) throw std::runtime_error("addends: expected one shape, received " + a.shape() + " and " + b.shape());
  const int64_t channels = a.size(a.rank() - 1), rows = channels == 0 ? 0 : a.count() / channels;
  scale.Expect("scale", {channels});
  offset.Expect("offset", {channels});
  const Array y = OutputOf(context, 0, TF_FLOAT, {rows, channels}), sum = OutputOf(context, 1, TF_FLOAT, a.sizes());
  const LayerNorm norm{a.data<float>(), scale.data<float>(), offset.data<float>(), y.data<float>(), b.data<float>(), sum.data<float>(),
                       nullptr,         nullptr,             channels,             static_cast<LayerNormSettings *>(settings)->epsilon};
  InParts(rows, kLeastPart / std::max<int64_t>(1, channels),
          [&](int64_t begin, int64_t end) { RunLoops<NormaliseRows>(&norm, begin, end); });
}

struct LayerNormGrad {
  // [rows, channels], [rows, channels], [rows], [rows], [channels], [rows, channels].
  const float *dy, *x, *means, *inverse_stds, *scale;
  float *dx;
  // Of each strip, [2, channels]: sums for scale and offset.
  float *sums;
  int64_t rows, channels;
};

struct GradientsOfStrips {
  template <typename V>
  PYRAMIDAL_INLINE static void Run(const LayerNormGrad *grad, int64_t begin, int64_t end) {
    for (int64_t strip = begin; strip < end; strip++) {
      float *const dscale = grad->sums + strip * 2 * grad->channels;
      std::fill_n(dscale, 2 * grad->channels, 0.0f);
      const int64_t last = std::min(grad->rows, (strip + 1) * kRowsOfStrip);
      for (int64_t row = strip * kRowsOfStrip; row < last; row++) OfRow<V>(*grad, row, dscale);
    }
  }

  // With n the normalised row and g its gradient, scale dy: dx = (g - mean of g - n (mean of g n)) / standard deviation.
  template <typename V>
  PYRAMIDAL_INLINE static void OfRow(const LayerNormGrad &grad, int64_t row, float *dscale) {
    const int64_t channels = grad.channels, whole = channels - channels % kLanes<V>;
    const float *const dy = grad.dy + row * channels, *const x = grad.x + row * channels, *const scale = grad.scale;
    float *const dx = grad.dx + row * channels, *const doffset = dscale + channels;
    const float mean = grad.means[row], inverse_std = grad.inverse_stds[row];
    V all = {}, along = {};
    for (int64_t c = 0; c < whole; c += kLanes<V>) {
      const V d = Load<V>(dy + c), normal = (Load<V>(x + c) - mean) * inverse_std, g = d * Load<V>(scale + c);
      all += g;
      along += g * normal;
      Store(Load<V>(dscale + c) + d * normal, dscale + c);
      Store(Load<V>(doffset + c) + d, doffset + c);
    }
    float sum = SumOf<V>(all), sum_along = SumOf<V>(along);
    for (int64_t c = whole; c < channels; c++) {
      const float normal = (x[c] - mean) * inverse_std, g = dy[c] * scale[c];
      sum += g;
      sum_along += g * normal;
      dscale[c] += dy[c] * normal;
      doffset[c] += dy[c];
    }
    const float shift = sum / static_cast<float>(channels), slope = sum_along / static_cast<float>(channels);
    for (int64_t c = 0; c < whole; c += kLanes<V>) {
      const V normal = (Load<V>(x + c) - mean) * inverse_std;
      Store((Load<V>(dy + c) * Load<V>(scale + c) - (shift + normal * slope)) * inverse_std, dx + c);
    }
    for (int64_t c = whole; c < channels; c++) {
      const float normal = (x[c] - mean) * inverse_std;
      dx[c] = (dy[c] * scale[c] - (shift + normal * slope)) * inverse_std;
    }
  }
};

void ComputeNormGrad(void *, TF_OpKernelContext *context) {
  const Array dy = InputOf(context, 0), x = InputOf(context, 1), means = InputOf(context, 2), inverse_stds = InputOf(context, 3);
  const Array scale = InputOf(context, 4);
  if (x.rank() != 2) throw std::runtime_error("x: expected [rows, channels], received " + x.shape());
  const int64_t rows = x.size(0), channels = x.size(1), strips = (rows + kRowsOfStrip - 1) / kRowsOfStrip;
  dy.Expect("dy", {rows, channels});
  means.Expect("means", {rows});
  inverse_stds.Expect("inverse_stds", {rows});
  scale.Expect("scale", {channels});
  const Array dx = OutputOf(context, 0, TF_FLOAT, {rows, channels});
  const Array dscale = OutputOf(context, 1, TF_FLOAT, {channels}), doffset = OutputOf(context, 2, TF_FLOAT, {channels});
  std::vector<float> sums(strips * 2 * channels);
  const LayerNormGrad grad{dy.data<float>(),    x.data<float>(),  means.data<float>(), inverse_stds.data<float>(),
                           scale.data<float>(), dx.data<float>(), sums.data(),         rows,
                           channels};
  InParts(strips, kLeastPart / std::max<int64_t>(1, kRowsOfStrip * channels),
          [&](int64_t begin, int64_t end) { RunLoops<GradientsOfStrips>(&grad, begin, end); });
  std::fill_n(dscale.data<float>(), channels, 0.0f);
  std::fill_n(doffset.data<float>(), channels, 0.0f);
  for (int64_t strip = 0; strip < strips; strip++) {
    const float *const of = sums.data() + strip * 2 * channels;
    for (int64_t c = 0; c < channels; c++) dscale.data<float>()[c] += of[c];
    for (int64_t c = 0; c < channels; c++) doffset.data<float>()[c] += of[channels + c];
  }
}

const bool isNormRegistered = Register({"PyramidalLayerNorm",
                                        {"epsilon: float"},
                                        {"x: float", "scale: float", "offset: float"},
                                        {"y: float"},
                                        false,
                                        &CreateSettings<LayerNormSettings>,
                                        &RunKernel<ComputeNorm<false>>,
                                        &DeleteSettings<LayerNormSettings>});

const bool isAddedNormRegistered = Register({"PyramidalAddedNorm",
                                             {"epsilon: float"},
                                             {"a: float", "b: float", "scale: float", "offset: float"},
                                             {"y: float", "sum: float"},
                                             false,
                                             &CreateSettings<LayerNormSettings>,
                                             &RunKernel<ComputeAddedNorm>,
                                             &DeleteSettings<LayerNormSettings>});

const bool isKeptNormRegistered = Register({"PyramidalLayerNormKept",
                                            {"epsilon: float"},
                                            {"x: float", "scale: float", "offset: float"},
                                            {"y: float", "means: float", "inverse_stds: float"},
                                            false,
                                            &CreateSettings<LayerNormSettings>,
                                            &RunKernel<ComputeNorm<true>>,
                                            &DeleteSettings<LayerNormSettings>});

const bool isNormGradRegistered = Register({"PyramidalLayerNormGrad",
                                            {},
                                            {"dy: float", "x: float", "means: float", "inverse_stds: float", "scale: float"},
                                            {"dx: float", "dscale: float", "doffset: float"},
                                            false,
                                            nullptr,
                                            &RunKernel<ComputeNormGrad>,
                                            nullptr});

}  // namespace
}  // namespace pyramidal

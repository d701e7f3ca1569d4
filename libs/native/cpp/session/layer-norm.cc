// Layer normalisation of rows (Ba et al., 2016) and its gradient, each in one pass over memory. Sums are taken in an order that
// depends on the sizes alone, not on the threads.
#include <algorithm>
#include <cmath>
#include <vector>

#include "kernel.h"
#include "threads.h"

namespace pyramidal {
namespace {

// Sums run side by side, as many as two registers of AVX2 hold.
constexpr int64_t kLanes = 16;

inline float Total(const float *lanes) {
  float sum = 0;
  for (int64_t i = 0; i < kLanes; i++) sum += lanes[i];
  return sum;
}

// Rows `begin..end`, which have `channels` values each.
PYRAMIDAL_LOOPS void Normalise(const float *x, const float *__restrict scale, const float *__restrict offset,
                               float epsilon, int64_t channels, float *y, float *means, float *inverse_stds,
                               int64_t begin, int64_t end) {
  const int64_t whole = channels - channels % kLanes;
  for (int64_t row = begin; row < end; row++) {
    const float *__restrict in = x + row * channels;
    float *__restrict out = y + row * channels;
    float lanes[kLanes] = {0};
    for (int64_t c = 0; c < whole; c += kLanes) {
      for (int64_t i = 0; i < kLanes; i++) lanes[i] += in[c + i];
    }
    for (int64_t c = whole; c < channels; c++) lanes[c - whole] += in[c];
    const float mean = Total(lanes) / static_cast<float>(channels);
    std::fill_n(lanes, kLanes, 0.0f);
    for (int64_t c = 0; c < whole; c += kLanes) {
      for (int64_t i = 0; i < kLanes; i++) lanes[i] += (in[c + i] - mean) * (in[c + i] - mean);
    }
    for (int64_t c = whole; c < channels; c++) lanes[c - whole] += (in[c] - mean) * (in[c] - mean);
    const float inverse_std = 1 / std::sqrt(Total(lanes) / static_cast<float>(channels) + epsilon);
    for (int64_t c = 0; c < channels; c++) out[c] = (in[c] - mean) * inverse_std * scale[c] + offset[c];
    means[row] = mean;
    inverse_stds[row] = inverse_std;
  }
}

struct Saved {
  const float *x, *scale, *means, *inverse_stds;
};

// Of rows `begin..end`: the gradient of each, and what they add to the scale's and the offset's.
PYRAMIDAL_LOOPS void NormaliseBack(const Saved &saved, const float *upstream, int64_t channels, float *of_x,
                                   float *__restrict of_scale, float *__restrict of_offset, int64_t begin,
                                   int64_t end) {
  const int64_t whole = channels - channels % kLanes;
  const float *__restrict scale = saved.scale;
  const float count = static_cast<float>(channels);
  for (int64_t row = begin; row < end; row++) {
    const float *__restrict in = saved.x + row * channels;
    const float *__restrict dy = upstream + row * channels;
    float *__restrict dx = of_x + row * channels;
    const float mean = saved.means[row], inverse_std = saved.inverse_stds[row];
    float sums[kLanes] = {0}, products[kLanes] = {0};
    for (int64_t c = 0; c < whole; c += kLanes) {
      for (int64_t i = 0; i < kLanes; i++) {
        const float scaled = dy[c + i] * scale[c + i];
        sums[i] += scaled;
        products[i] += scaled * ((in[c + i] - mean) * inverse_std);
      }
    }
    for (int64_t c = whole; c < channels; c++) {
      const float scaled = dy[c] * scale[c];
      sums[c - whole] += scaled;
      products[c - whole] += scaled * ((in[c] - mean) * inverse_std);
    }
    const float shift = Total(sums) / count, slope = Total(products) / count;
    for (int64_t c = 0; c < channels; c++) {
      const float normal = (in[c] - mean) * inverse_std;
      dx[c] = (dy[c] * scale[c] - shift - normal * slope) * inverse_std;
      of_scale[c] += dy[c] * normal;
      of_offset[c] += dy[c];
    }
  }
}

void *ReadEpsilon(TF_OpKernelConstruction *construction) {
  const Status status;
  auto *epsilon = new float(0);
  TF_OpKernelConstruction_GetAttrFloat(construction, "epsilon", epsilon, status.it);
  if (TF_GetCode(status.it) != TF_OK) TF_OpKernelConstruction_Failure(construction, status.it);
  return epsilon;
}

void DeleteEpsilon(void *epsilon) { delete static_cast<float *>(epsilon); }

void ExpectRows(const Array &x) {
  if (x.rank() != 2) throw std::runtime_error("x: expected [rows, channels], received " + x.shape());
}

int64_t LeastRows(int64_t channels) { return std::max<int64_t>(1, kLeastPart / std::max<int64_t>(1, channels)); }

void ComputeNorm(void *epsilon, TF_OpKernelContext *context) {
  const Array x = InputOf(context, 0), scale = InputOf(context, 1), offset = InputOf(context, 2);
  ExpectRows(x);
  const int64_t rows = x.size(0), channels = x.size(1);
  scale.Expect("scale", {channels});
  offset.Expect("offset", {channels});
  const Array y = OutputOf(context, 0, TF_FLOAT, {rows, channels});
  const Array means = OutputOf(context, 1, TF_FLOAT, {rows}), inverse_stds = OutputOf(context, 2, TF_FLOAT, {rows});
  InParts(rows, LeastRows(channels), [&](int64_t begin, int64_t end) {
    Normalise(x.data<float>(), scale.data<float>(), offset.data<float>(), *static_cast<float *>(epsilon), channels,
              y.data<float>(), means.data<float>(), inverse_stds.data<float>(), begin, end);
  });
}

void ComputeGradient(void *, TF_OpKernelContext *context) {
  const Array x = InputOf(context, 0), scale = InputOf(context, 1), means = InputOf(context, 2);
  const Array inverse_stds = InputOf(context, 3), upstream = InputOf(context, 4);
  ExpectRows(x);
  const int64_t rows = x.size(0), channels = x.size(1);
  scale.Expect("scale", {channels});
  means.Expect("mean", {rows});
  inverse_stds.Expect("inverse_std", {rows});
  upstream.Expect("gradient", {rows, channels});
  const Array of_x = OutputOf(context, 0, TF_FLOAT, {rows, channels});
  const Array of_scale = OutputOf(context, 1, TF_FLOAT, {channels}), of_offset = OutputOf(context, 2, TF_FLOAT, {channels});
  const Saved saved{x.data<float>(), scale.data<float>(), means.data<float>(), inverse_stds.data<float>()};
  const int64_t length = LeastRows(channels), blocks = (rows + length - 1) / length;
  std::vector<float> sums(2 * blocks * channels, 0.0f);
  InParts(blocks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t block = begin; block < end; block++) {
      float *const own = sums.data() + 2 * block * channels;
      NormaliseBack(saved, upstream.data<float>(), channels, of_x.data<float>(), own, own + channels, block * length,
                    std::min(rows, (block + 1) * length));
    }
  });
  std::fill_n(of_scale.data<float>(), channels, 0.0f);
  std::fill_n(of_offset.data<float>(), channels, 0.0f);
  for (int64_t block = 0; block < blocks; block++) {
    const float *const own = sums.data() + 2 * block * channels;
    for (int64_t c = 0; c < channels; c++) {
      of_scale.data<float>()[c] += own[c];
      of_offset.data<float>()[c] += own[channels + c];
    }
  }
}

const bool isNormRegistered = Register({"PyramidalLayerNorm",
                                        {"epsilon: float"},
                                        {"x: float", "scale: float", "offset: float"},
                                        {"y: float", "mean: float", "inverse_std: float"},
                                        false,
                                        &ReadEpsilon,
                                        &RunKernel<ComputeNorm>,
                                        &DeleteEpsilon}) &&
                              Register({"PyramidalLayerNormGrad",
                                        {},
                                        {"x: float", "scale: float", "mean: float", "inverse_std: float", "gradient: float"},
                                        {"of_x: float", "of_scale: float", "of_offset: float"},
                                        false,
                                        nullptr,
                                        &RunKernel<ComputeGradient>,
                                        nullptr});

}  // namespace
}  // namespace pyramidal

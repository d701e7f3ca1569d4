// What a batch norm with given statistics (Ioffe & Szegedy, 2015) comes to.
#ifndef PYRAMIDAL_NORM_FACTORS_H_
#define PYRAMIDAL_NORM_FACTORS_H_

#include <cmath>
#include <vector>

#include "kernel.h"

namespace pyramidal {

// A factor and a shift for each channel.
struct NormFactors {
  std::vector<float> factors, shifts;

  void AppendNothing(int64_t channels) {
    factors.insert(factors.end(), channels, 1.0f);
    shifts.insert(shifts.end(), channels, 0.0f);
  }

  // Appends those of a map. Its scale, offset, mean and variance, empty where it has no norm, are inputs from `at` on, `step` apart.
  void Append(TF_OpKernelContext *context, int at, int step, int64_t channels, float epsilon) {
    const Array scale = InputOf(context, at), offset = InputOf(context, at + step);
    const Array mean = InputOf(context, at + 2 * step), variance = InputOf(context, at + 3 * step);
    if (scale.count() == 0) return AppendNothing(channels);
    scale.Expect("scale", {channels});
    offset.Expect("offset", {channels});
    mean.Expect("mean", {channels});
    variance.Expect("variance", {channels});
    for (int64_t c = 0; c < channels; c++) {
      const float factor = scale.data<float>()[c] / std::sqrt(variance.data<float>()[c] + epsilon);
      factors.push_back(factor);
      shifts.push_back(offset.data<float>()[c] - mean.data<float>()[c] * factor);
    }
  }
};

}  // namespace pyramidal

#endif  // PYRAMIDAL_NORM_FACTORS_H_

// A small product of its own for each group of channels: the n-th channels of all heads give the n-th group of outputs (the
// ensemble of heads of SMT, Lin et al., ICCV 2023, section 3.1), with a bias, a batch norm and an activation.
#include <algorithm>
#include <vector>

#include "activation.h"
#include "kernel.h"
#include "norm-factors.h"
#include "threads.h"
#include "vectors.h"

namespace pyramidal {
namespace {

struct GroupedProduct {
  int64_t rows, heads, groups, outputs;
  // [rows, heads, groups], [groups, heads, outputs], [groups, outputs], [rows, groups, outputs].
  const float *x, *weights, *shifts;
  float *y;
  Activation activation;
};

template <typename V>
PYRAMIDAL_INLINE void MultiplyGroups(const GroupedProduct &product, int64_t begin, int64_t end) {
  const auto &[rows, heads, groups, outputs, x, weights, shifts, y, activation] = product;
  if constexpr (kLanes<V> > 1) {
    if (outputs < kLanes<V>) return MultiplyGroups<Narrower<V>>(product, begin, end);
  }
  for (int64_t row = begin; row < end; row++) {
    for (int64_t group = 0; group < groups; group++) {
      for (int64_t c = 0; c < outputs; c += kLanes<V>) {
        const int64_t at = std::min(c, outputs - kLanes<V>);
        V sum = Load<V>(shifts + group * outputs + at);
        for (int64_t head = 0; head < heads; head++) {
          sum += x[(row * heads + head) * groups + group] * Load<V>(weights + (group * heads + head) * outputs + at);
        }
        Store(Activate<V>(sum, activation), y + (row * groups + group) * outputs + at);
      }
    }
  }
}

struct MultiplyRows {
  template <typename V>
  PYRAMIDAL_INLINE static void Run(const GroupedProduct *product, int64_t begin, int64_t end) {
    MultiplyGroups<V>(*product, begin, end);
  }
};

struct GroupedSettings {
  float epsilon;
  Activation activation;

  void Read(TF_OpKernelConstruction *construction, TF_Status *status) {
    TF_OpKernelConstruction_GetAttrFloat(construction, "epsilon", &epsilon, status);
    if (TF_GetCode(status) == TF_OK) activation = ReadActivation(construction, status);
  }
};

// What comes before the norm, which has none or all four of scale, offset, mean and variance, becomes part of weights and shifts.
void ComputeGroupedProduct(void *kernel, TF_OpKernelContext *context) {
  const auto &[epsilon, activation] = *static_cast<GroupedSettings *>(kernel);
  const Array x = InputOf(context, 0), weight = InputOf(context, 1), bias = InputOf(context, 2);
  if (weight.rank() != 3) throw std::runtime_error("weight: expected [groups, outputs, heads], received " + weight.shape());
  const int64_t groups = weight.size(0), outputs = weight.size(1), heads = weight.size(2);
  std::vector<int64_t> shape = x.sizes();
  if (shape.empty() || shape.back() != heads * groups) {
    throw std::runtime_error("x: expected [..., " + std::to_string(heads * groups) + "], received " + x.shape());
  }
  shape.back() = groups * outputs;
  bias.Expect("bias", {groups * outputs});
  NormFactors norm;
  if (TF_NumInputs(context) > 3) norm.Append(context, 3, 1, groups * outputs, epsilon);
  else norm.AppendNothing(groups * outputs);
  std::vector<float> turned(groups * heads * outputs);
  for (int64_t channel = 0; channel < groups * outputs; channel++) {
    const float factor = norm.factors[channel];
    norm.shifts[channel] += bias.data<float>()[channel] * factor;
    for (int64_t head = 0; head < heads; head++) {
      turned[(channel / outputs * heads + head) * outputs + channel % outputs] = weight.data<float>()[channel * heads + head] * factor;
    }
  }
  const Array y = OutputOf(context, 0, TF_FLOAT, shape);
  const int64_t rows = x.count() / std::max<int64_t>(1, heads * groups);
  const GroupedProduct product{rows, heads, groups, outputs, x.data<float>(), turned.data(), norm.shifts.data(), y.data<float>(), activation};
  InParts(rows, kLeastPart / std::max<int64_t>(1, groups * outputs),
          [&](int64_t begin, int64_t end) { RunLoops<MultiplyRows>(&product, begin, end); });
}

const bool isGroupedProductRegistered = Register({"PyramidalGroupedProduct",
                                                  {"statistics: int >= 0", "epsilon: float", "activation: string"},
                                                  {"x: float", "weight: float", "bias: float", "norm: statistics * float"},
                                                  {"y: float"},
                                                  false,
                                                  &CreateSettings<GroupedSettings>,
                                                  &RunKernel<ComputeGroupedProduct>,
                                                  &DeleteSettings<GroupedSettings>});

}  // namespace
}  // namespace pyramidal

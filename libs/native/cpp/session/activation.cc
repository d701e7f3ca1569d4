// An activation in one pass over memory, alone or with its derivative.
#include "activation.h"

#include "threads.h"

namespace pyramidal {
namespace {

struct ActivateValues {
  template <typename V>
  PYRAMIDAL_INLINE static void Run(Activation activation, const float *x, float *y, int64_t begin, int64_t end) {
    int64_t i = begin;
    for (; i + kLanes<V> <= end; i += kLanes<V>) Store(Activate<V>(Load<V>(x + i), activation), y + i);
    for (; i < end; i++) y[i] = Activate<float>(x[i], activation);
  }
};

struct ActivateWithSlopes {
  template <typename V>
  PYRAMIDAL_INLINE static void At(Activation activation, const float *x, float *y, float *slope) {
    const V value = Load<V>(x);
    Store(Activate<V>(value, activation), y);
    Store(activation == Activation::kGelu ? GeluSlope<V>(value) : HardSwishSlope<V>(value), slope);
  }

  template <typename V>
  PYRAMIDAL_INLINE static void Run(Activation activation, const float *x, float *y, float *slope, int64_t begin, int64_t end) {
    int64_t i = begin;
    for (; i + kLanes<V> <= end; i += kLanes<V>) At<V>(activation, x + i, y + i, slope + i);
    for (; i < end; i++) At<float>(activation, x + i, y + i, slope + i);
  }
};

struct ActivationSettings {
  Activation activation;

  void Read(TF_OpKernelConstruction *construction, TF_Status *status) { activation = ReadActivation(construction, status); }
};

void ComputeActivation(void *settings, TF_OpKernelContext *context) {
  const Array x = InputOf(context, 0);
  const Array y = OutputOf(context, 0, TF_FLOAT, x.sizes());
  const Activation activation = static_cast<ActivationSettings *>(settings)->activation;
  InParts(x.count(), kLeastPart, [&](int64_t begin, int64_t end) {
    RunLoops<ActivateValues>(activation, x.data<float>(), y.data<float>(), begin, end);
  });
}

void ComputeActivationAndSlope(void *settings, TF_OpKernelContext *context) {
  const Activation activation = static_cast<ActivationSettings *>(settings)->activation;
  if (activation != Activation::kGelu && activation != Activation::kHardSwish) {
    throw std::runtime_error("activation: expected gelu or hard_swish");
  }
  const Array x = InputOf(context, 0);
  const Array y = OutputOf(context, 0, TF_FLOAT, x.sizes()), slope = OutputOf(context, 1, TF_FLOAT, x.sizes());
  InParts(x.count(), kLeastPart, [&](int64_t begin, int64_t end) {
    RunLoops<ActivateWithSlopes>(activation, x.data<const float>(), y.data<float>(), slope.data<float>(), begin, end);
  });
}

const bool isActivationAndSlopeRegistered = Register({"PyramidalActivationAndSlope",
                                                      {"activation: string"},
                                                      {"x: float"},
                                                      {"y: float", "slope: float"},
                                                      false,
                                                      &CreateSettings<ActivationSettings>,
                                                      &RunKernel<ComputeActivationAndSlope>,
                                                      &DeleteSettings<ActivationSettings>});

const bool isActivationRegistered = Register({"PyramidalActivation",
                                              {"activation: string"},
                                              {"x: float"},
                                              {"y: float"},
                                              false,
                                              &CreateSettings<ActivationSettings>,
                                              &RunKernel<ComputeActivation>,
                                              &DeleteSettings<ActivationSettings>});

}  // namespace
}  // namespace pyramidal

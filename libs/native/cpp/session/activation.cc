// An activation in one pass over memory.
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

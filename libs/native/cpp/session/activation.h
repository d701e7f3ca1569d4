// Activations that operations end with.
#ifndef PYRAMIDAL_ACTIVATION_H_
#define PYRAMIDAL_ACTIVATION_H_

#include <cstring>

#include "kernel.h"
#include "vectors.h"

namespace pyramidal {

enum class Activation { kNone, kRelu, kGelu, kHardSwish };

// That of a kernel's attribute `activation`.
inline Activation ReadActivation(TF_OpKernelConstruction *construction, TF_Status *status) {
  char name[16] = {0};
  TF_OpKernelConstruction_GetAttrString(construction, "activation", name, sizeof(name) - 1, status);
  if (std::strcmp(name, "relu") == 0) return Activation::kRelu;
  if (std::strcmp(name, "gelu") == 0) return Activation::kGelu;
  if (std::strcmp(name, "hard_swish") == 0) return Activation::kHardSwish;
  const bool isKnown = std::strcmp(name, "none") == 0;
  if (TF_GetCode(status) == TF_OK && !isKnown) TF_SetStatus(status, TF_INVALID_ARGUMENT, "activation: none, relu, gelu or hard_swish");
  return Activation::kNone;
}

// The error function: x P(x^2) / Q(x^2), fitted with equal relative errors of 2e-8; beyond the bound float32 has 1.
template <typename V>
PYRAMIDAL_INLINE V Erf(V value) {
  const V bound = Fill<V>(3.925f), one = Fill<V>(1);
  const V x = Most(Least(value, bound), -bound), s = x * x;
  const V p = 1.1283791065216064f +
              s * (0.19059421122074127f +
                   s * (0.052769359201192856f +
                        s * (0.003772570053115487f + s * (0.00028484410722739995f + s * 2.0460256564547308e-06f))));
  const V q = 1 + s * (0.5022424459457397f +
                       s * (0.11418291181325912f +
                            s * (0.014983237721025944f + s * (0.0011638628784567118f + s * 3.804778680205345e-05f))));
  return Most(Least(x * p / q, one), -one);
}

// x Phi(x) (Hendrycks and Gimpel, 2016).
template <typename V>
PYRAMIDAL_INLINE V Gelu(V x) {
  return x * 0.5f * (1 + Erf<V>(x * 0.70710678118654752f));
}

// x relu6(x + 3) / 6 (Howard et al., 2019).
template <typename V>
PYRAMIDAL_INLINE V HardSwish(V x) {
  return x * (1.0f / 6) * Most(Least(x + 3, Fill<V>(6)), V{});
}

// The derivative of GELU: Phi(x) + x phi(x).
template <typename V>
PYRAMIDAL_INLINE V GeluSlope(V x) {
  const V density = 0.39894228040143268f * Exp<V>(x * x * -0.5f);
  return 0.5f * (1 + Erf<V>(x * 0.70710678118654752f)) + x * density;
}

// The derivative of hard swish; at the two bends that of the flat side.
template <typename V>
PYRAMIDAL_INLINE V HardSwishSlope(V x) {
  const V ramp = Most(Least(x + 3, Fill<V>(6)), V{});
  return ramp * (1.0f / 6) + ((ramp > 0) & (ramp < 6) ? x * (1.0f / 6) : V{});
}

template <typename V>
PYRAMIDAL_INLINE V Activate(V x, Activation activation) {
  switch (activation) {
    case Activation::kRelu:
      return x < V{} ? V{} : x;
    case Activation::kGelu:
      return Gelu<V>(x);
    case Activation::kHardSwish:
      return HardSwish<V>(x);
    default:
      return x;
  }
}

}  // namespace pyramidal

#endif  // PYRAMIDAL_ACTIVATION_H_

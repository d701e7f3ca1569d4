// Vectors of floats as wide as the processor has them, and loops that are compiled for each kind of processor.
#ifndef PYRAMIDAL_VECTORS_H_
#define PYRAMIDAL_VECTORS_H_

#include <cstdint>
#include <cstring>

#define PYRAMIDAL_INLINE inline __attribute__((always_inline))

// Vectors are parameters only of functions that are inlined, where it does not matter how they would be passed.
#pragma GCC diagnostic ignored "-Wpsabi"

namespace pyramidal {

typedef float Four __attribute__((vector_size(16)));
typedef float Eight __attribute__((vector_size(32)));
typedef float Sixteen __attribute__((vector_size(64)));

template <typename V>
constexpr int64_t kLanes = sizeof(V) / sizeof(float);

// The next narrower vector; a float is the narrowest.
template <typename V>
struct NarrowerThan;
template <>
struct NarrowerThan<Sixteen> {
  using Type = Eight;
};
template <>
struct NarrowerThan<Eight> {
  using Type = Four;
};
template <>
struct NarrowerThan<Four> {
  using Type = float;
};
template <typename V>
using Narrower = typename NarrowerThan<V>::Type;

// As many whole numbers of 32 bits.
template <typename V>
struct BitsIn {
  typedef uint32_t Type __attribute__((vector_size(sizeof(V))));
};
template <>
struct BitsIn<float> {
  using Type = uint32_t;
};
template <typename V>
using Bits = typename BitsIn<V>::Type;

template <typename V>
PYRAMIDAL_INLINE V Load(const float *from) {
  V value;
  std::memcpy(&value, from, sizeof(V));
  return value;
}

template <typename V>
PYRAMIDAL_INLINE void Store(V value, float *to) {
  std::memcpy(to, &value, sizeof(V));
}

template <typename V>
PYRAMIDAL_INLINE V Fill(float value) {
  return value - V{};
}

template <typename V>
PYRAMIDAL_INLINE V Least(V a, V b) {
  return a < b ? a : b;
}

template <typename V>
PYRAMIDAL_INLINE V Most(V a, V b) {
  return a > b ? a : b;
}

// One value of all lanes, by halves that are joined with each other.
template <typename V, typename Join>
PYRAMIDAL_INLINE float Joined(V value, Join join) {
  if constexpr (kLanes<V> == 1) {
    return value;
  } else if constexpr (kLanes<V> == 4) {
    return join(join(value[0], value[1]), join(value[2], value[3]));
  } else {
    Narrower<V> halves[2];
    std::memcpy(halves, &value, sizeof(V));
    return Joined<Narrower<V>>(join(halves[0], halves[1]), join);
  }
}

template <typename V>
PYRAMIDAL_INLINE float SumOf(V value) {
  return Joined<V>(value, [](auto a, auto b) __attribute__((always_inline)) { return a + b; });
}

template <typename V>
PYRAMIDAL_INLINE float MostOf(V value) {
  return Joined<V>(value, [](auto a, auto b) __attribute__((always_inline)) { return Most(a, b); });
}

// e^x for x up to 0, at most 2.2e-7 of it away; below -87 it is that of -87.
template <typename V>
PYRAMIDAL_INLINE V Exp(V value) {
  const V x = Most(value, Fill<V>(-87));
  // Adding it rounds to whole numbers, which are then the lowest bits.
  const float shift = 12582912;
  const V shifted = x * 1.44269504f + shift, n = shifted - shift;
  const V r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
  const V series = 1 + r * (1 + r * (0.5f + r * (0.16666667f + r * (0.041666668f + r * (0.0083333333f + r * 0.0013888889f)))));
  Bits<V> exponent, bits;
  std::memcpy(&exponent, &shifted, sizeof(V));
  std::memcpy(&bits, &series, sizeof(V));
  bits += exponent << 23;
  V power;
  std::memcpy(&power, &bits, sizeof(V));
  return value == value ? power : value;
}

// `Loops::Run<V>` with the widest vector that this processor has. It is inlined into a function for that kind of processor, and
// so has to be whatever it calls.
template <typename Loops, typename... Args>
__attribute__((noinline)) void RunOnFour(Args... args) {
  Loops::template Run<Four>(args...);
}

#if defined(__x86_64__)
template <typename Loops, typename... Args>
__attribute__((noinline, target("avx2,fma"))) void RunOnEight(Args... args) {
  Loops::template Run<Eight>(args...);
}

template <typename Loops, typename... Args>
__attribute__((noinline, target("avx512f"))) void RunOnSixteen(Args... args) {
  Loops::template Run<Sixteen>(args...);
}
#endif

// The same with a vector that the caller has chosen, in a function of its own.
template <typename V, typename Loops, typename... Args>
PYRAMIDAL_INLINE void RunApart(Args... args) {
#if defined(__x86_64__)
  if constexpr (kLanes<V> == kLanes<Sixteen>) return RunOnSixteen<Loops, Args...>(args...);
  if constexpr (kLanes<V> == kLanes<Eight>) return RunOnEight<Loops, Args...>(args...);
#endif
  RunOnFour<Loops, Args...>(args...);
}

// Of the widest vector of this processor.
inline int64_t LanesOfThisProcessor() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) return kLanes<Sixteen>;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return kLanes<Eight>;
#endif
  return kLanes<Four>;
}

template <typename Loops, typename... Args>
auto LoopsOfThisProcessor() -> void (*)(Args...) {
#if defined(__x86_64__)
  if (LanesOfThisProcessor() == kLanes<Sixteen>) return &RunOnSixteen<Loops, Args...>;
  if (LanesOfThisProcessor() == kLanes<Eight>) return &RunOnEight<Loops, Args...>;
#endif
  return &RunOnFour<Loops, Args...>;
}

template <typename Loops, typename... Args>
void RunLoops(Args... args) {
  static void (*const run)(Args...) = LoopsOfThisProcessor<Loops, Args...>();
  run(args...);
}

}  // namespace pyramidal

#endif  // PYRAMIDAL_VECTORS_H_

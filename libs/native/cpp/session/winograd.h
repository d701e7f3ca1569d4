// Convolutions of 3x3 filters by Winograd's minimal filtering F(4x4, 3x3) (Lavin & Gray, CVPR 2016, section 4): tiles of 4x4
// outputs, which overlapping 6x6 inputs decide on, take 36 products a pair of channels in place of 144. Inputs, filters and
// outputs are transformed a vector of channels at a time; between the transforms are 36 products of matrices.
//
// The transforms read polynomials at 0, +-5/8, +-3/2 and infinity in place of 0, +-1, +-2: with sums of few products at a time
// they round no coarser than a direct convolution (Barabasz et al., ACM TOMS 2020, on the choice of points). All factors of
// inputs and outputs are exact.
//
// V is the vector of floats of a kind of processor.
#ifndef PYRAMIDAL_WINOGRAD_H_
#define PYRAMIDAL_WINOGRAD_H_

#include <cstdint>

#include "vectors.h"

namespace pyramidal {
namespace winograd {

// Side of a tile of outputs, of the inputs that it depends on, and the number of those.
constexpr int kTile = 4;
constexpr int kSide = 6;
constexpr int kPoints = kSide * kSide;

struct Image {
  int64_t count, height, width, channels;

  int64_t down() const { return (height + kTile - 1) / kTile; }
  int64_t across() const { return (width + kTile - 1) / kTile; }
  int64_t tiles() const { return count * down() * across(); }
};

struct TilePlace {
  int64_t image, row, column;
};

inline TilePlace PlaceOf(const Image &image, int64_t tile) {
  const int64_t perImage = image.down() * image.across();
  const int64_t rest = tile % perImage;
  return {tile / perImage, rest / image.across() * kTile, rest % image.across() * kTile};
}

// The points +-a and +-b, and what the filters' polynomials are divided by at 0, +-a and +-b.
constexpr double kA = 5.0 / 8, kB = 3.0 / 2;
constexpr double kA2 = kA * kA, kB2 = kB * kB;
constexpr double kAt0 = 1 / (kA2 * kB2), kAtA = 1 / (2 * kA2 * (kA2 - kB2)), kAtB = 1 / (2 * kB2 * (kB2 - kA2));

template <typename V>
PYRAMIDAL_INLINE V Times(double factor, V value) {
  return static_cast<float>(factor) * value;
}

// The transforms along one axis, `step` values apart: B^T d, A^T m, A y, G f and G^T u of the paper.
template <typename V>
PYRAMIDAL_INLINE void OfInput(const V *d, int step, V *out, int outStep) {
  const V d0 = d[0], d1 = d[step], d2 = d[2 * step], d3 = d[3 * step], d4 = d[4 * step], d5 = d[5 * step];
  const V evenA = d4 - Times(kB2, d2), oddA = Times(kA, d3 - Times(kB2, d1));
  const V evenB = d4 - Times(kA2, d2), oddB = Times(kB, d3 - Times(kA2, d1));
  out[0] = Times(kA2 * kB2, d0) - Times(kA2 + kB2, d2) + d4;
  out[outStep] = evenA + oddA;
  out[2 * outStep] = evenA - oddA;
  out[3 * outStep] = evenB + oddB;
  out[4 * outStep] = evenB - oddB;
  out[5 * outStep] = Times(kA2 * kB2, d1) - Times(kA2 + kB2, d3) + d5;
}

template <typename V>
PYRAMIDAL_INLINE void ToOutput(const V *m, int step, V *out, int outStep) {
  const V m0 = m[0], m1 = m[step], m2 = m[2 * step], m3 = m[3 * step], m4 = m[4 * step], m5 = m[5 * step];
  const V evenA = m1 + m2, oddA = m1 - m2, evenB = m3 + m4, oddB = m3 - m4;
  out[0] = m0 + evenA + evenB;
  out[outStep] = Times(kA, oddA) + Times(kB, oddB);
  out[2 * outStep] = Times(kA2, evenA) + Times(kB2, evenB);
  out[3 * outStep] = Times(kA2 * kA, oddA) + Times(kB2 * kB, oddB) + m5;
}

template <typename V>
PYRAMIDAL_INLINE void OfOutput(const V *y, int step, V *out, int outStep) {
  const V y0 = y[0], y1 = y[step], y2 = y[2 * step], y3 = y[3 * step];
  const V evenA = y0 + Times(kA2, y2), oddA = Times(kA, y1) + Times(kA2 * kA, y3);
  const V evenB = y0 + Times(kB2, y2), oddB = Times(kB, y1) + Times(kB2 * kB, y3);
  out[0] = y0;
  out[outStep] = evenA + oddA;
  out[2 * outStep] = evenA - oddA;
  out[3 * outStep] = evenB + oddB;
  out[4 * outStep] = evenB - oddB;
  out[5 * outStep] = y3;
}

template <typename V>
PYRAMIDAL_INLINE void OfFilter(const V *f, int step, V *out, int outStep) {
  const V f0 = f[0], f1 = f[step], f2 = f[2 * step];
  const V evenA = Times(kAtA, f0) + Times(kAtA * kA2, f2), oddA = Times(kAtA * kA, f1);
  const V evenB = Times(kAtB, f0) + Times(kAtB * kB2, f2), oddB = Times(kAtB * kB, f1);
  out[0] = Times(kAt0, f0);
  out[outStep] = evenA + oddA;
  out[2 * outStep] = evenA - oddA;
  out[3 * outStep] = evenB + oddB;
  out[4 * outStep] = evenB - oddB;
  out[5 * outStep] = f2;
}

template <typename V>
PYRAMIDAL_INLINE void ToFilter(const V *u, int step, V *out, int outStep) {
  const V u0 = u[0], u1 = u[step], u2 = u[2 * step], u3 = u[3 * step], u4 = u[4 * step], u5 = u[5 * step];
  const V evenA = u1 + u2, oddA = u1 - u2, evenB = u3 + u4, oddB = u3 - u4;
  out[0] = Times(kAt0, u0) + Times(kAtA, evenA) + Times(kAtB, evenB);
  out[outStep] = Times(kAtA * kA, oddA) + Times(kAtB * kB, oddB);
  out[2 * outStep] = Times(kAtA * kA2, evenA) + Times(kAtB * kB2, evenB) + u5;
}

// A vector of channels of the 6x6 inputs of a tile, each of the 36 results `stride` floats after the one before.
template <typename V>
PYRAMIDAL_INLINE void TransformInput(const float *values, const Image &image, const TilePlace &at, int64_t channel,
                                     float *to, int64_t stride) {
  V d[kSide * kSide], t[kSide * kSide], out[kSide];
  for (int i = 0; i < kSide; i++) {
    const int64_t y = at.row + i - 1;
    const bool isRow = y >= 0 && y < image.height;
    const float *row = values + ((at.image * image.height + y) * image.width + at.column - 1) * image.channels + channel;
    for (int j = 0; j < kSide; j++) {
      const int64_t x = at.column + j - 1;
      d[kSide * i + j] = isRow && x >= 0 && x < image.width ? Load<V>(row + j * image.channels) : V{};
    }
  }
  for (int j = 0; j < kSide; j++) OfInput(d + j, kSide, t + j, kSide);
  for (int i = 0; i < kSide; i++) {
    OfInput(t + kSide * i, 1, out, 1);
    for (int j = 0; j < kSide; j++) Store(out[j], to + (kSide * i + j) * stride);
  }
}

// What becomes of the outputs of a convolution: relu((y + addend) * scale + offset).
struct Ending {
  // Of the shape of the output; null where nothing is added.
  const float *addend;
  // One for each channel, as the offsets; both null where the outputs stay as they are.
  const float *scale, *offset;
  bool hasRelu;
};

// A vector of channels of a tile of outputs from its 36 points, each `stride` floats after the one before.
template <typename V>
PYRAMIDAL_INLINE void TransformToOutput(const float *from, int64_t stride, const Image &image, const TilePlace &at,
                                        int64_t channel, const Ending &ending, float *values) {
  V m[kSide * kSide], t[kTile * kSide], out[kTile];
  for (int i = 0; i < kPoints; i++) m[i] = Load<V>(from + i * stride);
  for (int j = 0; j < kSide; j++) ToOutput(m + j, kSide, t + j, kSide);
  for (int i = 0; i < kTile && at.row + i < image.height; i++) {
    ToOutput(t + kSide * i, 1, out, 1);
    const int64_t row = ((at.image * image.height + at.row + i) * image.width + at.column) * image.channels + channel;
    for (int j = 0; j < kTile && at.column + j < image.width; j++) {
      const int64_t place = row + j * image.channels;
      V value = out[j];
      if (ending.addend != nullptr) value += Load<V>(ending.addend + place);
      if (ending.scale != nullptr) value = value * Load<V>(ending.scale + channel) + Load<V>(ending.offset + channel);
      if (ending.hasRelu) value = value < V{} ? V{} : value;
      Store(value, values + place);
    }
  }
}

// The gradient of `TransformToOutput`.
template <typename V>
PYRAMIDAL_INLINE void TransformOutput(const float *values, const Image &image, const TilePlace &at, int64_t channel,
                                      float *to, int64_t stride) {
  V y[kTile * kTile], t[kSide * kTile], out[kSide];
  for (int i = 0; i < kTile; i++) {
    const bool isRow = at.row + i < image.height;
    const float *row = values + ((at.image * image.height + at.row + i) * image.width + at.column) * image.channels + channel;
    for (int j = 0; j < kTile; j++) {
      y[kTile * i + j] = isRow && at.column + j < image.width ? Load<V>(row + j * image.channels) : V{};
    }
  }
  for (int j = 0; j < kTile; j++) OfOutput(y + j, kTile, t + j, kTile);
  for (int i = 0; i < kSide; i++) {
    OfOutput(t + kTile * i, 1, out, 1);
    for (int j = 0; j < kSide; j++) Store(out[j], to + (kSide * i + j) * stride);
  }
}

template <typename V>
PYRAMIDAL_INLINE void TransformFilter(const V *taps, float *to, int64_t stride) {
  V t[kSide * 3], out[kSide];
  for (int j = 0; j < 3; j++) OfFilter(taps + j, 3, t + j, 3);
  for (int i = 0; i < kSide; i++) {
    OfFilter(t + 3 * i, 1, out, 1);
    for (int j = 0; j < kSide; j++) Store(out[j], to + (kSide * i + j) * stride);
  }
}

// The gradient of `TransformFilter`; taps are `tapStride` floats apart.
template <typename V>
PYRAMIDAL_INLINE void TransformToFilter(const float *from, int64_t stride, float *taps, int64_t tapStride) {
  V u[kPoints], t[3 * kSide], out[3];
  for (int i = 0; i < kPoints; i++) u[i] = Load<V>(from + i * stride);
  for (int j = 0; j < kSide; j++) ToFilter(u + j, kSide, t + j, kSide);
  for (int i = 0; i < 3; i++) {
    ToFilter(t + kSide * i, 1, out, 1);
    for (int j = 0; j < 3; j++) Store(out[j], taps + (3 * i + j) * tapStride);
  }
}

// Rows of a product that are summed side by side, of two vectors each.
template <typename V>
constexpr int kRows = sizeof(V) == 64 ? 8 : 4;

// Products that are summed before their sum is added to those of others: few, so that the sums round little.
constexpr int64_t kSummed = 32;

// c[i][j] = or += sum over k of a[i * aRow + k * aStep] * b[k][j], of `kRows` rows and two vectors.
template <typename V, bool isStep>
PYRAMIDAL_INLINE void Multiply(int64_t count, const float *a, int64_t aRow, int64_t aStep, const float *b, float *c,
                               int64_t cRow, bool adds) {
  constexpr int rows = kRows<V>;
  constexpr int64_t lanes = kLanes<V>;
  for (int64_t first = 0; first < count; first += kSummed) {
    const int64_t end = first + kSummed < count ? first + kSummed : count;
    V sums[rows][2];
#pragma GCC unroll 8
    for (int i = 0; i < rows; i++) sums[i][0] = sums[i][1] = V{};
    for (int64_t k = first; k < end; k++) {
      const V left = Load<V>(b + 2 * lanes * k), right = Load<V>(b + 2 * lanes * k + lanes);
#pragma GCC unroll 8
      for (int i = 0; i < rows; i++) {
        const float value = isStep ? a[i + k * aStep] : a[i * aRow + k];
        sums[i][0] += value * left;
        sums[i][1] += value * right;
      }
    }
    const bool isFirst = first == 0 && !adds;
#pragma GCC unroll 8
    for (int i = 0; i < rows; i++) {
      float *const to = c + i * cRow;
      Store(isFirst ? sums[i][0] : Load<V>(to) + sums[i][0], to);
      Store(isFirst ? sums[i][1] : Load<V>(to + lanes) + sums[i][1], to + lanes);
    }
  }
}

}  // namespace winograd
}  // namespace pyramidal

#endif  // PYRAMIDAL_WINOGRAD_H_

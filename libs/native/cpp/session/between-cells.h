// Bilinear resizing with half-pixel centres, along one axis.
#ifndef PYRAMIDAL_BETWEEN_CELLS_H_
#define PYRAMIDAL_BETWEEN_CELLS_H_

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace pyramidal {

// Where a cell of a map lies between two cells of the map that it is resized from.
struct BetweenCells {
  int64_t lower, upper;
  float weight;  // of the upper one
};

// In single precision as TensorFlow's own operation.
template <typename Real>
BetweenCells PlaceBetween(int64_t cell, int64_t from, int64_t to) {
  const Real place = (static_cast<Real>(cell) + Real(0.5)) * (static_cast<Real>(from) / static_cast<Real>(to)) - Real(0.5);
  const Real floor = std::floor(place);
  const int64_t lower = static_cast<int64_t>(floor);
  return {std::max<int64_t>(lower, 0), std::min(lower + 1, from - 1), static_cast<float>(place - floor)};
}

}  // namespace pyramidal

#endif  // PYRAMIDAL_BETWEEN_CELLS_H_

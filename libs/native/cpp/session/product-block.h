// A block of a matrix product in registers: as many rows and vectors of columns as processors have registers for.
#ifndef PYRAMIDAL_PRODUCT_BLOCK_H_
#define PYRAMIDAL_PRODUCT_BLOCK_H_

#include <cstdint>

#include "panel.h"
#include "vectors.h"

namespace pyramidal {

// How many parts of at most so many there are.
constexpr int64_t PartsOf(int64_t count, int64_t most) { return (count + most - 1) / most; }

// Rows that are multiplied together.
constexpr int kRows = 6;

// Adds `depth` products for `kRows` rows and `vectors` vectors of columns to sums: row i of the first matrix begins at `rows[i]`, the
// rows of the second one are `stride` apart.
template <typename V, int vectors>
PYRAMIDAL_INLINE void AddBlock(const float *const *rows, const float *matrix, int64_t stride, int64_t depth, V (&sums)[kRows][vectors]) {
  // A core that runs two programs at once takes in half as many instructions for each: those that only count cost a tenth then.
#pragma GCC unroll 4
  for (int64_t d = 0; d < depth; d++) {
    V columns[vectors];
#pragma GCC unroll 2
    for (int j = 0; j < vectors; j++) columns[j] = Load<V>(matrix + d * stride + j * kLanes<V>);
#pragma GCC unroll 6
    for (int i = 0; i < kRows; i++) {
#pragma GCC unroll 2
      for (int j = 0; j < vectors; j++) sums[i][j] += rows[i][d] * columns[j];
    }
  }
}

// The same from zero on.
template <typename V, int vectors>
PYRAMIDAL_INLINE void MultiplyBlock(const float *const *rows, const float *matrix, int64_t stride, int64_t depth,
                                    V (&sums)[kRows][vectors]) {
#pragma GCC unroll 6
  for (int i = 0; i < kRows; i++) {
#pragma GCC unroll 2
    for (int j = 0; j < vectors; j++) sums[i][j] = V{};
  }
  AddBlock<V, vectors>(rows, matrix, stride, depth, sums);
}

}  // namespace pyramidal

#endif  // PYRAMIDAL_PRODUCT_BLOCK_H_

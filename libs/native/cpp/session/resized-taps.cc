// 3x3 convolutions, stride 1 and one cell of zeros around the map, of maps that are resized to a larger size first. Resizing and
// the products with the filter may change places: each cell of the small map is multiplied with all nine taps, and what is
// resized here, moved to where its tap reads and summed are these products, a fraction of what the large map takes.
#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

#include "between-cells.h"
#include "kernel.h"
#include "threads.h"

namespace pyramidal {
namespace {

constexpr int kTaps = 3;
// TapTerms of a sum: two cells for each tap of an axis.
constexpr int kTapTerms = 2 * kTaps;

// Vectors and what they are multiplied with; those that are not given are zeros.
struct TapTerms {
  const float *from[kTapTerms];
  float weights[kTapTerms];
};

// to[i] (+)= the sum over the terms.
PYRAMIDAL_LOOPS void SumTapTerms(const TapTerms &terms, float *to, int64_t count) {
  const float *const a = terms.from[0], *const b = terms.from[1], *const c = terms.from[2];
  const float *const d = terms.from[3], *const e = terms.from[4], *const f = terms.from[5];
  const float *const w = terms.weights;
  for (int64_t i = 0; i < count; i++) to[i] = (w[0] * a[i] + w[1] * b[i]) + (w[2] * c[i] + w[3] * d[i]) + (w[4] * e[i] + w[5] * f[i]);
}

PYRAMIDAL_LOOPS void AddTo(const float *from, float *to, int64_t count) {
  for (int64_t i = 0; i < count; i++) to[i] += from[i];
}

// Products of a map's cells with the taps: [taps down, taps across, images, height, width, channels].
struct TapProducts {
  int64_t height, width;
  const float *values;
};

struct ResizedMap {
  int64_t images, height, width, channels;
};

class TapSum {
 public:
  TapSum(const ResizedMap &map, const std::vector<TapProducts> &products) : map_(map), products_(products) {
    int64_t widest = 0;
    for (const TapProducts &each : products) widest = std::max(widest, each.width);
    zeros_.resize(widest * map.channels);
  }

  // Rows `begin..end`, counted over all images.
  void Write(float *to, int64_t begin, int64_t end) const {
    std::vector<float> columns(kTaps * zeros_.size()), one(map_.channels);
    for (int64_t row = begin; row < end; row++) {
      for (const TapProducts &from : products_) {
        SumDown(from, row / map_.height, row % map_.height, columns.data());
        for (int64_t x = 0; x < map_.width; x++) {
          float *const cell = to + (row * map_.width + x) * map_.channels;
          const bool isFirst = &from == &products_.front();
          SumAcross(from, columns.data(), x, isFirst ? cell : one.data());
          if (!isFirst) AddTo(one.data(), cell, map_.channels);
        }
      }
    }
  }

 private:
  // What each of the taps across sees of a row, summed over the taps down: [taps across, width, channels].
  void SumDown(const TapProducts &from, int64_t image, int64_t y, float *columns) const {
    const int64_t row = from.width * map_.channels, tap = map_.images * from.height * row;
    for (int across = 0; across < kTaps; across++) {
      TapTerms terms = NoTapTerms();
      for (int down = 0; down < kTaps; down++) {
        const float *const values = from.values + (kTaps * down + across) * tap + image * from.height * row;
        SetTapTerm(&terms, down, values, row, y + down - 1, from.height, map_.height);
      }
      SumTapTerms(terms, columns + across * row, row);
    }
  }

  void SumAcross(const TapProducts &from, const float *columns, int64_t x, float *to) const {
    TapTerms terms = NoTapTerms();
    for (int across = 0; across < kTaps; across++) {
      const float *const values = columns + across * from.width * map_.channels;
      SetTapTerm(&terms, across, values, map_.channels, x + across - 1, from.width, map_.width);
    }
    SumTapTerms(terms, to, map_.channels);
  }

  TapTerms NoTapTerms() const {
    TapTerms terms;
    std::fill(terms.from, terms.from + kTapTerms, zeros_.data());
    std::fill(terms.weights, terms.weights + kTapTerms, 0.0f);
    return terms;
  }

  // What a tap sees at a cell of the large map, zero outside of it.
  static void SetTapTerm(TapTerms *terms, int tap, const float *values, int64_t step, int64_t cell, int64_t from, int64_t to) {
    if (cell < 0 || cell >= to) return;
    const BetweenCells at = PlaceBetween<float>(cell, from, to);
    terms->from[2 * tap] = values + at.lower * step;
    terms->from[2 * tap + 1] = values + at.upper * step;
    terms->weights[2 * tap] = 1 - at.weight;
    terms->weights[2 * tap + 1] = at.weight;
  }

  const ResizedMap map_;
  const std::vector<TapProducts> &products_;
  std::vector<float> zeros_;
};

struct ResizedSize {
  int64_t height, width;

  void Read(TF_OpKernelConstruction *construction, TF_Status *status) {
    TF_OpKernelConstruction_GetAttrInt64(construction, "height", &height, status);
    if (TF_GetCode(status) == TF_OK) TF_OpKernelConstruction_GetAttrInt64(construction, "width", &width, status);
  }
};

void ComputeResizedTaps(void *kernel, TF_OpKernelContext *context) {
  const ResizedSize &size = *static_cast<ResizedSize *>(kernel);
  std::vector<TapProducts> products;
  ResizedMap map{0, size.height, size.width, 0};
  for (int i = 0; i < TF_NumInputs(context); i++) {
    // The inputs live as long as the kernel runs.
    const Array each = InputOf(context, i);
    const std::string name = "products " + std::to_string(i);
    if (each.rank() != 5) throw std::runtime_error(name + ": expected [9, images, height, width, channels], received " + each.shape());
    if (i == 0) {
      map.images = each.size(1);
      map.channels = each.size(4);
    }
    each.Expect(name.c_str(), {kTaps * kTaps, map.images, each.size(2), each.size(3), map.channels});
    products.push_back({each.size(2), each.size(3), each.data<float>()});
  }
  const Array sum = OutputOf(context, 0, TF_FLOAT, {map.images, map.height, map.width, map.channels});
  const TapSum taps(map, products);
  InParts(map.images * map.height, 4, [&](int64_t begin, int64_t end) { taps.Write(sum.data<float>(), begin, end); });
}

const bool isResizedTapsRegistered = Register({"PyramidalResizedTaps",
                                               {"maps: int >= 1", "height: int", "width: int"},
                                               {"products: maps * float"},
                                               {"sum: float"},
                                               false,
                                               &CreateSettings<ResizedSize>,
                                               &RunKernel<ComputeResizedTaps>,
                                               &DeleteSettings<ResizedSize>});

}  // namespace
}  // namespace pyramidal

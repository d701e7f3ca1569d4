// The likeliest class of every pixel of a picture: class logits are resized, once or several times, and none of the large maps
// in between exists. Rows are resized along the width first, as the operations do in whose place it is.
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "between-cells.h"
#include "kernel.h"
#include "threads.h"

namespace pyramidal {
namespace {

struct GridSize {
  int64_t height, width;
};

PYRAMIDAL_LOOPS void BlendRows(const float *lower, const float *upper, float weight, float *to, int64_t count) {
  for (int64_t i = 0; i < count; i++) to[i] = lower[i] + (upper[i] - lower[i]) * weight;
}

// Each cell of a row between two of a narrower or wider one, of so many channels.
PYRAMIDAL_LOOPS void WidenRow(const float *row, const BetweenCells *columns, int64_t width, int64_t channels, float *to) {
  for (int64_t x = 0; x < width; x++) {
    const float *const lower = row + columns[x].lower * channels, *const upper = row + columns[x].upper * channels;
    const float weight = columns[x].weight;
    float *const cell = to + x * channels;
    for (int64_t i = 0; i < channels; i++) cell[i] = lower[i] + (upper[i] - lower[i]) * weight;
  }
}

// The place of the largest of some values, of equal ones the first.
inline __attribute__((always_inline)) int32_t PlaceOfLargest(const float *values, int64_t count) {
  constexpr int kLanes = 8;
  float most[kLanes];
  int32_t places[kLanes];
  for (int lane = 0; lane < kLanes; lane++) {
    most[lane] = lane < count ? values[lane] : -std::numeric_limits<float>::infinity();
    places[lane] = 0;
  }
  int64_t i = kLanes;
  for (; i + kLanes <= count; i += kLanes) {
    for (int lane = 0; lane < kLanes; lane++) {
      const bool isMore = values[i + lane] > most[lane];
      most[lane] = isMore ? values[i + lane] : most[lane];
      places[lane] = isMore ? static_cast<int32_t>(i) : places[lane];
    }
  }
  float largest = most[0];
  int32_t place = places[0];
  for (int lane = 1; lane < kLanes; lane++) {
    const int32_t own = places[lane] + lane;
    if (most[lane] < largest || (most[lane] == largest && own > place) || own >= count) continue;
    largest = most[lane];
    place = own;
  }
  for (; i < count; i++) {
    if (values[i] <= largest) continue;
    largest = values[i];
    place = static_cast<int32_t>(i);
  }
  return place;
}

// The same of every cell of a row that lies between two others. @param room for the values of a cell.
PYRAMIDAL_LOOPS void LargestInRow(const float *lower, const float *upper, float weight, int64_t width, int64_t channels,
                                  float *room, int32_t *places) {
  for (int64_t x = 0; x < width; x++) {
    for (int64_t i = 0; i < channels; i++) {
      const int64_t at = x * channels + i;
      room[i] = lower[at] + (upper[at] - lower[at]) * weight;
    }
    places[x] = PlaceOfLargest(room, channels);
  }
}

// Rows of a map after resizing, from top to bottom.
class ResizedRows {
 public:
  // Of a map's values, or of rows that are resized themselves.
  ResizedRows(const float *values, ResizedRows *rows, GridSize from, GridSize to, int64_t channels)
      : values_(values), rows_(rows), from_(from), to_(to), channels_(channels), row_(to.width * channels) {
    for (int64_t x = 0; x < to.width; x++) columns_.push_back(PlaceBetween<float>(x, from.width, to.width));
    for (std::vector<float> &wide : wide_) wide.resize(to.width * channels);
  }

  // The two rows that row y lies between, as wide as it, and the weight of the second; valid until the next call.
  struct Neighbours {
    const float *lower, *upper;
    float weight;
  };

  Neighbours Around(int64_t y) {
    const BetweenCells at = PlaceBetween<double>(y, from_.height, to_.height);
    const float *const lower = Wide(at.lower);
    return {lower, Wide(at.upper), at.weight};
  }

  // Row y, valid until the next call.
  const float *Row(int64_t y) {
    const Neighbours near = Around(y);
    BlendRows(near.lower, near.upper, near.weight, row_.data(), to_.width * channels_);
    return row_.data();
  }

 private:
  // A row of what is resized, as wide as the result; neighbours are kept beside each other.
  const float *Wide(int64_t y) {
    std::vector<float> &wide = wide_[y % 2];
    if (kept_[y % 2] != y) {
      const float *const row = rows_ != nullptr ? rows_->Row(y) : values_ + y * from_.width * channels_;
      WidenRow(row, columns_.data(), to_.width, channels_, wide.data());
      kept_[y % 2] = y;
    }
    return wide.data();
  }

  const float *const values_;
  ResizedRows *const rows_;
  const GridSize from_, to_;
  const int64_t channels_;
  std::vector<BetweenCells> columns_;
  std::vector<float> wide_[2], row_;
  int64_t kept_[2] = {-1, -1};
};

struct GridSizes {
  std::vector<GridSize> sizes;

  void Read(TF_OpKernelConstruction *construction, TF_Status *status) {
    const std::vector<int64_t> sides = IntsOf(construction, "sizes", status);
    for (size_t i = 0; i + 1 < sides.size(); i += 2) sizes.push_back({sides[i], sides[i + 1]});
  }
};

void ComputeArgMaxOfResized(void *kernel, TF_OpKernelContext *context) {
  const std::vector<GridSize> &sizes = static_cast<GridSizes *>(kernel)->sizes;
  const Array map = InputOf(context, 0);
  if (map.rank() != 4 || map.size(0) != 1 || map.size(3) < 1) {
    throw std::runtime_error("map: expected [1, height, width, channels], received " + map.shape());
  }
  if (sizes.empty()) throw std::runtime_error("sizes: expected height and width, received none");
  const int64_t channels = map.size(3);
  const GridSize last = sizes.back();
  const Array places = OutputOf(context, 0, TF_INT32, {last.height, last.width});
  InParts(last.height, 16, [&](int64_t begin, int64_t end) {
    std::vector<std::unique_ptr<ResizedRows>> stages;
    GridSize from{map.size(1), map.size(2)};
    for (const GridSize &to : sizes) {
      ResizedRows *const before = stages.empty() ? nullptr : stages.back().get();
      stages.push_back(std::make_unique<ResizedRows>(map.data<float>(), before, from, to, channels));
      from = to;
    }
    std::vector<float> room(channels);
    for (int64_t y = begin; y < end; y++) {
      const auto near = stages.back()->Around(y);
      LargestInRow(near.lower, near.upper, near.weight, last.width, channels, room.data(),
                   places.data<int32_t>() + y * last.width);
    }
  });
}

const bool isArgMaxOfResizedRegistered = Register({"PyramidalArgMaxOfResized",
                                                   {"sizes: list(int)"},
                                                   {"map: float"},
                                                   {"places: int32"},
                                                   false,
                                                   &CreateSettings<GridSizes>,
                                                   &RunKernel<ComputeArgMaxOfResized>,
                                                   &DeleteSettings<GridSizes>});

}  // namespace
}  // namespace pyramidal

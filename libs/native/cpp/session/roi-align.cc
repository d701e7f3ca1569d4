// RoIAlign (Mask R-CNN, He et al. 2017, section 3) on the maps of a pyramid, and its gradient: every bin of a RoI averages
// points that are read bilinearly between the centres of cells. A bin's points lie on a grid, so the average is a weighted
// sum over a few rows and columns of cells, and no point is ever kept.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "kernel.h"
#include "threads.h"

namespace pyramidal {
namespace {

// How RoIs are read; 0 points per bin and axis takes as many as a bin has cells.
struct RoiGrid {
  int64_t height, width, sampling;
};

struct RoiMap {
  int64_t images, height, width;
  float *values;
};

struct RoiList {
  int64_t count;
  // Left, top, width, height in cells of the own map, [count, 4].
  const float *places;
  const int32_t *images, *levels;
};

// How much a bin reads of a row or a column of cells.
struct CellShare {
  int64_t cell;
  double share;
};

// The shares of every bin along one axis of a RoI; those of bin i are `shares[starts[i]..starts[i + 1]]`, by rising cells.
class AxisShares {
 public:
  void Place(float start, float size, int64_t bins, int64_t sampling, int64_t cells) {
    shares_.clear();
    starts_.assign(1, 0);
    const float bin = size / static_cast<float>(bins);
    const int64_t points = sampling > 0 ? sampling : AdaptivePoints(bin);
    for (int64_t i = 0; i < bins; i++) {
      for (int64_t k = 0; k < points; k++) {
        const float at = start + static_cast<float>(i) * bin +
                         (static_cast<float>(k) + 0.5f) * bin / static_cast<float>(points);
        AddPoint(at, cells, 1.0 / static_cast<double>(points));
      }
      starts_.push_back(shares_.size());
    }
  }

  const CellShare *begin(int64_t bin) const { return shares_.data() + starts_[bin]; }
  const CellShare *end(int64_t bin) const { return shares_.data() + starts_[bin + 1]; }

 private:
  // A RoI that is not a number has no points, as one without extent.
  static int64_t AdaptivePoints(float bin) { return bin > 0 ? static_cast<int64_t>(std::ceil(bin)) : 0; }

  // Up to a cell beyond the map a point reads the outermost cells, farther ones read nothing.
  void AddPoint(float at, int64_t cells, double weight) {
    if (!(at >= -1.0f && at <= static_cast<float>(cells))) return;
    const float clamped = std::min(std::max(at, 0.0f), static_cast<float>(cells - 1));
    const int64_t low = static_cast<int64_t>(clamped);
    const double share = static_cast<double>(clamped) - static_cast<double>(low);
    AddShare(low, weight * (1 - share));
    if (share > 0) AddShare(low + 1, weight * share);
  }

  // Points of a bin follow each other, so that a cell which is there already is the last or the one before; those of a RoI
  // that is turned around are not found, and stand twice.
  void AddShare(int64_t cell, double share) {
    for (size_t i = shares_.size(); i > starts_.back() && i + 2 > shares_.size(); i--) {
      if (shares_[i - 1].cell != cell) continue;
      shares_[i - 1].share += share;
      return;
    }
    shares_.push_back({cell, share});
  }

  std::vector<CellShare> shares_;
  std::vector<size_t> starts_;
};

PYRAMIDAL_LOOPS void AddRoiCell(float share, const float *__restrict from, float *__restrict to, int64_t count) {
  for (int64_t i = 0; i < count; i++) to[i] += share * from[i];
}

// Maps of few channels, such as masks, whose average is compared with a half: rounded once.
constexpr int64_t kFewChannels = 8;

// Cells that a bin may span where its points are as many.
constexpr float kMostAdaptive = 1 << 16;

class RoiAligner {
 public:
  RoiAligner(const RoiGrid &grid, const std::vector<RoiMap> &maps, const RoiList &rois, int64_t channels)
      : grid_(grid), maps_(maps), rois_(rois), channels_(channels) {}

  // Throws unless all RoIs can be read from maps and images that there are.
  void Check() const {
    for (int64_t i = 0; i < rois_.count; i++) {
      const int32_t level = rois_.levels[i], image = rois_.images[i];
      if (level < 0 || level >= static_cast<int32_t>(maps_.size())) {
        throw std::runtime_error("RoI " + std::to_string(i) + ": expected one of " + std::to_string(maps_.size()) +
                                 " maps, received " + std::to_string(level));
      }
      if (image < 0 || image >= maps_[level].images) {
        throw std::runtime_error("RoI " + std::to_string(i) + ": expected one of " +
                                 std::to_string(maps_[level].images) + " images, received " + std::to_string(image));
      }
      const float *place = rois_.places + 4 * i;
      const float bin = std::max(place[2] / static_cast<float>(grid_.width), place[3] / static_cast<float>(grid_.height));
      if (grid_.sampling == 0 && bin > kMostAdaptive) {
        throw std::runtime_error("RoI " + std::to_string(i) + ": expected at most 65536 cells in a bin, received " +
                                 std::to_string(bin));
      }
    }
  }

  void Read(float *output, int64_t begin, int64_t end) const {
    AxisShares rows, columns;
    for (int64_t roi = begin; roi < end; roi++) {
      const RoiMap &map = Place(roi, rows, columns);
      float *bin = output + roi * grid_.height * grid_.width * channels_;
      for (int64_t y = 0; y < grid_.height; y++) {
        for (int64_t x = 0; x < grid_.width; x++, bin += channels_) {
          if (channels_ < kFewChannels) {
            ReadFew(map, roi, rows, columns, y, x, bin);
          } else {
            std::memset(bin, 0, channels_ * sizeof(float));
            ForCells(map, roi, rows, columns, y, x, [&](float share, const float *cell) {
              AddRoiCell(share, cell, bin, channels_);
            });
          }
        }
      }
    }
  }

  // Channels `first..last` of one image: no other part adds to them, and RoIs are added in their order.
  void Spread(const float *gradient, int64_t image, int64_t first, int64_t last) const {
    AxisShares rows, columns;
    for (int64_t roi = 0; roi < rois_.count; roi++) {
      if (rois_.images[roi] != image) continue;
      const RoiMap &map = Place(roi, rows, columns);
      const float *bin = gradient + roi * grid_.height * grid_.width * channels_ + first;
      for (int64_t y = 0; y < grid_.height; y++) {
        for (int64_t x = 0; x < grid_.width; x++, bin += channels_) {
          ForCells(map, roi, rows, columns, y, x, [&](float share, float *cell) {
            AddRoiCell(share, bin, cell + first, last - first);
          });
        }
      }
    }
  }

 private:
  const RoiMap &Place(int64_t roi, AxisShares &rows, AxisShares &columns) const {
    const RoiMap &map = maps_[rois_.levels[roi]];
    const float *place = rois_.places + 4 * roi;
    columns.Place(place[0], place[2], grid_.width, grid_.sampling, map.width);
    rows.Place(place[1], place[3], grid_.height, grid_.sampling, map.height);
    return map;
  }

  template <typename Visit>
  void ForCells(const RoiMap &map, int64_t roi, const AxisShares &rows, const AxisShares &columns, int64_t y, int64_t x,
                const Visit &visit) const {
    for (const CellShare *row = rows.begin(y); row != rows.end(y); row++) {
      float *cells = map.values + (rois_.images[roi] * map.height + row->cell) * map.width * channels_;
      for (const CellShare *column = columns.begin(x); column != columns.end(x); column++) {
        visit(static_cast<float>(row->share * column->share), cells + column->cell * channels_);
      }
    }
  }

  void ReadFew(const RoiMap &map, int64_t roi, const AxisShares &rows, const AxisShares &columns, int64_t y, int64_t x,
               float *bin) const {
    double sums[kFewChannels] = {};
    for (const CellShare *row = rows.begin(y); row != rows.end(y); row++) {
      const float *cells = map.values + (rois_.images[roi] * map.height + row->cell) * map.width * channels_;
      for (const CellShare *column = columns.begin(x); column != columns.end(x); column++) {
        const float *cell = cells + column->cell * channels_;
        for (int64_t c = 0; c < channels_; c++) sums[c] += row->share * column->share * cell[c];
      }
    }
    for (int64_t c = 0; c < channels_; c++) bin[c] = static_cast<float>(sums[c]);
  }

  const RoiGrid grid_;
  const std::vector<RoiMap> &maps_;
  const RoiList rois_;
  const int64_t channels_;
};

struct RoiSettings {
  RoiGrid grid;

  void Read(TF_OpKernelConstruction *construction, TF_Status *status) {
    TF_OpKernelConstruction_GetAttrInt64(construction, "height", &grid.height, status);
    if (TF_GetCode(status) == TF_OK) TF_OpKernelConstruction_GetAttrInt64(construction, "width", &grid.width, status);
    if (TF_GetCode(status) == TF_OK) TF_OpKernelConstruction_GetAttrInt64(construction, "sampling", &grid.sampling, status);
  }
};

struct RoiGradSettings : RoiSettings {
  // Images, height, width and channels of every map.
  std::vector<int64_t> shapes;

  void Read(TF_OpKernelConstruction *construction, TF_Status *status) {
    RoiSettings::Read(construction, status);
    if (TF_GetCode(status) == TF_OK) shapes = IntsOf(construction, "shapes", status);
  }
};

RoiList RoisOf(const Array &places, const Array &images, const Array &levels) {
  const int64_t count = images.rank() == 1 ? images.size(0) : -1;
  if (count < 0) throw std::runtime_error("images: expected [RoIs], received " + images.shape());
  places.Expect("places", {count, 4});
  levels.Expect("levels", {count});
  return {count, places.data<float>(), images.data<int32_t>(), levels.data<int32_t>()};
}

void ComputeRoiAlign(void *kernel, TF_OpKernelContext *context) {
  const RoiGrid &grid = static_cast<RoiSettings *>(kernel)->grid;
  const int count = TF_NumInputs(context) - 3;
  std::vector<RoiMap> maps;
  int64_t channels = 0;
  for (int i = 0; i < count; i++) {
    // The inputs live as long as the kernel runs.
    const Array map = InputOf(context, i);
    if (map.rank() != 4 || (i > 0 && map.size(3) != channels)) {
      throw std::runtime_error("map " + std::to_string(i) + ": expected [images, height, width, channels] as the first, received " +
                               map.shape());
    }
    channels = map.size(3);
    maps.push_back({map.size(0), map.size(1), map.size(2), map.data<float>()});
  }
  const Array places = InputOf(context, count), images = InputOf(context, count + 1), levels = InputOf(context, count + 2);
  const RoiList rois = RoisOf(places, images, levels);
  const RoiAligner aligner(grid, maps, rois, channels);
  aligner.Check();
  const Array output = OutputOf(context, 0, TF_FLOAT, {rois.count, grid.height, grid.width, channels});
  InParts(rois.count, 4, [&](int64_t begin, int64_t end) { aligner.Read(output.data<float>(), begin, end); });
}

// Of a block of channels, a line of the cache each, so that parts share none.
constexpr int64_t kChannelBlock = 32;

void ComputeRoiAlignGrad(void *kernel, TF_OpKernelContext *context) {
  const RoiGradSettings &attrs = *static_cast<RoiGradSettings *>(kernel);
  const Array gradient = InputOf(context, 0);
  const Array places = InputOf(context, 1), images = InputOf(context, 2), levels = InputOf(context, 3);
  const RoiList rois = RoisOf(places, images, levels);
  const int64_t channels = gradient.rank() == 4 ? gradient.size(3) : 0;
  gradient.Expect("gradient", {rois.count, attrs.grid.height, attrs.grid.width, channels});
  std::vector<RoiMap> maps;
  int64_t mostImages = 0;
  for (size_t i = 0; 4 * i + 3 < attrs.shapes.size(); i++) {
    const int64_t *shape = attrs.shapes.data() + 4 * i;
    if (shape[3] != channels) throw std::runtime_error("gradient: expected the channels of the maps, received " + gradient.shape());
    const Array map = OutputOf(context, static_cast<int>(i), TF_FLOAT, {shape[0], shape[1], shape[2], channels});
    maps.push_back({shape[0], shape[1], shape[2], map.data<float>()});
    mostImages = std::max(mostImages, shape[0]);
    InParts(shape[0] * shape[1] * shape[2] * channels, 1 << 16, [&](int64_t begin, int64_t end) {
      std::memset(maps.back().values + begin, 0, (end - begin) * sizeof(float));
    });
  }
  const RoiAligner aligner(attrs.grid, maps, rois, channels);
  aligner.Check();
  const int64_t blocks = (channels + kChannelBlock - 1) / kChannelBlock;
  InParts(mostImages * blocks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end;) {
      const int64_t image = i / blocks, last = std::min(end, (image + 1) * blocks);
      aligner.Spread(gradient.data<float>(), image, i % blocks * kChannelBlock,
                     std::min((last - image * blocks) * kChannelBlock, channels));
      i = last;
    }
  });
}

const bool isRoiAlignRegistered =
    Register({"PyramidalRoiAlign",
              {"maps: int >= 1", "height: int", "width: int", "sampling: int"},
              {"values: maps * float", "places: float", "images: int32", "levels: int32"},
              {"output: float"},
              false,
              &CreateSettings<RoiSettings>,
              &RunKernel<ComputeRoiAlign>,
              &DeleteSettings<RoiSettings>}) &&
    Register({"PyramidalRoiAlignGrad",
              {"maps: int >= 1", "height: int", "width: int", "sampling: int", "shapes: list(int)"},
              {"gradient: float", "places: float", "images: int32", "levels: int32"},
              {"of_values: maps * float"},
              false,
              &CreateSettings<RoiGradSettings>,
              &RunKernel<ComputeRoiAlignGrad>,
              &DeleteSettings<RoiGradSettings>});

}  // namespace
}  // namespace pyramidal

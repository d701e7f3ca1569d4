// Multi-scale deformable attention (Deformable DETR, Zhu et al., 2021) and its gradient: each head of each query sums
// values at points of several maps, read between four cells; what lies outside a map is 0. The values read are never
// kept, as they would be if the attention were composed of other operations.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "kernel.h"
#include "threads.h"

namespace pyramidal {
namespace {

struct Map {
  int64_t height, width;
  // Of its first cell among those of all maps.
  int64_t start;
};

struct Sizes {
  int64_t batch, cells, heads, depth, queries, points;
  std::vector<Map> maps;

  int64_t perHead() const { return static_cast<int64_t>(maps.size()) * points; }
};

// The four cells around a point, and how much of each is read.
struct Corners {
  // Offsets of the cells' values; -1 outside the map.
  int64_t offset[4];
  float weight[4];
  float right, below;
};

// False if all four cells are outside. NaN is outside, too.
inline bool Around(const Map &map, float x, float y, int64_t stride, Corners &corners) {
  // The product is rounded before the half is taken off: on the centre of a cell the last bit decides on the gradient.
  const float column = static_cast<float>(static_cast<double>(x) * map.width) - 0.5f;
  const float row = static_cast<float>(static_cast<double>(y) * map.height) - 0.5f;
  const bool isNear = column >= -1 && row >= -1 && column < map.width && row < map.height;
  if (!isNear) return false;
  const float left = std::floor(column), top = std::floor(row);
  corners.right = column - left;
  corners.below = row - top;
  for (int i = 0; i < 4; i++) {
    const int64_t cx = static_cast<int64_t>(left) + (i & 1), cy = static_cast<int64_t>(top) + (i >> 1);
    const bool isInside = cx >= 0 && cy >= 0 && cx < map.width && cy < map.height;
    corners.offset[i] = isInside ? (map.start + cy * map.width + cx) * stride : -1;
    corners.weight[i] = ((i & 1) ? corners.right : 1 - corners.right) * ((i >> 1) ? corners.below : 1 - corners.below);
  }
  return true;
}

// Queries `begin..end` of all images.
PYRAMIDAL_LOOPS void Attend(const Sizes &sizes, const float *values, const float *locations, const float *weights,
                            float *output, int64_t begin, int64_t end) {
  const int64_t depth = sizes.depth, stride = sizes.heads * depth;
  Corners corners;
  for (int64_t query = begin; query < end; query++) {
    const float *image = values + query / sizes.queries * sizes.cells * stride;
    for (int64_t head = 0; head < sizes.heads; head++) {
      float *__restrict sum = output + query * stride + head * depth;
      std::memset(sum, 0, depth * sizeof(float));
      int64_t at = (query * sizes.heads + head) * sizes.perHead();
      for (const Map &map : sizes.maps) {
        for (int64_t point = 0; point < sizes.points; point++, at++) {
          if (!Around(map, locations[2 * at], locations[2 * at + 1], stride, corners)) continue;
          for (int i = 0; i < 4; i++) {
            if (corners.offset[i] < 0) continue;
            const float *__restrict value = image + corners.offset[i] + head * depth;
            const float weight = weights[at] * corners.weight[i];
            for (int64_t d = 0; d < depth; d++) sum[d] += weight * value[d];
          }
        }
      }
    }
  }
}

struct Gradients {
  float *values, *locations, *weights;
};

// One head of one image, whose values no other head changes.
PYRAMIDAL_LOOPS void AttendBack(const Sizes &sizes, const float *values, const float *locations, const float *weights,
                                const float *upstream, const Gradients &gradients, int64_t image, int64_t head) {
  const int64_t depth = sizes.depth, stride = sizes.heads * depth;
  const float *own = values + image * sizes.cells * stride + head * depth;
  float *ownGradient = gradients.values + image * sizes.cells * stride + head * depth;
  for (int64_t cell = 0; cell < sizes.cells; cell++) std::memset(ownGradient + cell * stride, 0, depth * sizeof(float));
  Corners corners;
  for (int64_t query = image * sizes.queries; query < (image + 1) * sizes.queries; query++) {
    const float *__restrict up = upstream + query * stride + head * depth;
    int64_t at = (query * sizes.heads + head) * sizes.perHead();
    for (const Map &map : sizes.maps) {
      for (int64_t point = 0; point < sizes.points; point++, at++) {
        float along[4] = {0, 0, 0, 0};
        float read = 0;
        const bool isNear = Around(map, locations[2 * at], locations[2 * at + 1], stride, corners);
        for (int i = 0; isNear && i < 4; i++) {
          if (corners.offset[i] < 0) continue;
          const float *__restrict value = own + corners.offset[i];
          float *__restrict gradient = ownGradient + corners.offset[i];
          const float weight = weights[at] * corners.weight[i];
          float dot = 0;
          for (int64_t d = 0; d < depth; d++) {
            dot += up[d] * value[d];
            gradient[d] += weight * up[d];
          }
          along[i] = dot;
          read += corners.weight[i] * dot;
        }
        const float toRight = isNear ? (along[1] - along[0]) * (1 - corners.below) + (along[3] - along[2]) * corners.below : 0;
        const float downwards = isNear ? (along[2] - along[0]) * (1 - corners.right) + (along[3] - along[1]) * corners.right : 0;
        gradients.weights[at] = read;
        gradients.locations[2 * at] = weights[at] * static_cast<float>(map.width) * toRight;
        gradients.locations[2 * at + 1] = weights[at] * static_cast<float>(map.height) * downwards;
      }
    }
  }
}

struct Maps {
  std::vector<Map> all;

  void Read(TF_OpKernelConstruction *construction, TF_Status *status) {
    const std::vector<int64_t> sides = IntsOf(construction, "maps", status);
    int64_t start = 0;
    for (size_t i = 0; i + 1 < sides.size(); i += 2) {
      all.push_back({sides[i], sides[i + 1], start});
      start += sides[i] * sides[i + 1];
    }
  }
};

Sizes SizesOf(const std::vector<Map> &maps, const Array &values, const Array &locations, const Array &weights) {
  if (values.rank() != 4) {
    throw std::runtime_error("values: expected [batch, cells, heads, depth], received " + values.shape());
  }
  if (weights.rank() != 5) {
    throw std::runtime_error("weights: expected [batch, queries, heads, maps, points], received " + weights.shape());
  }
  const Sizes sizes{values.size(0),  values.size(1),  values.size(2), values.size(3),
                    weights.size(1), weights.size(4), maps};
  const int64_t count = static_cast<int64_t>(maps.size());
  weights.Expect("weights", {sizes.batch, sizes.queries, sizes.heads, count, sizes.points});
  locations.Expect("locations", {sizes.batch, sizes.queries, sizes.heads, count, sizes.points, 2});
  const int64_t cells = maps.empty() ? 0 : maps.back().start + maps.back().height * maps.back().width;
  if (cells != sizes.cells) {
    throw std::runtime_error("values: expected " + std::to_string(cells) + " cells, received " + values.shape());
  }
  return sizes;
}

void ComputeAttention(void *maps, TF_OpKernelContext *context) {
  const Array values = InputOf(context, 0), locations = InputOf(context, 1), weights = InputOf(context, 2);
  const Sizes sizes = SizesOf(static_cast<Maps *>(maps)->all, values, locations, weights);
  const Array output = OutputOf(context, 0, TF_FLOAT, {sizes.batch, sizes.queries, sizes.heads * sizes.depth});
  InParts(sizes.batch * sizes.queries, 64, [&](int64_t begin, int64_t end) {
    Attend(sizes, values.data<float>(), locations.data<float>(), weights.data<float>(), output.data<float>(), begin, end);
  });
}

void ComputeGradients(void *maps, TF_OpKernelContext *context) {
  const Array values = InputOf(context, 0), locations = InputOf(context, 1), weights = InputOf(context, 2);
  const Array upstream = InputOf(context, 3);
  const Sizes sizes = SizesOf(static_cast<Maps *>(maps)->all, values, locations, weights);
  upstream.Expect("gradient", {sizes.batch, sizes.queries, sizes.heads * sizes.depth});
  const int64_t count = static_cast<int64_t>(sizes.maps.size());
  const Array ofValues = OutputOf(context, 0, TF_FLOAT, {sizes.batch, sizes.cells, sizes.heads, sizes.depth});
  const Array ofLocations =
      OutputOf(context, 1, TF_FLOAT, {sizes.batch, sizes.queries, sizes.heads, count, sizes.points, 2});
  const Array ofWeights = OutputOf(context, 2, TF_FLOAT, {sizes.batch, sizes.queries, sizes.heads, count, sizes.points});
  const Gradients gradients{ofValues.data<float>(), ofLocations.data<float>(), ofWeights.data<float>()};
  InParts(sizes.batch * sizes.heads, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      AttendBack(sizes, values.data<float>(), locations.data<float>(), weights.data<float>(), upstream.data<float>(),
                 gradients, i / sizes.heads, i % sizes.heads);
    }
  });
}

const bool isAttentionRegistered = Register({"PyramidalDeformableAttention",
                                             {"maps: list(int)"},
                                             {"values: float", "locations: float", "weights: float"},
                                             {"output: float"},
                                             false,
                                             &CreateSettings<Maps>,
                                             &RunKernel<ComputeAttention>,
                                             &DeleteSettings<Maps>}) &&
                                   Register({"PyramidalDeformableAttentionGrad",
                                             {"maps: list(int)"},
                                             {"values: float", "locations: float", "weights: float", "gradient: float"},
                                             {"of_values: float", "of_locations: float", "of_weights: float"},
                                             false,
                                             &CreateSettings<Maps>,
                                             &RunKernel<ComputeGradients>,
                                             &DeleteSettings<Maps>});

}  // namespace
}  // namespace pyramidal

// Convolutions of 3x3 filters, stride 1 and one cell of zeros around the map, and their gradients, by `winograd.h`: a quarter
// of the multiplications of a direct convolution. Blocks of tiles go through all three steps while they are in the cache.
#include "winograd.h"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <vector>

#include "kernel.h"
#include "threads.h"

namespace pyramidal {
namespace winograd {
namespace {

// Tiles of a block; input channels and output channels that are summed, and given, at a time.
constexpr int64_t kBlock = 48;
constexpr int64_t kInputs = 256;
constexpr int64_t kOutputs = 512;
// Tiles of a block whose products with the gradient are summed at a time.
constexpr int64_t kGradientBlock = 192;
// Input and output channels have to be a multiple of it.
constexpr int64_t kChannels = 32;

// From a map of `inputs` channels to one of `outputs`.
struct Convolution {
  Image map;
  int64_t inputs, outputs;

  Image input() const { return {map.count, map.height, map.width, inputs}; }
  Image output() const { return {map.count, map.height, map.width, outputs}; }
};

struct FreeRoom {
  void operator()(float *room) const { std::free(room); }
};
using Room = std::unique_ptr<float[], FreeRoom>;

// Floats that begin at a line of the cache.
Room RoomFor(int64_t count) {
  const size_t bytes = (static_cast<size_t>(count) * sizeof(float) + 63) / 64 * 64;
  Room room(static_cast<float *>(std::aligned_alloc(64, bytes)));
  if (room == nullptr) throw std::runtime_error("no memory for " + std::to_string(bytes) + " bytes");
  return room;
}

// Transformed filters of output channels `begin..end` vectors: [points][pairs of vectors][inputs][2 vectors]. A turned filter is
// that of the gradient, [3, 3, outputs, inputs], whose taps are in reverse.
struct PackFilters {
  template <typename V>
  PYRAMIDAL_INLINE static void Run(const Convolution &conv, const float *filter, bool isTurned, float *packed,
                                   int64_t begin, int64_t end) {
    constexpr int64_t lanes = kLanes<V>;
    V taps[9];
    float gathered[lanes];
    for (int64_t vector = begin; vector < end; vector++) {
      for (int64_t input = 0; input < conv.inputs; input++) {
        for (int tap = 0; tap < 9; tap++) {
          if (!isTurned) {
            taps[tap] = Load<V>(filter + (tap * conv.inputs + input) * conv.outputs + vector * lanes);
            continue;
          }
          const float *from = filter + ((8 - tap) * conv.outputs + vector * lanes) * conv.inputs + input;
          for (int64_t lane = 0; lane < lanes; lane++) gathered[lane] = from[lane * conv.inputs];
          taps[tap] = Load<V>(gathered);
        }
        float *to = packed + (vector / 2 * conv.inputs + input) * 2 * lanes + vector % 2 * lanes;
        TransformFilter<V>(taps, to, conv.inputs * conv.outputs);
      }
    }
  }
};

// Blocks `begin..end` of tiles; `room` is for those of one.
struct Convolve {
  template <typename V>
  PYRAMIDAL_INLINE static void Run(const Convolution &conv, const float *x, const float *packed, const Ending &ending, float *y,
                                   float *room, int64_t begin, int64_t end) {
    constexpr int64_t lanes = kLanes<V>;
    const Image input = conv.input(), output = conv.output();
    const int64_t tiles = conv.map.tiles();
    float *const points = room, *const products = room + kPoints * kBlock * kInputs;
    for (int64_t block = begin; block < end; block++) {
      const int64_t first = block * kBlock, count = std::min(kBlock, tiles - first);
      const int64_t rows = (count + kRows<V> - 1) / kRows<V> * kRows<V>;
      for (int64_t out = 0; out < conv.outputs; out += kOutputs) {
        const int64_t outputs = std::min(kOutputs, conv.outputs - out);
        for (int64_t in = 0; in < conv.inputs; in += kInputs) {
          const int64_t inputs = std::min(kInputs, conv.inputs - in);
          for (int64_t tile = 0; tile < count; tile++) {
            const TilePlace place = PlaceOf(conv.map, first + tile);
            for (int64_t c = 0; c < inputs; c += lanes) {
              TransformInput<V>(x, input, place, in + c, points + tile * kInputs + c, kBlock * kInputs);
            }
          }
          for (int64_t point = 0; point < kPoints; point++) {
            for (int64_t pair = 0; pair < outputs / (2 * lanes); pair++) {
              const int64_t column = out / (2 * lanes) + pair;
              const float *filters = packed + ((point * conv.outputs / (2 * lanes) + column) * conv.inputs + in) * 2 * lanes;
              for (int64_t row = 0; row < rows; row += kRows<V>) {
                Multiply<V, false>(inputs, points + (point * kBlock + row) * kInputs, kInputs, 1, filters,
                                   products + (point * kBlock + row) * kOutputs + pair * 2 * lanes, kOutputs, in > 0);
              }
            }
          }
        }
        for (int64_t tile = 0; tile < count; tile++) {
          const TilePlace place = PlaceOf(conv.map, first + tile);
          for (int64_t c = 0; c < outputs; c += lanes) {
            TransformToOutput<V>(products + tile * kOutputs + c, kBlock * kOutputs, output, place, out + c, ending, y);
          }
        }
      }
    }
  }
};

// What the filters' gradient is made of for a block of tiles and a few input channels.
struct GradientRooms {
  // [points][vectors of inputs][tiles][vector], [points][pairs of vectors of outputs][tiles][2 vectors].
  float *points, *gradients;
  // [points][inputs][outputs].
  float *products;
};

// Tiles `begin..end` of the block that begins with `first`.
struct PackGradientBlock {
  template <typename V>
  PYRAMIDAL_INLINE static void Run(const Convolution &conv, const float *x, const float *dy, const GradientRooms &rooms,
                                   int64_t in, int64_t inputs, int64_t first, int64_t begin, int64_t end) {
    constexpr int64_t lanes = kLanes<V>;
    const Image input = conv.input(), output = conv.output();
    for (int64_t tile = begin; tile < end; tile++) {
      const TilePlace place = PlaceOf(conv.map, first + tile);
      for (int64_t c = 0; c < inputs; c += lanes) {
        TransformInput<V>(x, input, place, in + c, rooms.points + c * kGradientBlock + tile * lanes, kGradientBlock * inputs);
      }
      for (int64_t c = 0; c < conv.outputs; c += lanes) {
        float *to = rooms.gradients + c / (2 * lanes) * 2 * lanes * kGradientBlock + tile * 2 * lanes + c % (2 * lanes);
        TransformOutput<V>(dy, output, place, c, to, kGradientBlock * conv.outputs);
      }
    }
  }
};

// Adds a block of `count` tiles to the products of points `begin..end`; all parts of a sum come in the order of the tiles.
struct MultiplyGradientBlock {
  template <typename V>
  PYRAMIDAL_INLINE static void Run(const Convolution &conv, const GradientRooms &rooms, int64_t inputs, int64_t count,
                                   bool adds, int64_t begin, int64_t end) {
    constexpr int64_t lanes = kLanes<V>;
    for (int64_t point = begin; point < end; point++) {
      for (int64_t column = 0; column < conv.outputs; column += 2 * lanes) {
        const float *gradients = rooms.gradients + (point * conv.outputs + column) * kGradientBlock;
        for (int64_t row = 0; row < inputs; row += kRows<V>) {
          const float *points = rooms.points + (point * inputs + row / lanes * lanes) * kGradientBlock + row % lanes;
          Multiply<V, true>(count, points, 1, lanes, gradients, rooms.products + (point * inputs + row) * conv.outputs + column,
                            conv.outputs, adds);
        }
      }
    }
  }
};

// The filters' gradient of input channels `begin..end` of those from `in` on.
struct UnpackFilters {
  template <typename V>
  PYRAMIDAL_INLINE static void Run(const Convolution &conv, const GradientRooms &rooms, int64_t in, int64_t inputs, float *filter,
                                   int64_t begin, int64_t end) {
    for (int64_t c = begin; c < end; c++) {
      for (int64_t k = 0; k < conv.outputs; k += kLanes<V>) {
        TransformToFilter<V>(rooms.products + c * conv.outputs + k, inputs * conv.outputs,
                             filter + (in + c) * conv.outputs + k, conv.inputs * conv.outputs);
      }
    }
  }
};

void ConvolveMap(const Convolution &conv, const float *x, const float *filter, bool isTurned, const Ending &ending, float *y) {
  const Room packed = RoomFor(kPoints * conv.inputs * conv.outputs);
  InParts(conv.outputs / LanesOfThisProcessor(), 1, [&](int64_t begin, int64_t end) {
    RunLoops<PackFilters>(conv, filter, isTurned, packed.get(), begin, end);
  });
  const int64_t blocks = (conv.map.tiles() + kBlock - 1) / kBlock;
  InParts(blocks, 1, [&](int64_t begin, int64_t end) {
    const Room room = RoomFor(kPoints * kBlock * (kInputs + kOutputs));
    RunLoops<Convolve>(conv, x, packed.get(), ending, y, room.get(), begin, end);
  });
}

void FilterGradient(const Convolution &conv, const float *x, const float *dy, float *gradient) {
  const int64_t most = std::min(kInputs, conv.inputs), tiles = conv.map.tiles();
  const Room points = RoomFor(kPoints * kGradientBlock * most);
  const Room gradients = RoomFor(kPoints * kGradientBlock * conv.outputs);
  const Room products = RoomFor(kPoints * most * conv.outputs);
  const GradientRooms rooms{points.get(), gradients.get(), products.get()};
  for (int64_t in = 0; in < conv.inputs; in += most) {
    const int64_t inputs = std::min(most, conv.inputs - in);
    for (int64_t first = 0; first < tiles; first += kGradientBlock) {
      const int64_t count = std::min(kGradientBlock, tiles - first);
      InParts(count, 4, [&](int64_t begin, int64_t end) {
        RunLoops<PackGradientBlock>(conv, x, dy, rooms, in, inputs, first, begin, end);
      });
      InParts(kPoints, 1, [&](int64_t begin, int64_t end) {
        RunLoops<MultiplyGradientBlock>(conv, rooms, inputs, count, first > 0, begin, end);
      });
    }
    InParts(inputs, 8, [&](int64_t begin, int64_t end) { 
      RunLoops<UnpackFilters>(conv, rooms, in, inputs, gradient, begin, end);
    });
  }
}

void ExpectChannels(const char *name, int64_t channels) {
  if (channels % kChannels == 0) return;
  throw std::runtime_error(std::string(name) + ": expected a multiple of " + std::to_string(kChannels) +
                           " channels, received " + std::to_string(channels));
}

Convolution ConvolutionOf(const Array &map, int64_t inputs, int64_t outputs) {
  if (map.rank() != 4) throw std::runtime_error("map: expected [images, height, width, channels], received " + map.shape());
  ExpectChannels("inputs", inputs);
  ExpectChannels("outputs", outputs);
  return {{map.size(0), map.size(1), map.size(2), map.size(3)}, inputs, outputs};
}

// The filter [3, 3, I, O] turns a map of I channels into one of O, and, turned around, the gradient of that into the map's.
Convolution ConvolutionOf(const Array &map, const Array &filter, bool isTurned) {
  if (filter.rank() != 4) throw std::runtime_error("filter: expected [3, 3, inputs, outputs], received " + filter.shape());
  filter.Expect("filter", {3, 3, filter.size(2), filter.size(3)});
  const Convolution conv = ConvolutionOf(map, filter.size(isTurned ? 3 : 2), filter.size(isTurned ? 2 : 3));
  map.Expect("map", {map.size(0), map.size(1), map.size(2), conv.inputs});
  return conv;
}

Array OutputOf(TF_OpKernelContext *context, const Convolution &conv) {
  return pyramidal::OutputOf(context, 0, TF_FLOAT, {conv.map.count, conv.map.height, conv.map.width, conv.outputs});
}

template <bool isTurned>
void ComputeConvolution(void *, TF_OpKernelContext *context) {
  const Array x = InputOf(context, 0), filter = InputOf(context, 1);
  const Convolution conv = ConvolutionOf(x, filter, isTurned);
  const Array y = OutputOf(context, conv);
  ConvolveMap(conv, x.data<float>(), filter.data<float>(), isTurned, {}, y.data<float>());
}

struct EndingSettings {
  bool hasRelu;

  void Read(TF_OpKernelConstruction *construction, TF_Status *status) {
    unsigned char relu = 0;
    TF_OpKernelConstruction_GetAttrBool(construction, "relu", &relu, status);
    hasRelu = relu != 0;
  }
};

// Of inputs map, filter, scale, offset and none or one to add before these.
void ComputeEndedConvolution(void *kernel, TF_OpKernelContext *context) {
  const Array x = InputOf(context, 0), filter = InputOf(context, 1), scale = InputOf(context, 2), offset = InputOf(context, 3);
  const Convolution conv = ConvolutionOf(x, filter, false);
  scale.Expect("scale", {conv.outputs});
  offset.Expect("offset", {conv.outputs});
  const Array y = OutputOf(context, conv);
  Ending ending{nullptr, scale.data<float>(), offset.data<float>(), static_cast<EndingSettings *>(kernel)->hasRelu};
  if (TF_NumInputs(context) > 4) {
    // It lives as long as the kernel runs.
    const Array addend = InputOf(context, 4);
    addend.Expect("addend", {conv.map.count, conv.map.height, conv.map.width, conv.outputs});
    ending.addend = addend.data<float>();
  }
  ConvolveMap(conv, x.data<float>(), filter.data<float>(), false, ending, y.data<float>());
}

void ComputeFilterGradient(void *, TF_OpKernelContext *context) {
  const Array x = InputOf(context, 0), dy = InputOf(context, 1);
  if (dy.rank() != 4) throw std::runtime_error("gradient: expected [images, height, width, channels], received " + dy.shape());
  const Convolution conv = ConvolutionOf(x, x.rank() == 4 ? x.size(3) : 0, dy.size(3));
  dy.Expect("gradient", {x.size(0), x.size(1), x.size(2), conv.outputs});
  const Array gradient = pyramidal::OutputOf(context, 0, TF_FLOAT, {3, 3, conv.inputs, conv.outputs});
  FilterGradient(conv, x.data<float>(), dy.data<float>(), gradient.data<float>());
}

const bool isConvolutionRegistered = Register({"PyramidalConv3x3",
                                               {},
                                               {"map: float", "filter: float"},
                                               {"output: float"},
                                               false,
                                               nullptr,
                                               &RunKernel<ComputeConvolution<false>>,
                                               nullptr}) &&
                                     Register({"PyramidalConv3x3Ended",
                                               {"addends: int >= 0", "relu: bool"},
                                               {"map: float", "filter: float", "scale: float", "offset: float",
                                                "addend: addends * float"},
                                               {"output: float"},
                                               false,
                                               &CreateSettings<EndingSettings>,
                                               &RunKernel<ComputeEndedConvolution>,
                                               &DeleteSettings<EndingSettings>}) &&
                                     Register({"PyramidalConv3x3InputGrad",
                                               {},
                                               {"gradient: float", "filter: float"},
                                               {"of_map: float"},
                                               false,
                                               nullptr,
                                               &RunKernel<ComputeConvolution<true>>,
                                               nullptr}) &&
                                     Register({"PyramidalConv3x3FilterGrad",
                                               {},
                                               {"map: float", "gradient: float"},
                                               {"of_filter: float"},
                                               false,
                                               nullptr,
                                               &RunKernel<ComputeFilterGradient>,
                                               nullptr});

}  // namespace
}  // namespace winograd
}  // namespace pyramidal

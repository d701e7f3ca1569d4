// Depthwise convolutions of stride 1 with zeros around the map, whose groups of channels have windows of their own sizes (MixConv,
// Tan & Le, BMVC 2019), with the bias and the activation after them. Channels that are no group's input are passed over, so that
// nobody has to split a map.
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "activation.h"
#include "kernel.h"
#include "panel.h"
#include "threads.h"

namespace pyramidal {
namespace {

// Outputs of a row that are summed side by side: maps of images whose sides are multiples of 224 are a multiple of it wide.
constexpr int kColumns = 7;
// Products that are worth handing over to another thread.
constexpr int64_t kLeastProducts = 200000;

// A square filter [window, window, channels].
struct Window {
  int64_t size, channels;
  const float *taps;
  // Those of 3 x 3 cells by lines of channels, [channels / kLine, 3, 3, kLine]; null where channels are convolved vector by vector.
  std::shared_ptr<const Panel> lines;
};

struct MixedConv {
  int64_t count, height, width, channels, outputs;
  // The first of the channels that are convolved.
  int64_t first;
  std::vector<Window> windows;
  Activation activation;
  const float *x, *bias;
  float *y;

  // For an output of each channel.
  int64_t products() const {
    int64_t sum = 0;
    for (const Window &window : windows) sum += window.size * window.size * window.channels;
    return sum;
  }
};

// A vector of channels of a row of outputs, from its inputs' first cell.
template <typename V, int kWindow>
PYRAMIDAL_INLINE void ConvolveVector(const MixedConv &conv, const float *x, const float *taps, int64_t tapStride,
                                     const float *bias, int64_t row, float *y) {
  constexpr int kHalf = kWindow / 2;
  for (int64_t left = 0; left < conv.width; left += kColumns) {
    V sums[kColumns];
#pragma GCC unroll 8
    for (int i = 0; i < kColumns; i++) sums[i] = Load<V>(bias);
    for (int dy = 0; dy < kWindow; dy++) {
      const int64_t above = row + dy - kHalf;
      if (above < 0 || above >= conv.height) continue;
      V filter[kWindow];
#pragma GCC unroll 9
      for (int dx = 0; dx < kWindow; dx++) filter[dx] = Load<V>(taps + (dy * kWindow + dx) * tapStride);
      const float *cells = x + above * conv.width * conv.channels;
#pragma GCC unroll 16
      for (int j = 0; j < kColumns + kWindow - 1; j++) {
        const int64_t column = left + j - kHalf;
        if (column < 0 || column >= conv.width) continue;
        const V value = Load<V>(cells + column * conv.channels);
#pragma GCC unroll 9
        for (int dx = 0; dx < kWindow; dx++) {
          if (j - dx >= 0 && j - dx < kColumns) sums[j - dx] += value * filter[dx];
        }
      }
    }
#pragma GCC unroll 8
    for (int i = 0; i < kColumns; i++) {
      if (left + i < conv.width) Store(Activate<V>(sums[i], conv.activation), y + (left + i) * conv.outputs);
    }
  }
}

// Cells of a row whose channels of a cache line are summed side by side, with vectors of half a line.
constexpr int kCells = 4;

// Whether outputs begin or end their row, where cells beside them are missing.
template <bool kBegins, bool kEnds>
struct Side {
  static constexpr int kFirst = kBegins ? 1 : 0, kLast = kEnds ? kCells : kCells + 1;
};

// Windows of 3 x 3 cells: a line of channels of outputs side by side, of which `x` is the first cell of their row of inputs, `y` the first output.
template <typename V, typename Beside>
PYRAMIDAL_INLINE void ConvolveCells(const MixedConv &conv, const float *x, const float *taps, const float *bias, int64_t row, float *y) {
  V sums[kCells][2];
#pragma GCC unroll 4
  for (int i = 0; i < kCells; i++) sums[i][0] = Load<V>(bias), sums[i][1] = Load<V>(bias + kLanes<V>);
  for (int dy = 0; dy < 3; dy++) {
    const int64_t above = row + dy - 1;
    if (above < 0 || above >= conv.height) continue;
    V filter[3][2];
#pragma GCC unroll 3
    for (int dx = 0; dx < 3; dx++) {
      filter[dx][0] = Load<V>(taps + (dy * 3 + dx) * kLine);
      filter[dx][1] = Load<V>(taps + (dy * 3 + dx) * kLine + kLanes<V>);
    }
    const float *const cells = x + (dy - 1) * conv.width * conv.channels - conv.channels;
#pragma GCC unroll 6
    for (int j = Beside::kFirst; j <= Beside::kLast; j++) {
#pragma GCC unroll 2
      for (int half = 0; half < 2; half++) {
        const V value = Load<V>(cells + j * conv.channels + half * kLanes<V>);
#pragma GCC unroll 3
        for (int dx = 0; dx < 3; dx++) {
          if (j - dx >= 0 && j - dx < kCells) sums[j - dx][half] += value * filter[dx][half];
        }
      }
    }
  }
  for (int i = 0; i < kCells; i++) {
    for (int half = 0; half < 2; half++) Store(Activate<V>(sums[i][half], conv.activation), y + i * conv.outputs + half * kLanes<V>);
  }
}

// All channels of such windows, a line after the other: with many channels the cells of a row take each other's places in the first cache, so that
// half a line at a time would be brought there twice. The last outputs of a row overlap those before them.
template <typename V>
PYRAMIDAL_INLINE void ConvolveLines(const MixedConv &conv, const Window &window, const float *x, const float *bias, int64_t row, float *y) {
  for (int64_t c = 0; c < window.channels; c += kLine) {
    const float *const taps = window.lines->data() + c * 9;
    for (int64_t next = 0; next < conv.width; next += kCells) {
      const int64_t left = std::min(next, conv.width - kCells);
      const float *const from = x + (row * conv.width + left) * conv.channels + c;
      float *const to = y + left * conv.outputs + c;
      if (left == 0) {
        ConvolveCells<V, Side<true, false>>(conv, from, taps, bias + c, row, to);
      } else if (left + kCells == conv.width) {
        ConvolveCells<V, Side<false, true>>(conv, from, taps, bias + c, row, to);
      } else {
        ConvolveCells<V, Side<false, false>>(conv, from, taps, bias + c, row, to);
      }
    }
  }
}

// All channels of a window; the last vector overlaps the one before it, and where even one is too wide a narrower one is taken.
template <typename V, int kWindow>
PYRAMIDAL_INLINE void ConvolveWindow(const MixedConv &conv, const Window &window, const float *x, const float *bias,
                                     int64_t row, float *y) {
  constexpr int64_t lanes = kLanes<V>;
  const int64_t channels = window.channels;
  if constexpr (lanes > 1) {
    if (channels < lanes) return ConvolveWindow<Narrower<V>, kWindow>(conv, window, x, bias, row, y);
  }
  for (int64_t c = 0; c < channels; c += lanes) {
    const int64_t at = std::min(c, channels - lanes);
    ConvolveVector<V, kWindow>(conv, x + at, window.taps + at, channels, bias + at, row, y + at);
  }
}

struct ConvolveRows {
  // Rows `begin..end` of all images.
  template <typename V>
  PYRAMIDAL_INLINE static void Run(const MixedConv *conv, int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      const int64_t row = i % conv->height;
      const float *x = conv->x + (i - row) * conv->width * conv->channels + conv->first;
      const float *bias = conv->bias;
      float *y = conv->y + i * conv->width * conv->outputs;
      for (const Window &window : conv->windows) {
        switch (window.size) {
          case 3:
            if (window.lines != nullptr) {
              if constexpr (2 * kLanes<V> == kLine) ConvolveLines<V>(*conv, window, x, bias, row, y);
            } else {
              ConvolveWindow<V, 3>(*conv, window, x, bias, row, y);
            }
            break;
          case 5:
            ConvolveWindow<V, 5>(*conv, window, x, bias, row, y);
            break;
          case 7:
            ConvolveWindow<V, 7>(*conv, window, x, bias, row, y);
            break;
          default:
            ConvolveWindow<V, 9>(*conv, window, x, bias, row, y);
        }
        x += window.channels;
        bias += window.channels;
        y += window.channels;
      }
    }
  }
};

struct ConvSettings {
  int64_t first;
  Activation activation;

  void Read(TF_OpKernelConstruction *construction, TF_Status *status) {
    TF_OpKernelConstruction_GetAttrInt64(construction, "first", &first, status);
    if (TF_GetCode(status) == TF_OK) activation = ReadActivation(construction, status);
  }
};

// Of [window, window, channels] or [window, window, channels, 1].
Window WindowOf(const Array &filter) {
  const bool hasChannels = filter.rank() == 3 || (filter.rank() == 4 && filter.size(3) == 1);
  const bool isSquare = hasChannels && filter.size(0) == filter.size(1);
  if (!isSquare || filter.size(0) % 2 == 0 || filter.size(0) < 3 || filter.size(0) > 9 || filter.size(2) == 0) {
    throw std::runtime_error("filter: expected [window, window, channels], the window being 3, 5, 7 or 9, received " +
                             filter.shape());
  }
  return {filter.size(0), filter.size(2), filter.data<float>(), nullptr};
}

// The taps of a filter by lines of channels, where this processor's vectors are half as wide as a line.
std::shared_ptr<const Panel> LinesOf(const Window &window, int64_t width) {
  if (2 * LanesOfThisProcessor() != kLine || window.size != 3 || window.channels % kLine != 0 || width <= kCells) return nullptr;
  const auto lines = std::make_shared<const Panel>(9 * window.channels);
  for (int64_t c = 0; c < window.channels; c += kLine) {
    for (int64_t tap = 0; tap < 9; tap++) std::copy_n(window.taps + tap * window.channels + c, kLine, lines->data() + c * 9 + tap * kLine);
  }
  return lines;
}

void ComputeMixedConv(void *settings, TF_OpKernelContext *context) {
  const auto &[first, activation] = *static_cast<ConvSettings *>(settings);
  const Array map = InputOf(context, 0), bias = InputOf(context, 1);
  if (map.rank() != 4) throw std::runtime_error("map: expected [images, height, width, channels], received " + map.shape());
  MixedConv conv{map.size(0), map.size(1), map.size(2), map.size(3), 0, first, {}, activation, nullptr, nullptr, nullptr};
  for (int i = 2; i < TF_NumInputs(context); i++) {
    conv.windows.push_back(WindowOf(InputOf(context, i)));
    conv.windows.back().lines = LinesOf(conv.windows.back(), conv.width);
    conv.outputs += conv.windows.back().channels;
  }
  bias.Expect("bias", {conv.outputs});
  if (first < 0 || first + conv.outputs > conv.channels) {
    throw std::runtime_error("map: expected at least " + std::to_string(first + conv.outputs) + " channels, received " + map.shape());
  }
  const Array y = OutputOf(context, 0, TF_FLOAT, {conv.count, conv.height, conv.width, conv.outputs});
  conv.x = map.data<float>();
  conv.bias = bias.data<float>();
  conv.y = y.data<float>();
  const int64_t products = std::max<int64_t>(1, conv.width * conv.products());
  InParts(conv.count * conv.height, (kLeastProducts + products - 1) / products,
          [&](int64_t begin, int64_t end) { RunLoops<ConvolveRows>(&conv, begin, end); });
}

const bool isMixedConvRegistered = Register({"PyramidalMixedConv",
                                             {"windows: int", "first: int", "activation: string"},
                                             {"map: float", "bias: float", "filters: windows * float"},
                                             {"output: float"},
                                             false,
                                             &CreateSettings<ConvSettings>,
                                             &RunKernel<ComputeMixedConv>,
                                             &DeleteSettings<ConvSettings>});

}  // namespace
}  // namespace pyramidal

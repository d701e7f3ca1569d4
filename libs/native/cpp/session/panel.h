// Memory for what loops read over and over.
#ifndef PYRAMIDAL_PANEL_H_
#define PYRAMIDAL_PANEL_H_

#include <cstdint>
#include <new>

namespace pyramidal {

// Floats of a cache line.
constexpr int64_t kLine = 16;

// Floats at the beginning of a cache line: vectors that lie across two take twice as long to load.
class Panel {
 public:
  explicit Panel(int64_t size) : data_(static_cast<float *>(::operator new(size * sizeof(float), kStart))) {}
  Panel(const Panel &) = delete;
  Panel &operator=(const Panel &) = delete;
  ~Panel() { ::operator delete(data_, kStart); }

  float *data() const { return data_; }

 private:
  static constexpr std::align_val_t kStart{kLine * sizeof(float)};
  float *const data_;
};

}  // namespace pyramidal

#endif  // PYRAMIDAL_PANEL_H_

// The C library's heap. glibc keeps eight arenas for each processor, and each of them what its threads have freed: those
// that decode pictures, run operations and compile JavaScript together kept a hundred megabytes.
#include "heap.h"

#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include <algorithm>
#include <thread>

namespace pyramidal {

void LimitHeap() {
#if defined(__GLIBC__)
  mallopt(M_ARENA_MAX, static_cast<int>(std::max(2u, std::thread::hardware_concurrency())));
#endif
}

void TrimHeap() {
#if defined(__GLIBC__)
  malloc_trim(0);
#endif
}

}  // namespace pyramidal

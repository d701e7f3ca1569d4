// One set of threads for whole operations and for the parts of large ones, given to TensorFlow with every run of a graph
// through its interface for thread pools.
#ifndef PYRAMIDAL_THREADS_H_
#define PYRAMIDAL_THREADS_H_

#include <functional>

#include "xla/tsl/platform/threadpool_options.h"

namespace pyramidal {

// The process's pools of so many threads; none where one thread is enough, or the process has pools of another size.
tsl::thread::ThreadPoolOptions PoolsOf(int threads);

// Runs `part(begin, end)` over 0..count, in pieces of at least `least`, on the threads that have nothing to do and on
// this one; returns when all are done.
void InParts(int64_t count, int64_t least, const std::function<void(int64_t, int64_t)> &part);

}  // namespace pyramidal

#endif  // PYRAMIDAL_THREADS_H_

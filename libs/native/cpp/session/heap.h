// The C library's heap, of which threads leave much unused behind.
#ifndef PYRAMIDAL_HEAP_H_
#define PYRAMIDAL_HEAP_H_

namespace pyramidal {

// Has threads share as many parts of the heap as there are processors.
void LimitHeap();

// Gives the system what the heap holds unused.
void TrimHeap();

}  // namespace pyramidal

#endif  // PYRAMIDAL_HEAP_H_

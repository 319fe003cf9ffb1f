/**
 * How docker/Dockerfile starts the bridge, so that what is measured is what is shipped: a young generation, a heap that
 * grows by a fifth at a time, and compilers that save memory. With V8's own choices it takes several times the memory.
 */
export const BRIDGE_FLAGS = [
  '--max-semi-space-size=1',
  '--heap-growing-percent=20',
  '--v8-pool-size=1',
  '--optimize-for-size',
]
/** glibc keeps a heap for each thread otherwise, and gives none of them back. */
export const BRIDGE_ENV = { MALLOC_ARENA_MAX: '1' }

/**
 * How docker/Dockerfile starts the bridge, so that what is measured is what is shipped: a small young generation, a heap
 * with an end that V8 cleans up before, one thread to help it, and compilers that save memory. With V8's own choices it
 * takes several times as much. --heap-growing-percent would save the same and costs the event loop its quickness.
 */
export const BRIDGE_FLAGS = [
  '--max-semi-space-size=1',
  '--max-old-space-size=112',
  '--v8-pool-size=1',
  '--optimize-for-size',
]
/** glibc keeps a heap for each thread otherwise, and gives none of them back. */
export const BRIDGE_ENV = { MALLOC_ARENA_MAX: '1' }

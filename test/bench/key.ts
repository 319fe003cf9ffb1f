/** The key of every bridge that a benchmark starts. */
export const BENCH_KEY = 'a-key-for-the-benchmark-of-32-characters'

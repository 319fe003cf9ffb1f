import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['bridge/**/*.test.ts', 'packages/**/*.test.ts', 'test/**/*.test.ts'],
    coverage: {
      provider: 'v8',
      include: ['bridge/src/**/*.ts', 'packages/*/src/**/*.ts'],
      exclude: ['**/*.test.ts'],
      reporter: ['text-summary'],
      thresholds: { lines: 85 },
    },
    testTimeout: 20_000,
    // Half the tests wait for another process most of the time: a worker for each core, not one fewer.
    maxWorkers: '100%',
  },
})

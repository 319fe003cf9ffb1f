import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    globalSetup: ['test/support/setup.ts'],
    include: ['bridge/**/*.test.ts', 'packages/**/*.test.ts', 'test/**/*.test.ts'],
    coverage: {
      provider: 'v8',
      include: ['bridge/src/**/*.ts', 'packages/*/src/**/*.ts'],
      exclude: ['**/*.test.ts'],
      reporter: ['text-summary'],
      thresholds: { lines: 85 },
    },
    // On a machine with much else to do a database takes many seconds to start.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Half the tests wait for another process most of the time: more of them at once than the smallest machine has cores.
    maxWorkers: 3,
    // Nothing happens on import, so files can share what they import: a third of the time went into importing it again.
    isolate: false,
  },
})

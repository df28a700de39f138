import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/recorded/**'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // One more than two cores: much of a test is waiting, for a disk or for a program that starts another.
    maxWorkers: 3,
  },
});

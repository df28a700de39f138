import { defineConfig } from 'vitest/config';

/** Tests over other people's recordings, which stay where they are: ROLLCALL_RECORDED names the folder. */
export default defineConfig({
  test: {
    include: ['test/recorded/**/*.test.ts'],
    testTimeout: 300_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
  },
});

// Builds the window into ui/dist. The page for trying screens by hand (demo.html) is never
// an input of the build, so nothing of the in-memory host can reach a release.
import vue from '@vitejs/plugin-vue';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  plugins: [vue()],
  server: { fs: { allow: ['..'] } },
  build: {
    target: 'es2022',
    // The strict CSP refuses data: fonts and styles.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  test: { environment: 'happy-dom', include: ['test/**/*.test.ts'] },
});

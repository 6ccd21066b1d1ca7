// Copies what the dashboard serves out of node_modules into the package, with its licences.
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const modules = join(here, "node_modules");
const target = join(here, "..", "src", "dynamic", "app", "dashboard", "static", "vendor");

rmSync(target, { recursive: true, force: true });
mkdirSync(target, { recursive: true });

const charts = join(modules, "lightweight-charts");
copyFileSync(join(charts, "dist", "lightweight-charts.standalone.production.js"), join(target, "lightweight-charts.js"));
copyFileSync(join(charts, "LICENSE"), join(target, "lightweight-charts.LICENSE"));

const inter = join(modules, "@fontsource-variable", "inter");
for (const subset of ["latin", "latin-ext"]) {
  copyFileSync(join(inter, "files", `inter-${subset}-wght-normal.woff2`), join(target, `inter-${subset}.woff2`));
}
copyFileSync(join(inter, "LICENSE"), join(target, "inter.LICENSE"));

const ranges = {
  latin: "U+0000-00FF, U+2000-206F, U+2122, U+2191, U+2193, U+2212, U+2215, U+20AC",
  "latin-ext": "U+0100-02FF, U+1E00-1EFF, U+20A0-20AB, U+20AD-20C0",
};
const faces = Object.entries(ranges).map(([subset, range]) => `@font-face {
  font-family: "Inter Variable"; font-style: normal; font-weight: 100 900; font-display: swap;
  src: url("/static/vendor/inter-${subset}.woff2") format("woff2"); unicode-range: ${range};
}`);
writeFileSync(join(target, "fonts.css"), faces.join("\n") + "\n");
console.log(`dashboard assets are in ${target}`);

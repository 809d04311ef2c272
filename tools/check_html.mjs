// Opens HTML reports in a real browser: the console stays empty, nothing is requested, axe-core finds no serious
// violation, the script works. Usage: node check_html.mjs [--screenshots FOLDER] FILE...
// Needs the packages playwright-core and axe-core (NODE_PATH or node_modules) and Chromium (CHROMIUM, default
// /usr/bin/chromium).
import { createRequire } from "node:module";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const require = createRequire(join(process.env.NODE_PREFIX ?? process.cwd(), "package.json"));
const { chromium } = require("playwright-core");
const axe = require("axe-core").source;

const files = process.argv.slice(2);
let folder = null;
if (files[0] === "--screenshots") {
  [, folder] = files.splice(0, 2);
}
const profile = mkdtempSync(join(tmpdir(), "mlops-scan-chromium-"));
const context = await chromium.launchPersistentContext(profile, {
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  headless: true,
  bypassCSP: false,
  args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync"],
});
const problems = [];

async function look(file) {
  const address = pathToFileURL(resolve(file)).href;
  const page = await context.newPage();
  const said = (what) => problems.push(`${file}: ${what}`);
  page.on("console", (message) => said(`console: ${message.text()}`));
  page.on("pageerror", (error) => said(`script error: ${error}`));
  page.on("dialog", (dialog) => { said(`dialog: ${dialog.message()}`); dialog.dismiss(); });
  page.on("request", (request) => {
    if (request.url() !== address && !request.url().startsWith("data:")) said(`request: ${request.url()}`);
  });
  await page.goto(address);
  const shown = async () => page.locator("[data-state]:visible").count();
  const all = await shown();
  await page.fill("#words", "zzz-nothing-has-this-word");
  if (await shown() !== 0) said("the search does not hide what lacks its words");
  await page.fill("#words", "");
  await page.selectOption("#state", "met");
  const met = await page.locator('[data-state~="met"]').count();
  if (await shown() !== met) said("the filter does not show exactly what it names");
  await page.selectOption("#state", "");
  if (await shown() !== all) said("an empty filter hides something");
  await page.click("#open");
  if (await page.locator("details:not([open])").count() !== 0) said("unfold all leaves something folded");
  for (const scheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme: scheme });
    const result = await check(address, scheme, said);
    for (const violation of result.violations.filter(({ impact }) => ["serious", "critical"].includes(impact))) {
      said(`axe (${scheme}) ${violation.impact} ${violation.id}: ${violation.help}: ${violation.nodes[0].html.slice(0, 200)}`);
    }
  }
  await page.setViewportSize({ width: 360, height: 740 });
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  if (wide > 0) said(`${wide} pixels too wide at a width of 360`);
  await page.close();
  if (folder) await shoot(address, join(folder, basename(file, ".html")));
}

// axe has to be put into the page, which the page's policy refuses; only here it is bypassed.
async function check(address, scheme, said) {
  const page = await open.newPage();
  page.on("pageerror", (error) => said(`script error: ${error}`));
  await page.emulateMedia({ colorScheme: scheme });
  await page.goto(address);
  await page.click("#open");
  await page.addScriptTag({ content: axe });
  const result = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  await page.close();
  return result;
}

async function shoot(address, name) {
  const page = await context.newPage();
  await page.goto(address);
  for (const [scheme, width] of [["light", 1200], ["dark", 1200], ["light", 390]]) {
    await page.emulateMedia({ colorScheme: scheme });
    await page.setViewportSize({ width, height: 1000 });
    await page.screenshot({ path: `${name}-${scheme}-${width}.png`, fullPage: true });
  }
  await page.emulateMedia({ colorScheme: null });
  await page.pdf({ path: `${name}.pdf`, format: "A4", margin: { top: "15mm", bottom: "15mm", left: "12mm", right: "12mm" } });
  await page.close();
}

const second = mkdtempSync(join(tmpdir(), "mlops-scan-chromium-"));
const open = await chromium.launchPersistentContext(second, {
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  headless: true,
  bypassCSP: true,
  args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync"],
});
try {
  for (const file of files) await look(file);
} finally {
  await context.close();
  await open.close();
  rmSync(profile, { recursive: true, force: true });
  rmSync(second, { recursive: true, force: true });
}
for (const problem of problems) console.error(problem);
console.log(`${files.length} pages, ${problems.length} problems`);
process.exit(problems.length ? 1 : 0);

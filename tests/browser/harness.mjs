// harness.mjs - what the tests in a browser share: the browser, servers, pages, and counting.
import { execFileSync, spawn } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import puppeteer from 'puppeteer-core';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'tenk-browser-'));
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
export const MODES = ['async', 'threads'];
export const PATIENCE = 20_000;              // ms for one thing to happen
const servers = new Set();
let checks = 0, files = 0;
const failures = [];

export function check(good, what) {
    checks++;
    if (!good) {
        failures.push(what);
        console.error(`  FAILED  ${what}`);
    }
}

const tenk = process.env.TENK ?? join(root, 'build/tenk');

// A file of its own for each server, as if it had just been made.
function newFile() {
    const seed = join(folder, 'seed.db'), file = join(folder, `${++files}.db`);
    if (files === 1)
        execFileSync(tenk, ['--init-db', '--database', `sqlite:${seed}`], { stdio: 'pipe' });
    copyFileSync(seed, file);
    return `sqlite:${file}`;
}

// Resolves with its address, which it says once it listens.
export function serve(mode, { database = newFile(), listen = '127.0.0.1:0' } = {}) {
    const server = spawn(tenk, ['--mode', mode, '--listen', listen, '--workers', '1', '--database', database],
        // The browser keeps connections, on which it might ask again: that is not waited for. Patterns have as long as a busy machine
        // may need.
        { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, TENK_TIMEOUTS_DRAIN: '500ms', TENK_PATTERNS_TIMEOUT: '20s' } });
    servers.add(server);
    return new Promise((started, failed) => {
        let said = '';
        server.stderr.on('data', (bytes) => { said += bytes; });
        server.stdout.on('data', (bytes) => {
            said += bytes;
            const address = said.match(/http:\/\/[0-9.:]+/);
            if (address)
                started({ address: address[0], stop: () => stop(server), kill: () => kill(server) });
        });
        server.on('exit', (code) => failed(new Error(`the server ended with ${code}: ${said}`)));
    });
}

function ended(server, signal) {
    return new Promise((done) => {
        servers.delete(server);
        server.removeAllListeners('exit');
        server.on('exit', done);
        server.kill(signal);
    });
}

async function stop(server) {
    const code = await ended(server, 'SIGTERM');
    check(code === 0, `the server ended with ${code}`);
}

const kill = (server) => ended(server, 'SIGKILL');

// In a window of its own, which is never behind another. may: what the console may say, for it is what the test is about.
export async function open(browser, mode, may = null) {
    const page = await (await browser.createBrowserContext()).newPage();
    page.on('console', (m) => {
        if ((m.type() === 'error' || m.type() === 'warning') && !may?.test(m.text()))
            check(false, `${mode}: the console says: ${m.text()}`);
    });
    page.on('pageerror', (error) => check(false, `${mode}: ${error.message}`));
    await page.setViewport({ width: 1280, height: 900 });
    return page;
}

export const text = (page) => page.evaluate(() => document.body.innerText);

// In what order headings come in a post is its author's affair.
export async function isAccessible(page, mode, where, schemes = ['light', 'dark']) {
    if (await page.evaluate(() => typeof axe === 'undefined'))
        await page.evaluate(AXE);
    for (const scheme of schemes) {
        await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
        const found = await page.evaluate(async () => (await axe.run({ resultTypes: ['violations'],
            rules: { 'heading-order': { enabled: document.querySelector('article') === null } } }))
            .violations.map((v) => `${v.id}: ${v.nodes[0].html}`));
        check(found.length === 0, `${mode}, ${where}, ${scheme}: axe finds ${found.join('; ')}`);
    }
}

export async function fitsAPhone(page, address, mode, paths) {
    await page.setViewport({ width: 390, height: 844 });
    for (const path of paths) {
        await page.goto(address + path);
        const [content, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
        check(content <= window, `${mode}, ${path}: ${content} pixels wide on a phone of ${window}`);
    }
}

let browser, running = 0;

function launched() {
    browser ??= puppeteer.launch({
        executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
        timeout: 3 * PATIENCE,
        // No sandbox: root and bare roots have none, and only our own pages are opened.
        args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
    });
    return browser;
}

// Leaves the totals beside those of the other tests.
async function end() {
    await (await browser).close();
    for (const server of servers)            // of those that failed
        server.kill('SIGKILL');
    rmSync(folder, { recursive: true });
    writeFileSync(join(root, 'build/totals/browser'),
        `${Math.floor(100 * (checks - failures.length) / checks)}%: Checks: ${checks}, Failures: ${failures.length}, Errors: 0\n`);
    process.exit(failures.length > 0 ? 1 : 0);
}

async function during(work) {
    running++;
    await work();
    if (--running === 0)
        await end();
}

// Runs the test with the one browser. When nothing runs any more, the process ends.
export const run = (name, test) => during(async () => {
    console.log(`  TEST    ${name} in a browser`);
    try {
        await test(await launched());
    } catch (error) {
        check(false, `${name}: ${error.stack}`);
    }
});

// Runs those tests one after the other, beside the other lists.
export const together = (...lists) => during(() => Promise.all(lists.map(async (names) => {
    for (const name of names)
        await import(`./${name}.mjs`);
})));

// harness.mjs - what the tests in a browser share: servers, pages, and counting.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import puppeteer from 'puppeteer-core';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'tenk-browser-'));
export const MODES = ['async', 'threads'];
export const PATIENCE = 20_000;              // ms for one thing to happen
let checks = 0;
const failures = [];

export function check(good, what) {
    checks++;
    if (!good) {
        failures.push(what);
        console.error(`  FAILED  ${what}`);
    }
}

// Resolves with its address, which it says once it listens.
export function serve(mode, { database = `sqlite:${folder}/tenk.db`, listen = '127.0.0.1:0' } = {}) {
    const server = spawn(process.env.TENK ?? join(root, 'build/tenk'),
        ['--mode', mode, '--listen', listen, '--workers', '1', '--database', database],
        // The browser keeps connections, on which it might ask again: that is not waited for.
        { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, TENK_TIMEOUTS_DRAIN: '500ms' } });
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

// may: what the console may say, for it is what the test is about.
export async function open(browser, mode, may = null) {
    const page = await browser.newPage();
    page.on('console', (m) => {
        if ((m.type() === 'error' || m.type() === 'warning') && !may?.test(m.text()))
            check(false, `${mode}: the console says: ${m.text()}`);
    });
    page.on('pageerror', (error) => check(false, `${mode}: ${error.message}`));
    await page.setViewport({ width: 1280, height: 900 });
    return page;
}

export const text = (page) => page.evaluate(() => document.body.innerText);

export async function fitsAPhone(page, address, mode, paths) {
    await page.setViewport({ width: 390, height: 844 });
    for (const path of paths) {
        await page.goto(address + path);
        const [content, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
        check(content <= window, `${mode}, ${path}: ${content} pixels wide on a phone of ${window}`);
    }
}

// Runs it with a browser, and leaves its totals beside those of the other tests.
export async function run(name, test) {
    const browser = await puppeteer.launch({
        executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
        // No sandbox: root and bare roots have none, and only our own pages are opened.
        args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
    });
    try {
        await test(browser);
    } finally {
        await browser.close();
        rmSync(folder, { recursive: true });
    }
    writeFileSync(join(root, `build/totals/${name}`),
        `${Math.floor(100 * (checks - failures.length) / checks)}%: Checks: ${checks}, Failures: ${failures.length}, Errors: 0\n`);
    process.exit(failures.length > 0 ? 1 : 0);
}

// patterns.mjs - clicks through the gallery in a headless Chromium, in both modes of the server: every Run
// must show a timeline, in place; the same without scripts, on a page of its own. The page must stay
// within a phone's width, and the browser must have nothing to complain about.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import puppeteer from 'puppeteer-core';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'tenk-browser-'));
const MODES = ['async', 'threads'];
const PATIENCE = 20_000;                     // ms for one run
let checks = 0;
const failures = [];

function check(good, what) {
    checks++;
    if (!good) {
        failures.push(what);
        console.error(`patterns.mjs: ${what}`);
    }
}

// Resolves with its address, which it says once it listens.
function serve(mode) {
    const server = spawn(process.env.TENK ?? join(root, 'build/tenk'),
        ['--mode', mode, '--listen', '127.0.0.1:0', '--workers', '1', '--database', `sqlite:${folder}/tenk.db`],
        { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    return new Promise((started, failed) => {
        let said = '';
        server.stderr.on('data', (bytes) => { said += bytes; });
        server.stdout.on('data', (bytes) => {
            said += bytes;
            const address = said.match(/http:\/\/[0-9.:]+/);
            if (address)
                started({ address: address[0], stop: () => stop(server) });
        });
        server.on('exit', (code) => failed(new Error(`the server ended with ${code}: ${said}`)));
    });
}

function stop(server) {
    return new Promise((stopped) => {
        server.removeAllListeners('exit');
        server.on('exit', (code) => {
            check(code === 0, `the server ended with ${code}`);
            stopped();
        });
        server.kill('SIGTERM');
    });
}

async function open(browser, mode) {
    const page = await browser.newPage();
    page.on('console', (m) => {
        if (m.type() === 'error' || m.type() === 'warning')
            check(false, `${mode}: the console says: ${m.text()}`);
    });
    page.on('pageerror', (error) => check(false, `${mode}: ${error.message}`));
    await page.setViewport({ width: 1280, height: 900 });
    return page;
}

// What the timeline on the page, or in that part of it, is made of.
function drawn(page, within) {
    return page.$eval(`${within} .result svg`, (svg) => ({
        titled: svg.querySelector('title')?.textContent.length > 10 && svg.querySelector('desc')?.textContent.length > 10,
        parts: svg.querySelectorAll('rect, path.plot, path.mark').length,
        width: svg.getBoundingClientRect().width,
    }));
}

async function clickAll(page, address, mode) {
    await page.goto(`${address}/patterns`);
    const names = await page.$$eval('section.card', (cards) => cards.map((card) => card.id));
    const running = await page.$$eval('section.card:has(form.run)', (cards) => cards.map((card) => card.id));
    check(running.length >= (mode === 'async' ? 16 : 8), `${mode}: only ${running.length} patterns can be run`);
    for (const name of names) {
        const card = `section.card[id="${name}"]`;
        if (!running.includes(name)) {
            const why = await page.$eval(`${card} .refusal`, (p) => p.textContent);
            check(why.length > 20, `${mode}, ${name}: it does not say why it does not run`);
            continue;
        }
        await page.click(`${card} form.run button`);
        try {
            await page.waitForSelector(`${card} .result svg`, { timeout: PATIENCE });
            const svg = await drawn(page, card);
            check(svg.titled && svg.parts > 0 && svg.width > 300, `${mode}, ${name}: an empty timeline`);
        } catch (error) {
            check(false, `${mode}, ${name}: no timeline appears: ${error.message}`);
        }
    }
    check(page.url() === `${address}/patterns`, `${mode}: the page was left`);
}

async function clickWithoutScripts(page, address, mode) {
    await page.setJavaScriptEnabled(false);
    await page.goto(`${address}/patterns/all`);
    check(await page.$('ol.source li') !== null, `${mode}: no source is shown`);
    await Promise.all([page.waitForNavigation({ timeout: PATIENCE }), page.click('form.run button')]);
    check((await drawn(page, 'main')).parts > 0, `${mode}: without scripts no timeline appears`);
    await page.setJavaScriptEnabled(true);
}

async function fitsAPhone(page, address, mode) {
    await page.setViewport({ width: 390, height: 844 });
    for (const path of ['/patterns', '/patterns/all?run=1']) {
        await page.goto(address + path);
        const [content, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
        check(content <= window, `${mode}, ${path}: ${content} pixels wide on a phone of ${window}`);
    }
}

const browser = await puppeteer.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    // No sandbox: root and bare roots have none, and only our own pages are opened.
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
});
try {
    for (const mode of MODES) {
        const server = await serve(mode);
        const page = await open(browser, mode);
        await clickAll(page, server.address, mode);
        await clickWithoutScripts(page, server.address, mode);
        await fitsAPhone(page, server.address, mode);
        await page.close();
        await server.stop();
    }
} finally {
    await browser.close();
    rmSync(folder, { recursive: true });
}
writeFileSync(join(root, 'build/totals/browser'),
    `${Math.floor(100 * (checks - failures.length) / checks)}%: Checks: ${checks}, Failures: ${failures.length}, Errors: 0\n`);
process.exit(failures.length > 0 ? 1 : 0);

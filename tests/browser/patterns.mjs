// patterns.mjs - clicks through the gallery in a headless Chromium, in both modes of the server: every Run
// must show a timeline, in place; the same without scripts, on a page of its own. Posts can be written from
// our own page, and from no other's, and are all to be found. The pages must stay
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
        // The browser keeps connections, on which it might ask again: that is not waited for.
        { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, TENK_TIMEOUTS_DRAIN: '500ms' } });
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

const text = (page) => page.evaluate(() => document.body.innerText);

// As many as make more than one page, of which the last has the seeded ones.
async function writesAndFindsPosts(page, address, mode) {
    for (let i = 1; i <= 12; i++) {
        await page.goto(`${address}/users/77`);
        await page.type('input[name=title]', `${mode} number ${i}`);
        await page.type('textarea[name=body]', 'From a *browser*.');
        await Promise.all([page.waitForNavigation({ timeout: PATIENCE }), page.click('form.new button')]);
        check((await text(page)).includes(`${mode} number ${i}`), `${mode}: the post is not on the page that follows`);
    }
    let pages = 1, posts = await page.$$eval('article', (all) => all.length);
    while (await page.$('a[rel=next]')) {
        await Promise.all([page.waitForNavigation({ timeout: PATIENCE }), page.click('a[rel=next]')]);
        posts += await page.$$eval('article', (all) => all.length);
        pages++;
    }
    const written = 12 * (MODES.indexOf(mode) + 1);
    check(posts === 10 + written, `${mode}: ${posts} posts on ${pages} pages`);
    await Promise.all([page.waitForNavigation({ timeout: PATIENCE }), page.click('article .meta a')]);
    check(/\/posts\/\d+$/.test(page.url()), `${mode}: a post's own page is ${page.url()}`);
    check(await page.$$eval('article', (all) => all.length) === 1, `${mode}: it has not one post`);
}

async function isForeignTo(page, address, mode) {
    await page.setContent(`<form method="post" action="${address}/users/78/posts"><input name="title" value="forged">
        <input name="body" value="b"><button>Win</button></form>`);
    const [answered] = await Promise.all([page.waitForNavigation({ timeout: PATIENCE }), page.click('button')]);
    check(answered.status() === 403, `${mode}: another site's form is answered with ${answered.status()}`);
    await page.goto(`${address}/users/78`);
    check(!(await text(page)).includes('forged'), `${mode}: another site has posted`);
}

async function fitsAPhone(page, address, mode) {
    await page.setViewport({ width: 390, height: 844 });
    for (const path of ['/', '/users/77', '/posts/411', '/patterns', '/patterns/all?run=1']) {
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
        await writesAndFindsPosts(page, server.address, mode);
        await isForeignTo(await browser.newPage(), server.address, mode);
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

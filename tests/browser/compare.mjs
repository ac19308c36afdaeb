// compare.mjs - the comparison on the front page in a headless Chromium, in both modes of the first server, on SQLite and PostgreSQL
// (whose URL is in POSTGRES_FOR_TESTS): each load is started by its button, and what is drawn is what the JSON says; by the keyboard
// alone; while another runs; without scripts; on a phone; and axe finds nothing.
import { MODES, PATIENCE, check, fitsAPhone, isAccessible, open, run, serve } from './harness.mjs';

const LOADS = ['waiting', 'database', 'cpu', 'mixed'];
const MB = 1024 * 1024;

const json = (page) => page.evaluate(async () => (await fetch('/compare', { headers: { Accept: 'application/json' } })).json());
const ends = (page, run) => page.waitForFunction((r) => document.querySelector('#compare').dataset.running === 'false'
    && document.querySelector('#compare').dataset.run === String(r)
    && document.querySelector('.compare-status').textContent === 'Done.', { timeout: 3 * PATIENCE }, run);
const SHORT = 200, LONG = 5000;              // ms of a turn

// Turns as short as may be: what is tested is the page, and not what it measures.
async function choose(page, load, size, length = SHORT) {
    await page.click(`.compare-form input[value=${load}]`);
    await page.select('.compare-form select', size);
    await page.$eval('.compare-form', (form, value) => {
        const ms = form.ms ?? document.createElement('input');
        Object.assign(ms, { type: 'hidden', name: 'ms', value });
        form.append(ms);
    }, String(length));
}

// How many modes have their turn, once any has; 0: the run was over before any was seen.
const turns = async (page, run) => Number(await (await page.waitForFunction((r) => {
    const { dataset } = document.querySelector('#compare'), over = dataset.running === 'false' && dataset.run === String(r);
    const count = document.querySelectorAll('.compare-mode[data-turn=true]').length;
    return (count > 0 || over) && String(count);
}, { timeout: 3 * PATIENCE, polling: 'mutation' }, run)).jsonValue());

// Begins a run, and looks at it. One that is over before a busy machine has looked is followed by a longer one.
async function seen(page, load, begin, look = turns) {
    for (let ms = SHORT; ; ms *= 5) {
        const run = (await json(page)).run + 1;
        await choose(page, load, '10', ms);
        await begin();
        const found = await look(page, run);
        if (found || ms >= LONG)
            return [run, found];
        await ends(page, run);
    }
}

const pressed = (page) => () => page.click('.compare-form button');

const shown = (page) => page.evaluate(() => ({
    cards: Object.fromEntries(Array.from(document.querySelectorAll('.compare-mode'), (card) => [card.dataset.mode,
        Object.fromEntries(Array.from(card.querySelectorAll('[data-key]'), (e) => [e.dataset.key, e.textContent]))])),
    bytes: Object.fromEntries(Array.from(document.querySelectorAll('.compare-mode'), (card) => [card.dataset.mode,
        Array.from(card.querySelectorAll('rect'), (r) => Number(r.dataset.bytes))])),
    samples: Object.fromEntries(Array.from(document.querySelectorAll('svg[data-chart]'), (svg) => [svg.dataset.chart,
        Array.from(svg.querySelectorAll('path'), (p) => [p.dataset.mode, Number(p.dataset.samples)])])),
    sentence: document.querySelector('.compare-sentence:not([hidden])')?.textContent,
    table: Array.from(document.querySelectorAll('.compare-figures tbody tr'), (row) => Array.from(row.cells, (c) => c.textContent)),
}));

function isDrawn(page, is, what) {
    for (const mode of MODES) {
        const f = is.modes[mode], card = page.cards[mode], m = f.memory;
        const all = (m.stacks + m.kernel_stacks + m.rest) / MB;
        for (const [key, value] of [['held', f.held], ['per_second', f.per_second.toFixed(0)], ['p50_ms', f.p50_ms.toFixed(1)],
            ['p99_ms', f.p99_ms.toFixed(1)], ['threads', f.threads], ['cpu_percent', f.cpu_percent.toFixed(0)], ['memory', all.toFixed(1)],
            ['refused', f.refused]])
            check(card?.[key] === String(value), `${what}, ${mode}: ${key} is shown as ${card?.[key]}, and is ${value}`);
        check(String(page.bytes[mode]) === String([m.stacks, m.kernel_stacks, m.rest]), `${what}, ${mode}: memory is drawn as ${page.bytes[mode]}`);
    }
    for (const chart of ['held', 'memory', 'per_second', 'cpu_percent'])
        check(JSON.stringify(page.samples[chart]) === JSON.stringify([0, 1, 2, 3].map((turn) => {
            const of = is.samples.filter((s) => s.turn === turn);
            return [of[0]?.mode, of.length];
        })), `${what}: ${chart} has ${JSON.stringify(page.samples[chart])}`);
    check(page.sentence === is.sentence && is.sentence.length > 20, `${what}: the sentence is "${page.sentence}", not "${is.sentence}"`);
    const row = (name) => page.table.find((r) => r[0] === name)?.slice(1).map(Number);
    for (const [name, value] of [['threads', (f) => f.threads], ['refused (503)', (f) => f.refused], ['failed', (f) => f.failed],
        ['requests held at once', (f) => f.held]])
        check(String(row(name)) === String(MODES.map((mode) => value(is.modes[mode]))), `${what}: the table says ${row(name)} of ${name}`);
}

async function compares(page, load, what) {
    const [run, running] = await seen(page, load, pressed(page));
    check(running === 1, `${what}: not one mode has its turn, but ${running}`);
    await ends(page, run);
    const is = await json(page);
    check(is.load === load && is.requests === 10 && is.state === 'done', `${what}: it ran ${is.load} of ${is.requests}: ${is.state}`);
    isDrawn(await shown(page), is, what);
}

// How it is answered that another run shall begin; 0: it has begun, for the one before was over, and has ended.
const another = (page) => page.evaluate(async (ms) => {
    const headers = { Accept: 'application/json' };
    const answer = await fetch('/compare', { method: 'POST', headers, body: new URLSearchParams({ requests: 10, ms }) });
    while (answer.ok && (await (await fetch('/compare', { headers })).json()).state === 'running')
        await new Promise((later) => setTimeout(later, ms));
    return answer.ok ? 0 : answer.status;
}, SHORT);

// Who comes, or comes again, while it runs sees it, and is told why another cannot begin.
async function isSeenByOthers(browser, page, address, mode) {
    const other = await open(browser, mode, /409/);
    const [run, refused] = await seen(page, 'waiting', pressed(page), async (_, r) => {
        const running = await turns(page, r);
        await other.goto(address);
        return running && await turns(other, r) && await another(other);
    });
    check(refused === 409, `${mode}: a second run is answered with ${refused}`);
    await ends(other, run);
    isDrawn(await shown(other), await json(other), `${mode}, another's page`);
    await ends(page, run);
    await other.close();
}

async function byKeyboard(page, address, mode) {
    await page.goto(address);
    const [run] = await seen(page, 'waiting', async () => {
        await page.focus('.compare-form input[value=waiting]');
        await page.keyboard.press('ArrowDown');
        await page.keyboard.press('ArrowDown');
        await page.keyboard.press('Tab');
        await page.keyboard.press('Tab');
        await page.keyboard.press('Enter');
    });
    await ends(page, run);
    check((await json(page)).load === 'cpu', `${mode}: by the keyboard another load was chosen`);
}

async function withoutScripts(page, address, mode) {
    const before = (await json(page)).run;
    await page.setJavaScriptEnabled(false);
    await page.goto(`${address}/compare`);
    await choose(page, 'waiting', '10');
    await Promise.all([page.waitForNavigation({ timeout: PATIENCE }), page.click('.compare-form button')]);
    check(page.url() === `${address}/compare`, `${mode}: without scripts it leads to ${page.url()}`);
    await page.waitForSelector('.compare-figures', { timeout: 3 * PATIENCE });
    await page.setJavaScriptEnabled(true);
    const is = await json(page);
    check(is.run === before + 1 && is.state === 'done', `${mode}: without scripts run ${is.run} is ${is.state}`);
    const page_ = await shown(page);
    check(page_.sentence === is.sentence, `${mode}: without scripts it says "${page_.sentence}", and is "${is.sentence}"`);
}

await run('browser-compare', async (browser) => {
    for (const mode of MODES) {
        const server = await serve(mode);
        const page = await open(browser, mode);
        await page.goto(server.address);
        for (const load of LOADS)
            await compares(page, load, `${mode}, ${load}`);
        await isSeenByOthers(browser, page, server.address, mode);
        if (mode === MODES[0])
            await byKeyboard(page, server.address, mode);
        await page.goto(server.address);
        await page.waitForSelector('svg[data-chart]', { timeout: PATIENCE });
        await isAccessible(page, mode, 'a comparison');
        await fitsAPhone(page, server.address, mode, ['/', '/compare']);
        await withoutScripts(page, server.address, mode);
        await page.close();
        await server.stop();

        const other = await serve(mode, { database: process.env.POSTGRES_FOR_TESTS });
        const there = await open(browser, mode);
        await there.goto(other.address);
        await compares(there, 'database', `${mode}, PostgreSQL`);
        await there.close();
        await other.stop();
    }
});

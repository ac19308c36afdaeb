// loop.mjs - /loop in a headless Chromium, in both modes: every button is pressed, and what is drawn is compared with the events that came;
// by keyboard, without scripts, on a phone; and axe finds nothing.
import { MODES, PATIENCE, check, fitsAPhone, isAccessible, open, run, serve, text } from './harness.mjs';

const POSTGRES = process.env.POSTGRES_FOR_TESTS;

// The page's own events, kept beside it as they came: what it draws has to be what they say.
async function listens(page) {
    await page.evaluateOnNewDocument(() => {
        const Source = EventSource;
        window.batches = [];
        window.EventSource = class extends Source {
            constructor(path) {
                super(path);
                this.addEventListener('turns', (m) => window.batches.push(JSON.parse(m.data)));
            }
        };
    });
}

const events = (page) => page.evaluate(() => window.batches.flatMap((b) => b.events));
// Of the batches from that one on: is such an event among them? 'left out': something is not, for a busy machine tells too much at once.
const came = async (page, from, kind, whom) => (await page.waitForFunction((f, k, w) => {
    const batches = window.batches.slice(f);
    return batches.some((b) => b.events.some((e) => e.kind === k && e.for === w)) ? 'came'
        : batches.some((b) => b.left_out.events > 0) && 'left out';
}, { timeout: PATIENCE }, from, kind, whom)).jsonValue();
const isIn = (page, mode) => page.waitForFunction((m) => document.querySelector('main').dataset.mode === m, { timeout: PATIENCE }, mode);
const at = (page) => page.$eval('main', (main) => Number(main.dataset.at));
const stands = (page, where) => page.waitForFunction((w) => Number(document.querySelector('main').dataset.at) === w, { timeout: PATIENCE }, where);
const pressed = (page) => page.$$eval('.controls [aria-pressed=true]', (all) => all.map((b) => b.id).join());

async function makes(page, name, whom, where) {
    for (const until = Date.now() + PATIENCE; ;) {
        const from = await page.evaluate((n) => {
            Array.from(document.querySelectorAll('[data-make]')).find((b) => b.textContent === n).click();
            return window.batches.length;
        }, name);
        await page.waitForFunction(() => / 200 after /.test(document.getElementById('said').textContent), { timeout: PATIENCE });
        const ended = await came(page, from, 'request', whom), begun = await came(page, from, 'request_begun', whom);
        await page.evaluate(() => { document.getElementById('said').textContent = ''; });
        if (![ended, begun].includes('left out'))
            return;
        if (Date.now() > until) {
            check(false, `${where}: of ${name} something is always left out`);
            return;
        }
    }
}

// The events of a turn as they were told are those that are listed, in that order; and what was called in each phase is what the circle
// says.
async function drawsWhatCame(page, where) {
    const drawn = await page.evaluate(() => ({
        turn: Number(document.getElementById('ring-turn').textContent.replace('turn ', '')),
        kinds: Array.from(document.querySelectorAll('#events li')).map((li) => li.classList[0]),
        current: Array.from(document.querySelectorAll('#events li')).findIndex((li) => li.hasAttribute('aria-current')),
        calls: Object.fromEntries(Array.from(document.querySelectorAll('g.phase')).map((g) => [g.dataset.phase, Number(g.querySelector('.calls').textContent)])),
        lit: document.querySelector('g.phase.lit')?.dataset.phase,
    }));
    const told = (await events(page)).filter((e) => e.turn === drawn.turn);
    check(told.map((e) => e.kind).join() === drawn.kinds.join(), `${where}: turn ${drawn.turn} is ${drawn.kinds} and was ${told.map((e) => e.kind)}`);
    const calls = {};
    let phase = 'poll';
    for (const e of told.slice(0, drawn.current < 0 ? told.length : drawn.current + 1)) {
        if (e.kind === 'phase')
            phase = e.phase;
        if (['callback', 'ran', 'timer'].includes(e.kind))
            calls[phase] = (calls[phase] ?? 0) + 1;
    }
    for (const [name, count] of Object.entries(drawn.calls))
        check(count === (calls[name] ?? 0), `${where}: ${name} had ${count} calls, and was called ${calls[name] ?? 0} times`);
    if (drawn.current >= 0)
        check(drawn.lit === phase, `${where}: ${drawn.lit} is lit in ${phase}`);
    return drawn;
}

async function loopIsWatched(browser, address, where, lane) {
    const page = await open(browser, where);
    await listens(page);
    await page.goto(`${address}/loop`);
    await isIn(page, 'live');
    check(await pressed(page) === 'live', `${where}: ${await pressed(page)} is pressed at first`);
    const order = await page.$$eval('g.phase', (all) => all.map((g) => g.dataset.phase).join());
    check(order === 'timers,pending,idle,prepare,poll,check,closing', `${where}: the phases are ${order}`);

    await makes(page, '/sleep?ms=200', 'GET /sleep', where);
    await makes(page, '/sleep/promise?ms=200', 'GET /sleep/promise', where);
    await makes(page, 'a pattern: all', 'GET /patterns/:name', where);
    await makes(page, '/users, 20 times', 'GET /users', where);
    await makes(page, '/users/42', 'GET /users/:id', where);
    const queries = (await events(page)).filter((e) => e.kind === 'query_ran' && e.for === 'GET /users/:id');
    check(queries.length > 0 && queries.every((e) => e.lane > 0), `${where}: queries ran on ${queries.map((e) => e.lane)}`);
    for (const name of new Set(queries.map((e) => lane(e.lane))))      // which of the readers took them is theirs to say
        await page.waitForFunction((n) => document.getElementById('queries').textContent.includes(`${n}:`), { timeout: PATIENCE }, name);
    await page.waitForFunction(() => Number(document.getElementById('strip').dataset.turns) > 3, { timeout: PATIENCE });
    await isAccessible(page, where, '/loop');

    await page.click('#pause');
    await isIn(page, 'pause');
    check(await pressed(page) === 'pause', `${where}: ${await pressed(page)} is pressed in a pause`);
    await drawsWhatCame(page, `${where}, paused`);
    const here = await at(page);
    for (let back = 1; back <= 8; back++) {
        await page.click('#back');
        await stands(page, here - back);
    }
    const earlier = await drawsWhatCame(page, `${where}, eight events ago`);
    check(earlier.current >= 0, `${where}: no event is the current one`);
    await page.click('#event');
    await stands(page, here - 7);
    await page.evaluate(() => document.activeElement.blur());    // on a button, keys are the button's
    await drawsWhatCame(page, `${where}, seven events ago`);

    // To the turn in which the user's page awaits: then it is in the table, with the line.
    const wait = (await events(page)).findLast((e) => e.kind === 'await' && e.for === 'GET /users/:id');
    const waits = () => page.evaluate((place, turn) => document.getElementById('ring-turn').textContent === turn
        && document.getElementById('waits').textContent.includes(place), wait.place, `turn ${wait.turn}`);
    for (let back = here - 8; back > 0 && !await waits(); back--) {
        await page.keyboard.press('ArrowLeft');
        await stands(page, back);
    }
    check((await page.$eval('#waits', (table) => table.textContent)).includes(wait.place), `${where}: nothing awaits at ${wait.place}`);
    const before = await drawsWhatCame(page, `${where}, before the next turn`);
    await page.click('#turn');
    await page.waitForFunction((t) => document.getElementById('ring-turn').textContent !== `turn ${t}`, { timeout: PATIENCE }, before.turn);
    const after = await drawsWhatCame(page, `${where}, in the next turn`);
    check(after.turn > before.turn && after.current === 0, `${where}: after turn ${before.turn} event ${after.current} of ${after.turn}`);

    await page.select('#speed', '1000');
    const slowly = await at(page);
    await page.click('#slow');
    await isIn(page, 'slow');
    await page.select('#speed', '10');
    await page.waitForFunction((a) => Number(document.querySelector('main').dataset.at) > a, { timeout: PATIENCE }, slowly);
    await page.evaluate(() => document.activeElement.blur());
    await page.keyboard.press('l');
    await isIn(page, 'live');
    await page.keyboard.press(' ');
    await isIn(page, 'pause');
    const paused = await at(page);
    await page.keyboard.press('ArrowLeft');
    await stands(page, paused - 1);
    await page.keyboard.press('ArrowRight');
    await stands(page, paused);
    await page.keyboard.press('s');
    await isIn(page, 'slow');
    await page.click('#live');
    await isIn(page, 'live');

    const strip = await page.$eval('#strip', (s) => {
        s.scrollIntoView();
        const { x, y, height } = s.getBoundingClientRect();
        return { x, y: y + height / 2 };
    });
    await page.mouse.click(strip.x + 3, strip.y);
    await isIn(page, 'pause');
    await drawsWhatCame(page, `${where}, the first turn of the strip`);
    await page.close();
}

const allFiveSlept = (page) => page.waitForFunction(() => /200 after .* ms, all 5/.test(document.getElementById('said').textContent),
    { timeout: PATIENCE });

// All at the same look, which may come too late on a busy machine, or before the last of them: then they sleep once more.
async function fiveSleep(page) {
    for (const until = Date.now() + PATIENCE; ;) {
        await page.evaluate(() => document.querySelectorAll('[data-make]')[2].click());
        const seen = await (await page.waitForFunction(() => document.getElementById('waits').textContent.split('GET /sleep').length - 1 === 5
            ? 'all' : /all 5/.test(document.getElementById('said').textContent) && 'too late',
        { timeout: PATIENCE, polling: 'mutation' })).jsonValue();
        if (seen === 'all')
            return;
        if (Date.now() > until)
            throw new Error('five that sleep are never seen');
    }
}

async function threadsAreWatched(browser, address, where) {
    const page = await open(browser, where);
    await page.goto(`${address}/loop`);
    check((await text(page)).includes('threads mode, where there is none'), `${where}: it does not say that there is no loop`);
    check(await page.$('g.phase') === null, `${where}: it draws phases`);
    await fiveSleep(page);
    await isAccessible(page, where, '/loop');
    await allFiveSlept(page);
    await page.evaluate(() => document.querySelectorAll('[data-make]')[0].click());
    await page.waitForFunction(() => /users\/42: 200/.test(document.getElementById('said').textContent), { timeout: PATIENCE });
    await page.close();
}

async function withoutScripts(browser, address, where) {
    const page = await open(browser, where);
    await page.setJavaScriptEnabled(false);
    await page.goto(`${address}/loop`);
    check((await page.$$('.turns tbody tr')).length > 3, `${where}, without scripts: no turns are listed`);
    check(await page.$$eval('.controls', (all) => all.every((c) => c.offsetParent === null)), `${where}: controls without scripts`);
    await Promise.all([page.waitForNavigation({ timeout: PATIENCE }), page.click('.again button')]);
    check((await text(page)).includes('The turns of 1000 ms'), `${where}: it was not looked at for a second`);
    await page.setJavaScriptEnabled(true);
    await page.close();
}

await run('browser-loop', async (browser) => {
    for (const mode of MODES) {
        const server = await serve(mode);
        await (mode === 'async' ? loopIsWatched(browser, server.address, mode, (n) => `reader ${n - 1}`) : threadsAreWatched(browser, server.address, mode));
        if (mode === 'async')
            await withoutScripts(browser, server.address, mode);
        const phone = await open(browser, mode);
        await fitsAPhone(phone, server.address, mode, ['/loop']);
        await phone.close();
        await server.stop();
    }
    if (POSTGRES) {
        const server = await serve('async', { database: POSTGRES });
        await loopIsWatched(browser, server.address, 'PostgreSQL', (n) => `connection ${n}`);
        await server.stop();
    }
});

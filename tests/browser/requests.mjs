// requests.mjs - the pages of slow requests and the advisor in a headless Chromium, in both modes and on both databases (PostgreSQL's
// URL is in POSTGRES_FOR_TESTS): every link and every summary is pressed. What is drawn has to agree with what the same request tells
// as JSON, bar by bar; and what the advisor's page says with its JSON.
import { MODES, PATIENCE, check, fitsAPhone, isAccessible, open, run, serve, text } from './harness.mjs';

const json = async (address, path) => (await fetch(address + path, { headers: { Accept: 'application/json' } })).json();
const ASKED = { 'GET /users/:id': ['/users/42', '/users/43', '/users/44?render=thread'], 'GET /sleep': ['/sleep?ms=60'],
    'GET /plaintext': ['/plaintext'] };
const near = (a, b, by = 0.02) => Math.abs(a - b) <= by;

const drawn = (page) => page.$$eval('figure.waterfall', (figures) => figures.filter((f) => f.querySelector('g.row')).map((f) => ({
    height: Number(f.querySelector('svg').getAttribute('height')),
    rows: Array.from(f.querySelectorAll('g.row'), (g) => ({
        words: g.querySelector('text').textContent, time: g.querySelector('.time').textContent,
        bars: Array.from(g.querySelectorAll('rect:not(.track)'), (r) => ({ kind: r.getAttribute('class'),
            x: Number.parseFloat(r.getAttribute('x')), width: Number.parseFloat(r.getAttribute('width')) })),
    })),
})));

// Bars are in hundredths of the whole, and as wide as can be seen at least; times are to a microsecond.
function agrees(figure, request, where) {
    const spans = request.rows.flatMap((row) => row.spans);
    const end = Math.max(...spans.map((s) => s.from_ms + s.ms)), part = (ms) => (100 * ms) / end, by = part(0.002) + 0.01;
    check(figure.rows.length === request.rows.length, `${where}: ${figure.rows.length} rows are drawn of ${request.rows.length}`);
    request.rows.forEach((row, i) => {
        const { words, time, bars } = figure.rows[i], of = `${where}, ${words}`;
        check(words.startsWith(`${row.kind} ${row.what}`), `${of}: is ${row.kind} ${row.what}`);
        check(time === `${row.total_ms.toFixed(3)} ms`, `${of}: ${time}, not ${row.total_ms}`);
        const own = bars.filter((bar) => bar.kind === row.kind), queued = bars.filter((bar) => bar.kind === 'queued');
        check(own.length === row.spans.length && own.length + queued.length === bars.length, `${of}: ${bars.length} bars`);
        row.spans.forEach((s, j) => check(near(own[j].x, part(s.from_ms + s.queued_ms), by)
                && near(own[j].width, Math.max(part(s.ms - s.queued_ms), 0.15), by),
        `${of}: a bar at ${own[j].x}%, ${own[j].width}% wide, of ${JSON.stringify(s)} in ${end}`));
    });
}

// Asks until one of them is kept, which a server that is busy need not do with each, and until it is known how long the answers
// were written, which may be after they have come.
async function isKept(address, route) {
    for (const until = Date.now() + PATIENCE; Date.now() < until;) {
        for (const path of ASKED[route])
            await (await fetch(address + path)).text();
        let kept;
        do
            kept = (await json(address, `/requests?route=${encodeURIComponent(route)}`)).routes?.[0]?.slowest ?? [];
        while (kept.some((r) => r.wrote_ms === null) && Date.now() < until);
        if (kept.length > 0)
            return;
    }
}

async function pressAll(page) {
    for (const summary of await page.$$('summary'))
        await summary.click();
    return page.$$eval('details', (all) => all.every((d) => d.open && d.querySelectorAll('tbody tr').length > 0));
}

async function routeIsRight(page, address, where, route, look) {
    await Promise.all([page.waitForNavigation(), page.$$eval('.routes a[href^="/requests?"]',
        (all, name) => all.find((a) => a.textContent === name).click(), route)]);
    const told = (await json(address, `/requests?route=${encodeURIComponent(route)}`)).routes[0];
    const figures = await drawn(page);
    check(figures.length === told.slowest.length, `${where}: ${figures.length} drawings of ${told.slowest.length}`);
    check(await pressAll(page), `${where}: a table stays closed or is empty`);
    await look(route);
    await Promise.all([page.waitForNavigation(), page.click('h2 a')]);
    const id = page.url().match(/\d+$/)[0];
    agrees((await drawn(page))[0], await json(address, `/requests/${id}`), `${where}, request ${id}`);
    check(await pressAll(page), `${where}, request ${id}: its table stays closed or is empty`);
    await Promise.all([page.waitForNavigation(), page.click('.up a')]);
}

async function advisorIsRight(page, address, where, look) {
    await page.goto(`${address}/advisor`);
    const heads = await page.$$eval('.advice h2', (all) => all.map((h) => h.textContent));
    const told = await json(address, '/advisor'), said = await text(page);
    for (const route of told.routes.filter((r) => heads.some((h) => h.startsWith(`${r.route}:`))))
        check(heads.includes(`${route.route}: ${route.verdict}`), `${where}: ${route.route} is not said to be ${route.verdict}`);
    check(heads.length >= 3, `${where}: only ${heads}`);
    for (const limit of told.limits)
        check(said.includes(limit.why), `${where}: no reason for ${limit.name}`);
    check(await pressAll(page), `${where}: a table of awaits stays closed or is empty`);
    await look('advisor');
}

await run('requests', async (browser) => {
    for (const mode of MODES)
        for (const database of [undefined, process.env.POSTGRES_FOR_TESTS].filter((d, i) => i === 0 || d)) {
            const server = await serve(mode, database ? { database } : {}), where = `${mode}, ${database ? 'PostgreSQL' : 'SQLite'}`;
            const page = await open(browser, where);
            const look = (what) => database ? undefined : isAccessible(page, where, what);       // of both the pages are alike
            for (const route of Object.keys(ASKED))
                await isKept(server.address, route);
            await page.goto(`${server.address}/requests`);
            const routes = (await json(server.address, '/requests')).routes.map((r) => r.route);
            check(Object.keys(ASKED).every((r) => routes.includes(r)), `${where}: only ${routes}`);
            await look('/requests');
            for (const route of Object.keys(ASKED))
                await routeIsRight(page, server.address, where, route, look);
            await advisorIsRight(page, server.address, where, look);
            await fitsAPhone(page, server.address, where, ['/requests', '/requests?route=GET+/users/:id', '/advisor']);
            await page.close();
            await server.stop();
        }
});

// patterns.mjs - clicks through the gallery in a headless Chromium, in both modes of the server and on both databases (PostgreSQL's
// URL is in POSTGRES_FOR_TESTS): every button of every page. Every Run must show a timeline, in place: what is drawn has to agree with
// the events beside it, to the hundredth of a per cent, and with what the same pattern tells as JSON; and the walk through the events
// lights each line of C. The same without scripts, on a page of its own. Posts can be written from our own page, and from no other's,
// and are all to be found. The browser must have nothing to complain about.
import { MODES, PATIENCE, check, fitsAPhone, open, run, serve, text } from './harness.mjs';

// What is drawn, listed and lit on the page of a pattern after a run.
function drawn(page, within = 'main') {
    return page.$eval(`${within} .result`, (result) => {
        const svg = result.querySelector('svg.picture'), attribute = (e, name) => Number.parseFloat(e.getAttribute(name));
        const track = (e) => e.dataset.track, at = (e) => Number(e.dataset.at), to = (e) => Number(e.dataset.to);
        return {
            titled: (svg.querySelector('title')?.textContent.length ?? 0) > 10,
            inOrder: svg.dataset.total === undefined,
            total: Number(svg.dataset.total),
            width: svg.getBoundingClientRect().width,
            parts: svg.querySelectorAll('rect, path.plot, .mark').length,
            bars: Array.from(svg.querySelectorAll('rect[data-track]'), (r) => ({ track: track(r), at: at(r), to: to(r),
                x: attribute(r, 'x'), width: attribute(r, 'width'), kind: r.classList[0] })),
            marks: Array.from(svg.querySelectorAll('.mark'), (m) => ({ track: track(m), at: at(m), x: attribute(m, 'x'),
                name: m.querySelector('title')?.textContent, number: m.querySelector('text').textContent })),
            words: Array.from(svg.querySelectorAll(':scope > text:not(.soft)'), (t) => t.firstChild.textContent),
            keys: Array.from(result.querySelectorAll('figcaption .key'), (k) => k.className.replace('key ', '')),
            figures: Array.from(result.querySelectorAll('.figures dt, .twins tbody th'), (dt) => dt.textContent),
            ended: Array.from(result.querySelectorAll('.figures dt')).find((dt) => dt.textContent === 'ended with')
                ?.nextElementSibling.textContent,
            events: Array.from(result.querySelectorAll('.events li'), (li) => ({ track: track(li), at: at(li), line: li.dataset.line,
                words: li.textContent })),
            counts: Array.from(result.querySelectorAll('.events summary'), (s) => Number(s.textContent.match(/\d+$/)[0])),
        };
    });
}

const near = (a, b) => Math.abs(a - b) < 0.011;

// Each bar lies where its times say; a track's bars follow each other without a gap, from its first event to its last.
function barsAreRight(d, where) {
    for (const bar of d.bars)
        check(near(bar.x, (100 * bar.at) / d.total) && (near(bar.width, (100 * (bar.to - bar.at)) / d.total) || bar.width <= 0.151),
            `${where}: a bar from ${bar.at} to ${bar.to} of ${d.total} us is at ${bar.x}%, ${bar.width}% wide`);
    for (const track of new Set(d.bars.map((bar) => bar.track))) {
        const bars = d.bars.filter((bar) => bar.track === track);
        const events = d.events.filter((e) => e.track === track);
        check(bars.every((bar, i) => i === 0 || bar.at >= bars[i - 1].to), `${where}: the bars of track ${track} overlap`);
        if (d.counts.reduce((a, b) => a + b) !== d.events.length)
            continue;                        // of very many, not all are listed
        check(bars[0].at >= events[0].at && bars.at(-1).to === events.at(-1).at, `${where}: track ${track} ends elsewhere`);
    }
}

const KEYS = { runs: 'rect.runs', works: 'rect.works', waits: 'rect.waits', took: 'rect.took', mark: '.mark' };

async function legendIsRight(page, d, within, where) {
    for (const [key, selector] of Object.entries(KEYS)) {
        const there = await page.$(`${within} .picture ${selector}, ${within} .picture path.${key}`) !== null;
        check(there === d.keys.some((k) => k === key), `${where}: "${key}" is ${there ? 'drawn, and not explained' : 'explained, and not drawn'}`);
    }
}

// The same pattern as JSON. It is another run: of what differs from one to the next only names and figures are compared.
function recorded(address, name) {
    return fetch(`${address}/patterns/${name}`, { headers: { Accept: 'application/json' } }).then((answer) => answer.json());
}

const halvesOf = (json) => json.twins ?? [json];

function agreesWith(json, d) {
    if (d.ended)
        return [`it ended with "${d.ended}"`];
    const halves = halvesOf(json), wrong = [];
    const names = new Set(halves.flatMap((h) => h.events.filter((e) => e.kind === 'begin' && e.track > 0).map((e) => e.name)));
    const marks = halves.flatMap((h) => h.events.filter((e) => e.kind === 'mark').map((e) => e.name)).slice(0, 60);
    const labels = new Set(d.words.map((w) => w.replace(/ × \d+$/, '')));
    const figures = new Set(['took', ...halves.flatMap((h) => Object.keys(h.figures))]);
    if (d.inOrder)
        return marks.filter((mark) => !d.words.includes(mark)).map((mark) => `${mark} is not drawn`);
    for (const name of names)
        if (!labels.has(name))
            wrong.push(`${name} is recorded, and not drawn`);
    for (const mark of new Set(d.marks.map((m) => m.name)))
        if (!marks.includes(mark))
            wrong.push(`the mark ${mark} is drawn, and not recorded`);
    for (const name of new Set(halves.flatMap((h) => h.events.filter((e) => e.kind === 'value' || e.kind === 'took').map((e) => e.name))))
        if (!labels.has(name))
            wrong.push(`${name} has values, and no plot`);
    for (const name of d.figures)
        if (!figures.has(name))
            wrong.push(`the figure ${name} is not recorded`);
    return wrong;
}

// What differs once, for the machine was busy or something was there already, may not differ always. A run that took too long,
// or had no room, has ended early.
async function comparesWithJson(page, address, name, within, where) {
    const differences = async () => agreesWith(await recorded(address, name), await drawn(page, within));
    let wrong = await differences();
    if (wrong.length > 0)
        await alone(async () => {
            const until = Date.now() + 3 * PATIENCE;
            for (let tries = 0; wrong.length > 0 && (tries < 3 || Date.now() < until); tries++) {
                await presses(page, within);
                wrong = await differences();
            }
        });
    check(wrong.length === 0, `${where}: ${wrong.join('; ')}`);
}

// One after the other: those that are tried again would keep each other from ending in time.
let others = Promise.resolve();

function alone(work) {
    const mine = others.then(work);
    others = mine.catch(() => { /* it is told by who waits for it */ });
    return mine;
}

async function presses(page, within) {
    await page.$eval(`${within} .result`, (result) => result.replaceChildren());
    await page.click(`${within} form.run button`);
    await page.waitForSelector(`${within} .result svg`, { timeout: PATIENCE });
}

// From event to event, by the button and by keys: each lights its line, and says what it is.
async function walks(page, where) {
    const count = await page.$$eval('.events li', (all) => all.length);
    const wrong = await page.$$eval('.player button', ([, , next]) => {
        const slider = document.querySelector('.player input'), said = document.querySelector('.player output'), bad = [];
        const events = Array.from(document.querySelectorAll('.events li'));
        slider.value = 0;
        slider.dispatchEvent(new Event('input'));
        for (const event of events) {
            const line = event.dataset.line && document.getElementById(`L${event.dataset.line}`);
            if (said.textContent !== event.textContent || (line && !line.classList.contains('lit')))
                bad.push(event.textContent);
            next.click();
        }
        return bad;
    });
    check(wrong.length === 0, `${where}: not lit, or not said: ${wrong.slice(0, 3).join('; ')}`);
    await page.focus('.player input');
    await page.keyboard.press('Home');
    await page.keyboard.press('ArrowRight');
    await page.waitForFunction(() => Array.from(document.querySelectorAll('.events li')).findIndex((li) => li.classList.contains('lit')) === 1,
        { timeout: PATIENCE }).catch(() => check(false, `${where}: keys do not lead to the second of ${count} events`));
    await page.evaluate(() => {              // pressed again as it goes by: it may have ended before it is asked where it is
        const [play] = document.querySelectorAll('.player button'), slider = document.querySelector('.player input');
        window.paused = new Promise((paused) => {
            new MutationObserver((_, seen) => {
                if (Number(slider.value) <= 1)
                    return;
                seen.disconnect();
                play.click();
                paused();
            }).observe(document.querySelector('.player output'), { childList: true });
        });
    });
    await page.click('.player button:nth-of-type(1)');
    await page.evaluate(() => window.paused);
    check(await page.$eval('.player button', (b) => b.textContent) === 'Play', `${where}: it does not pause`);
}

// A bar that is pointed at lights its lines, and a line its bars.
async function points(page, where) {
    const found = await page.evaluate(() => {
        const bar = Array.from(document.querySelectorAll('.picture [data-line]')).find((b) => document.getElementById(`L${b.dataset.line}`));
        if (!bar)
            return null;
        const line = document.getElementById(`L${bar.dataset.line}`);
        bar.dispatchEvent(new PointerEvent('pointerover', { bubbles: true }));
        const lit = line.classList.contains('lit');
        line.dispatchEvent(new PointerEvent('pointerenter'));
        return { lit, bar: bar.classList.contains('lit') };
    });
    check(found === null || (found.lit && found.bar), `${where}: a bar and its line do not light each other`);
}

async function clicksAllOf(page, address, name, where, scripts) {
    await page.goto(`${address}/patterns/${name}`);
    const choices = await page.$$eval('form.run select option', (options) => options.map((option) => option.value));
    for (const choice of choices.length > 0 ? choices : [null]) {
        const chosen = choice === null ? where : `${where}, ${choice}`;
        if (choice !== null)
            await page.select('form.run select', choice);
        await presses(page, 'main');
        const d = await drawn(page);
        check(d.titled && d.parts > 0 && d.width > 300, `${chosen}: an empty timeline`);
        barsAreRight(d, chosen);
        if (!d.inOrder)
            await legendIsRight(page, d, 'main', chosen);
    }
    if (choices.length > 0)
        await page.select('form.run select', choices[0]);
    if (choices.length > 1)
        await presses(page, 'main');
    if (scripts) {
        await walks(page, where);
        await points(page, where);
    }
    await comparesWithJson(page, address, name, 'main', where);
    check(page.url() === `${address}/patterns/${name}`, `${where}: the page was left`);
}

// scripts: what the script does with a picture, which is the same on any server, is tried too.
async function clickAll(page, address, mode, scripts) {
    await page.goto(`${address}/patterns`);
    const names = await page.$$eval('section.card', (cards) => cards.map((card) => card.id));
    const running = await page.$$eval('section.card:has(form.run)', (cards) => cards.map((card) => card.id));
    check(running.length >= (mode.includes('async') ? 16 : 8), `${mode}: only ${running.length} patterns can be run`);
    await presses(page, `section.card[id="${running[0]}"]`);
    check(page.url() === `${address}/patterns`, `${mode}: the page of all patterns was left`);
    for (const name of names) {
        if (running.includes(name)) {
            await clicksAllOf(page, address, name, `${mode}, ${name}`, scripts);
            continue;
        }
        await page.goto(`${address}/patterns/${name}`);
        const why = await page.$eval('.refusal', (p) => p.textContent);
        check(why.length > 20, `${mode}, ${name}: it does not say why it does not run`);
    }
}

async function clickWithoutScripts(page, address, mode) {
    await page.setJavaScriptEnabled(false);
    await page.goto(`${address}/patterns/all`);
    check(await page.$('ol.source li') !== null, `${mode}: no source is shown`);
    await Promise.all([page.waitForNavigation({ timeout: PATIENCE }), page.click('form.run button')]);
    check((await drawn(page, 'main')).parts > 0, `${mode}: without scripts no timeline appears`);
    await page.setJavaScriptEnabled(true);
}

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
    check(posts === 10 + 12, `${mode}: ${posts} posts on ${pages} pages`);
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
    await page.close();
}

async function pagesAndPosts(browser, mode) {
    const server = await serve(mode);
    const page = await open(browser, mode);
    await clickWithoutScripts(page, server.address, mode);
    await writesAndFindsPosts(page, server.address, mode);
    await isForeignTo(await open(browser, mode, /403/), server.address, mode);
    await fitsAPhone(page, server.address, mode, ['/', '/users/77', '/posts/411', '/patterns', '/patterns/all?run=1', '/workloads']);
    await page.close();
    await server.stop();
}

async function wholeGallery(browser, mode, where, database) {
    const server = await serve(mode, { database });
    const page = await open(browser, where);
    await clickAll(page, server.address, where, mode === MODES[0] && !database);
    await page.close();
    await server.stop();
}

// Patterns mostly wait: so all at once.
await run('patterns', async (browser) => {
    const { POSTGRES_FOR_TESTS } = process.env;
    await Promise.all(MODES.flatMap((mode) => [
        pagesAndPosts(browser, mode),
        wholeGallery(browser, mode, `${mode}, SQLite`),
        POSTGRES_FOR_TESTS && wholeGallery(browser, mode, `${mode}, PostgreSQL`, POSTGRES_FOR_TESTS),
    ]));
});

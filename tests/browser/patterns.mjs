// patterns.mjs - clicks through the gallery in a headless Chromium, in both modes of the server: every Run
// must show a timeline, in place; the same without scripts, on a page of its own. Posts can be written from
// our own page, and from no other's, and are all to be found. The pages must stay
// within a phone's width, and the browser must have nothing to complain about.
import { MODES, PATIENCE, check, fitsAPhone, open, run, serve, text } from './harness.mjs';

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

await run('browser', async (browser) => {
    for (const mode of MODES) {
        const server = await serve(mode);
        const page = await open(browser, mode);
        await clickAll(page, server.address, mode);
        await clickWithoutScripts(page, server.address, mode);
        await writesAndFindsPosts(page, server.address, mode);
        await isForeignTo(await browser.newPage(), server.address, mode);
        await fitsAPhone(page, server.address, mode, ['/', '/users/77', '/posts/411', '/patterns', '/patterns/all?run=1']);
        await page.close();
        await server.stop();
    }
});

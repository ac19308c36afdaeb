// site.mjs - every page of the site in a headless Chromium, as wide as a screen in the light and as narrow as a phone in the dark: axe finds
// nothing, nothing is further to the right than the window, and the browser has nothing to complain about. Which pages there are is
// asked of the server: its navigation, its gallery, and the headers to which the gallery leads.
import { PATIENCE, check, isAccessible, open, run, serve } from './harness.mjs';

const LOOKS = [{ width: 1280, height: 900, scheme: 'light' }, { width: 390, height: 844, scheme: 'dark' }];

async function looksRight(page, where) {
    for (const { scheme, ...size } of LOOKS) {
        await page.setViewport(size);
        const [content, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
        check(content <= window, `${where}: ${content} pixels wide in a window of ${window}`);
        await isAccessible(page, 'async', `${where}, ${size.width} wide`, [scheme]);
    }
}

async function opens(page, address, path, status = 200) {
    const answer = await page.goto(address + path);
    check(answer.status() === status, `${path}: ${answer.status()}`);
    check(await page.$$eval('header nav a', (links) => links.length) >= 3, `${path}: it has no navigation`);
    await looksRight(page, path);
}

async function pages(page, address) {
    await page.goto(address);
    const places = await page.$$eval('header nav a', (links) => links.map((a) => a.getAttribute('href')));
    await page.goto(`${address}/patterns`);
    const patterns = await page.$$eval('section.card h3 a', (links) => links.map((a) => a.getAttribute('href')));
    return { places, patterns };
}

async function jumpsAmongUsers(page, address) {
    await page.goto(`${address}/users`);
    await page.goto(`${address}/users`);     // whoever comes first counts them
    const last = await page.$$eval('.jumps a', (links) => links.at(-1).textContent);
    const clicked = (selector) => Promise.all([page.waitForNavigation({ timeout: PATIENCE }), page.click(selector)]);
    await clicked('.jumps a:last-child');
    check(await page.$eval('.jumps [aria-current]', (b) => b.textContent) === last, 'the last page of users is another');
    check(await page.$('a[rel=next]') === null, 'the last page of users has a next one');
    await clicked('a[rel=prev]');
    check(await page.$eval('.jumps [aria-current]', (b) => b.textContent) === String(last - 1), 'the page before the last is another');
}

await run('site', async (browser) => {
    const server = await serve('async'), { address } = server;
    const page = await open(browser, 'async', /the server responded with a status of 4/);
    await page.setCacheEnabled(false);       // no 304
    const { places, patterns } = await pages(page, address);
    check(places.includes('/users') && patterns.length >= 24, `the site has ${places} and ${patterns.length} patterns`);
    for (const path of new Set(['/', ...places, '/users?page=95', '/users/42', '/posts/411', '/chat/lobby',
        '/patterns/source/server/async/combine.h']))
        await opens(page, address, path);
    await opens(page, address, '/nothing', 404);
    await opens(page, address, '/users?page=x', 400);
    for (const path of patterns)
        await opens(page, address, `${path}?run=1`);
    await jumpsAmongUsers(page, address);
    await page.close();
    await server.stop();
});

// choices.mjs - what a visitor chooses before a run, in a headless Chromium: by the keyboard, with and without scripts, in both
// modes and on both databases (PostgreSQL's URL is in POSTGRES_FOR_TESTS). The four ways to write a letter show the same page,
// whatever fails; a choice stays chosen; the pages fit a phone; and axe finds nothing, light and dark.
import { MODES, PATIENCE, check, fitsAPhone, isAccessible, open, run, serve } from './harness.mjs';

const FORMS = ['blocking', 'callbacks', 'promises', 'await'];
const FAILS = ['nothing', 'file', 'query', 'fetch', 'render'];

const FORGETS = 1500;                        // ms, more than a select remembers letters for

// By its first letters, as one does at a select, and once more if they came too slowly; and Enter or Space on the button.
async function choose(page, value) {
    const label = await page.$eval(`form.run option[value="${value}"]`, (option) => option.textContent);
    const chosen = () => page.$eval('form.run select', (select) => select.value);
    await page.focus('form.run select');
    await page.keyboard.type(label, { delay: 1 });
    for (const until = Date.now() + PATIENCE; await chosen() !== value && Date.now() < until;) {
        await new Promise((forgotten) => setTimeout(forgotten, FORGETS));
        await page.keyboard.type(label, { delay: 1 });
    }
    check(await chosen() === value, `the keyboard does not choose ${value}`);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
}

// A run that took too long, for the machine was busy, has no letter: then it is asked for once more.
async function chooseUntilWritten(page, value) {
    for (const until = Date.now() + PATIENCE; ;) {
        await choose(page, value);
        await page.waitForSelector('.result .figures', { timeout: PATIENCE });
        if (await page.$('.result .output') !== null)
            return;
        const ended = await page.$eval('.result .figures', (figures) => figures.innerText);
        if (Date.now() > until)
            throw new Error(`no letter is written: ${ended}`);
        await page.$eval('.result', (result) => result.replaceChildren());
    }
}

const output = (page) => page.$eval('.result .output', (shown) => shown.innerHTML);

async function sameLetters(page, address, mode, all) {
    for (const fails of all) {
        const letters = new Set();
        for (const form of FORMS) {
            await page.goto(`${address}/patterns/${form}`);
            await chooseUntilWritten(page, fails);
            letters.add(await output(page));
            check(page.url() === `${address}/patterns/${form}`, `${mode}: the page was left`);
            check(await page.$eval('form.run select', (select) => select.value) === fails, `${mode}, ${form}: the choice is lost`);
        }
        check(letters.size === 1, `${mode}: when ${fails} fails, there are ${letters.size} letters`);
        check([...letters][0].includes('There is no letter today') === (fails !== 'nothing'), `${mode}, ${fails}: ${[...letters][0]}`);
    }
}

async function withoutScripts(page, address, mode) {
    await page.setJavaScriptEnabled(false);
    await page.goto(`${address}/patterns/await`);
    for (const until = Date.now() + PATIENCE; await page.$('.result .output') === null && Date.now() < until;) {
        await page.select('form.run select', 'query');
        await Promise.all([page.waitForNavigation({ timeout: PATIENCE }), page.click('form.run button')]);
    }
    check((await output(page)).includes('the database said no'), `${mode}: without scripts nothing fails`);
    check(await page.$('option[value=query][selected]') !== null, `${mode}: without scripts the choice is lost`);
    await page.setJavaScriptEnabled(true);
}

async function areAccessible(page, address, mode, paths) {
    await page.setViewport({ width: 1280, height: 900 });
    for (const path of paths) {
        await page.goto(address + path);
        await isAccessible(page, mode, path);
    }
}

await run('choices', async (browser) => {
    const databases = [undefined, process.env.POSTGRES_FOR_TESTS].filter((url, i) => i === 0 || url);
    for (const database of databases)
        for (const mode of MODES) {
            const server = await serve(mode, { database });
            const page = await open(browser, mode);
            await sameLetters(page, server.address, mode, database === undefined && mode === 'async' ? FAILS : ['nothing', 'query']);
            if (database === undefined) {
                const paths = ['/patterns/await?run=1', '/patterns/callbacks?fail=render&run=1', '/patterns/race?slow=replica&run=1',
                    '/patterns/all?fail=posts&run=1', '/patterns/all-settled?run=1'];
                await withoutScripts(page, server.address, mode);
                await areAccessible(page, server.address, mode, paths);
                await fitsAPhone(page, server.address, mode, paths);
            }
            await page.close();
            await server.stop();
        }
});

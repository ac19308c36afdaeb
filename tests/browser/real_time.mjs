// real_time.mjs - the chat and a user's page in a headless Chromium, in both modes of the server: what is said or posted on one page
// appears on another, in order and once, also when the server that it hangs on is killed and another one goes on (two on one
// PostgreSQL, whose URL is in POSTGRES_FOR_TESTS); without scripts, by the keyboard alone, and on a phone; and axe finds nothing.
import { connect, createServer } from 'node:net';
import { MODES, PATIENCE, check, fitsAPhone, isAccessible, open, run, serve, text } from './harness.mjs';

const LONGEST_PAUSE = 30_000;                // ms, of chat.js between two attempts to connect

const appears = (page, what) => page.waitForFunction((w) => document.querySelector('main').innerText.includes(w),
    { timeout: PATIENCE }, what);
const said = (page) => page.$$eval('.said li[data-key]:not(.waits) p', (all) => all.map((p) => p.textContent));
// It is stored: who says it shows it before.
const isSaid = (page, what) => page.waitForFunction((w) => Array.from(document.querySelectorAll('.said li[data-key]:not(.waits) p'))
    .some((p) => p.textContent === w), { timeout: PATIENCE }, what);
const hereIs = (page, names) => page.waitForFunction((n) => n.every((name) =>
    Array.from(document.querySelectorAll('.here li')).some((li) => li.textContent === name)), { timeout: PATIENCE }, names);

async function enter(browser, address, room, name, mode, may = null) {
    const page = await open(browser, mode, may);
    await page.goto(`${address}/chat/${room}?name=${name}`);
    await page.waitForSelector('.state.up', { timeout: PATIENCE });
    return page;
}

async function say(page, what) {
    await page.focus('textarea');
    await page.keyboard.type(what);
    await page.keyboard.press('Enter');
}

async function chats(browser, address, mode) {
    const ann = await enter(browser, address, `room-${mode}`, 'Ann', mode), bob = await enter(browser, address, `room-${mode}`, 'Bob', mode);
    await hereIs(ann, ['Ann', 'Bob']);
    await hereIs(bob, ['Ann', 'Bob']);
    await say(ann, 'Hello <b>Bob</b>');
    await isSaid(bob, 'Hello <b>Bob</b>');
    for (let i = 0; i < 5; i++) {
        await say(i % 2 ? ann : bob, `number ${i}`);
        await isSaid(ann, `number ${i}`);
        await isSaid(bob, `number ${i}`);
    }
    const all = ['Hello <b>Bob</b>', ...Array.from({ length: 5 }, (_, i) => `number ${i}`)];
    for (const page of [ann, bob])
        check(JSON.stringify(await said(page)) === JSON.stringify(all), `${mode}: they see ${await said(page)}`);
    await ann.reload();
    await ann.waitForSelector('.state.up', { timeout: PATIENCE });
    check(JSON.stringify(await said(ann)) === JSON.stringify(all), `${mode}: after a reload ${await said(ann)}`);
    check(await ann.$eval('input[name=name]', (input) => input.value) === 'Ann', `${mode}: the name is forgotten`);
    await isAccessible(ann, mode, 'a room');
    await bob.close();
    await ann.waitForFunction(() => !document.querySelector('.here').innerText.includes('Bob'), { timeout: PATIENCE });
    await ann.goto(`${address}/chat`);
    check((await text(ann)).includes(`room-${mode}`), `${mode}: the room is not among the rooms`);
    await isAccessible(ann, mode, 'the rooms');
    await ann.type('input[name=room]', `other-${mode}`);
    await Promise.all([ann.waitForNavigation({ timeout: PATIENCE }), ann.keyboard.press('Enter')]);
    check(ann.url() === `${address}/chat/other-${mode}`, `${mode}: the new room is ${ann.url()}`);
    await ann.close();
}

async function chatsWithoutScripts(browser, address, mode) {
    const page = await open(browser, mode);
    await page.setJavaScriptEnabled(false);
    await page.goto(`${address}/chat/plain-${mode}`);
    await page.type('input[name=name]', 'Zo\u00eb');
    await page.type('textarea', 'by a form');
    await Promise.all([page.waitForNavigation({ timeout: PATIENCE }), page.click('.say button')]);
    check((await text(page)).includes('by a form'), `${mode}: what was said by a form is not there`);
    check(await page.$eval('input[name=name]', (input) => input.value) === 'Zo\u00eb', `${mode}: the form forgets the name`);
    await page.close();
}

async function seesNewPosts(browser, address, mode) {
    const page = await open(browser, mode), user = `${address}/users/${55 + MODES.indexOf(mode)}`;
    const post = (title) => fetch(`${user}/posts`, { method: 'POST', headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ title, body: 'In *Markdown* <script>alert(1)</script>' }) });
    const titles = () => page.$$eval('main > article h2', (all) => all.map((h) => h.textContent));
    await page.goto(user);
    const before = await titles();
    await post('At once');                   // perhaps before events come, and then it is looked for
    await appears(page, 'At once');
    for (let i = 1; i <= 5; i++)
        await post(`Live ${i}`);
    await page.waitForFunction(() => document.querySelectorAll('.fresh').length === 6, { timeout: PATIENCE });
    const expected = ['Live 5', 'Live 4', 'Live 3', 'Live 2', 'Live 1', 'At once', ...before];
    check(JSON.stringify(await titles()) === JSON.stringify(expected), `${mode}: the posts are ${await titles()}`);
    check(await page.$eval('main > article', (a) => a.querySelector('em') !== null && a.querySelector('script') === null),
        `${mode}: a new post is not rendered as others are`);
    await isAccessible(page, mode, 'a user');
    await page.reload();
    check(JSON.stringify(await titles()) === JSON.stringify(expected), `${mode}: after a reload the posts are ${await titles()}`);
    await page.close();
}

// One address before two servers, as a proxy is; which leads to the one that it was turned to, or nowhere.
function relay() {
    const sockets = new Set();
    let target;
    const server = createServer((client) => {
        if (!target) {
            client.destroy();
            return;
        }
        const there = connect(target);
        for (const [from, to] of [[client, there], [there, client]]) {
            sockets.add(from);
            from.on('error', () => to.destroy());
            from.on('close', () => { sockets.delete(from); to.destroy(); });
            from.pipe(to);
        }
    });
    return new Promise((listening) => server.listen(0, '127.0.0.1', () => listening({
        address: `http://127.0.0.1:${server.address().port}`,
        turn: (address) => { target = address && { host: '127.0.0.1', port: Number(new URL(address).port) }; },
        close: () => { server.close(); sockets.forEach((socket) => socket.destroy()); },
    })));
}

async function outlivesAServer(browser, database, mode) {
    const one = await serve(mode, { database }), two = await serve(mode, { database });
    const front = await relay();
    front.turn(one.address);
    const room = `pair-${mode}`, may = /WebSocket connection|ERR_|EventSource/;
    const ann = await enter(browser, front.address, room, 'Ann', mode, may), bob = await enter(browser, two.address, room, 'Bob', mode);
    await hereIs(ann, ['Ann', 'Bob']);
    await hereIs(bob, ['Ann', 'Bob']);
    await say(ann, 'from the one');
    await isSaid(bob, 'from the one');
    front.turn(null);                        // its port may soon be that of another server
    await one.kill();
    await ann.waitForSelector('.state.away', { timeout: PATIENCE });
    await say(ann, 'while there is no server');
    await ann.waitForSelector('.waits', { timeout: PATIENCE });
    await say(bob, 'from the other');
    await isSaid(bob, 'from the other');
    front.turn(two.address);
    await ann.waitForSelector('.state.up', { timeout: LONGEST_PAUSE + PATIENCE });
    await isSaid(bob, 'while there is no server');
    await isSaid(ann, 'from the other');
    await ann.waitForFunction(() => !document.querySelector('.waits'), { timeout: PATIENCE });
    const all = ['from the one', 'from the other', 'while there is no server'];
    for (const page of [ann, bob])
        check(JSON.stringify(await said(page)) === JSON.stringify(all), `${mode}, two servers: they see ${await said(page)}`);
    await ann.close();
    await bob.close();
    front.close();
    await two.stop();
}

await run('real_time', async (browser) => {
    for (const mode of MODES) {
        const server = await serve(mode);
        await chats(browser, server.address, mode);
        await chatsWithoutScripts(browser, server.address, mode);
        await seesNewPosts(browser, server.address, mode);
        const page = await open(browser, mode);
        await fitsAPhone(page, server.address, mode, ['/chat', `/chat/room-${mode}`, '/users/55']);
        await page.close();
        await server.stop();
        if (process.env.POSTGRES_FOR_TESTS)
            await outlivesAServer(browser, process.env.POSTGRES_FOR_TESTS, mode);
    }
});

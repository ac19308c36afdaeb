/* chat.js - a room by websocket: what is said appears at once, and nothing is lost or doubled when the connection is.
 *
 * Each message has an id, which grows, and a key, which its sender made up. After a pause we ask for what is newer than the last
 * id that we have, and send again, with its old key, what the server has not confirmed. Without scripts the same form works. */
'use strict';

const chat = document.querySelector('.chat');
const room = chat.dataset.room;
const said = document.querySelector('.said'), list = said.querySelector('ol');
const here = document.querySelector('.here'), state = document.querySelector('.state');
const form = document.querySelector('.say');
const { name: nameField, text: textField, key: keyField } = form.elements;

const FIRST_PAUSE = 500, LONGEST_PAUSE = 30_000;     // ms between two attempts
const SILENCE = 60_000;                              // the server says who is there more often than that
const HERE_LASTS = 50_000;                           // what it said of that counts so long
const PENDING = `chat/${room}/pending`;

let last = Number(chat.dataset.last);                // the id of the newest message that we have
let socket = null, attempts = 0, timer = 0, ready = false, heard = 0;
const pending = new Map();                           // by key: what is not confirmed, in the order of being sent
const servers = new Map();                           // who is there, at each of them

// What the browser keeps: a name, and what was not sent when the page was closed. Where it keeps nothing, that is no harm.
function recall(storage, key) {
    try { return window[storage].getItem(key); } catch { return null; }
}
function remember(storage, key, value) {
    try { window[storage].setItem(key, value); } catch { /* private windows may refuse */ }
}

const newKey = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
const own = (name) => name === nameField.value.trim();

function showTime(time) {
    const at = new Date(time.dateTime), today = at.toDateString() === new Date().toDateString();
    time.textContent = at.toLocaleString([], today ? { timeStyle: 'short' } : { dateStyle: 'medium', timeStyle: 'short' });
}

function element(tag, text, className = '') {
    const made = document.createElement(tag);
    made.textContent = text;
    made.className = className;
    return made;
}

function line({ name, text, at, key }) {
    const item = element('li', '', own(name) ? 'own' : '');
    const time = element('time', '');
    item.dataset.key = key;
    if (at) {
        time.dateTime = new Date(at * 1000).toISOString();
        showTime(time);
    } else {
        time.textContent = 'on its way';
    }
    item.append(element('b', name), ' ', time, element('p', text));
    return item;
}

// Who has scrolled up to read is not disturbed.
function put(item, before = null) {
    const atEnd = said.scrollHeight - said.scrollTop - said.clientHeight < 80;
    list.querySelector('.empty')?.remove();
    list.insertBefore(item, before);
    if (atEnd || item.classList.contains('waits'))
        said.scrollTop = said.scrollHeight;
}

function keepPending() {
    remember('sessionStorage', PENDING, JSON.stringify(Array.from(pending.values(), ({ key, name, text }) => ({ key, name, text }))));
}

function settled(key) {
    pending.get(key)?.item.remove();
    if (pending.delete(key))
        keepPending();
}

function waits(message) {
    const item = line(message);
    item.classList.add('waits');
    pending.set(message.key, { ...message, item });
    put(item);
}

// Before what is not stored yet: the order is that of the ids.
function onMessage(id, message) {
    if (id <= last)
        return;
    last = id;
    settled(message.key);
    put(line(message), list.querySelector('.waits'));
}

function refused(key, why) {
    const one = pending.get(key);
    settled(key);
    if (one && textField.value === '')
        textField.value = one.text;
    if (one || key === '')
        put(element('li', why, 'refused'));
}

function showHere() {
    const now = performance.now(), names = new Set();
    let count = 0;
    for (const [server, told] of servers) {
        if (now - told.heard > HERE_LASTS) {
            servers.delete(server);
            continue;
        }
        told.names.forEach((name) => names.add(name));
        count += Math.max(0, told.count - told.names.length);
    }
    const items = Array.from(names).sort((a, b) => a.localeCompare(b)).map((name) => element('li', name));
    if (items.length === 0)
        items.push(element('li', 'Nobody else is here yet.', 'meta'));
    else if (count > 0)
        items.push(element('li', `and ${count} more`, 'meta'));
    if (here.textContent !== items.map((item) => item.textContent).join(''))
        here.replaceChildren(...items);
}

function onHere({ server, names, count }, ago = 0) {
    servers.set(server, { names, count, heard: performance.now() - ago * 1000 });
    showHere();
}

function show(text, className) {
    state.className = `state ${className}`;
    state.textContent = text;
}

function send({ key, text }) {
    socket.send(JSON.stringify({ key, text }));
}

function onReady() {
    ready = true;
    attempts = 0;
    show(nameField.value.trim() ? 'Connected' : 'Connected. To say something, say who you are.', 'up');
    for (const one of pending.values())
        send(one);
}

function receive(bytes) {
    const { event, id, data, ago } = JSON.parse(bytes);
    heard = performance.now();
    switch (event) {
    case 'message': onMessage(id, data); break;
    case 'here':    onHere(data, ago); break;
    case 'ready':   onReady(); break;
    case 'refused':
        if (data.again)
            setTimeout(() => { if (ready && pending.has(data.key)) send(pending.get(data.key)); }, data.again);
        else
            refused(data.key, data.why);
        break;
    }
}

// A server that stops says so (1001): another one is there, and all its clients are on their way to it, so each takes its
// time. What breaks again and again is tried less and less often.
function onClosed({ code, reason }) {
    socket = null;
    ready = false;
    if (code === 1008) {
        show(reason || 'The server does not let us in.', 'away');
        return;
    }
    const most = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** attempts);
    const pause = code === 1001 ? Math.random() * 2 * FIRST_PAUSE : most / 2 + Math.random() * most / 2;
    attempts++;
    show(pause < 1500 ? 'Connecting again…' : `No connection. Trying again in ${Math.round(pause / 1000)} seconds.`, 'away');
    timer = setTimeout(connect, pause);
}

function connect() {
    const address = new URL(`/ws/chat/${room}`, location.href);
    address.protocol = location.protocol.replace('http', 'ws');
    address.searchParams.set('name', nameField.value.trim());
    address.searchParams.set('after', last);
    clearTimeout(timer);
    const mine = socket = new WebSocket(address);
    heard = performance.now();
    mine.addEventListener('message', (event) => { if (mine === socket) receive(event.data); });
    mine.addEventListener('close', (event) => { if (mine === socket) onClosed(event); });
}

// Leaves the old one behind, whether it knows or not.
function connectAgain() {
    const old = socket;
    socket = null;
    ready = false;
    old?.close();
    connect();
}

let connectedAs = '';
function nameChanged() {
    const name = nameField.value.trim();
    if (name === connectedAs || !nameField.checkValidity())
        return;
    connectedAs = name;
    remember('localStorage', 'chat/name', name);
    for (const item of list.querySelectorAll('li[data-key]'))
        item.classList.toggle('own', own(item.querySelector('b').textContent));
    connectAgain();
}

form.addEventListener('submit', (event) => {
    event.preventDefault();
    const text = textField.value.trim();
    if (text === '')
        return;
    nameChanged();
    const message = { key: newKey(), name: nameField.value.trim(), text };
    waits(message);
    keepPending();
    if (ready)
        send(message);
    textField.value = '';
    textField.focus();
});

textField.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        form.requestSubmit();
    }
});
nameField.addEventListener('change', nameChanged);

window.addEventListener('online', () => { if (!ready) connectAgain(); });
window.addEventListener('pageshow', (event) => { if (event.persisted) connectAgain(); });
setInterval(() => {
    showHere();
    if (socket && performance.now() - heard > SILENCE)
        connectAgain();                              // its end of the connection may have gone without a word
}, 5000);

list.querySelectorAll('time').forEach(showTime);
for (const { data, ago } of JSON.parse(here.dataset.told))
    onHere(data, ago);
nameField.value ||= recall('localStorage', 'chat/name') ?? '';
connectedAs = nameField.value.trim();
for (const item of list.querySelectorAll('li[data-key]'))
    item.classList.toggle('own', own(item.querySelector('b').textContent));
for (const message of JSON.parse(recall('sessionStorage', PENDING) ?? '[]'))
    if (!list.querySelector(`li[data-key="${CSS.escape(message.key)}"]`))
        waits(message);
said.scrollTop = said.scrollHeight;
connect();

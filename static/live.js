/* live.js - new posts appear on top of their author's page the moment they are stored, by server-sent events.
 *
 * An event names a post; its HTML is the server's, of the post's own page. Whenever events begin to come, and also when they do
 * again after a pause, we ask once for the newest posts: what was stored before the first event is among them. Without scripts
 * the page is what it was when it was asked for. */
'use strict';

const live = document.querySelector('.live');
const user = live.dataset.user;
const FIRST_PAUSE = 1000, LONGEST_PAUSE = 60_000;    // ms, between attempts of ours

let source = null, attempts = 0, timer = 0;
const coming = new Set();                            // ids of posts that are fetched now

const number = (article) => Number(article.id.replace('post-', ''));
const shown = () => Array.from(document.querySelectorAll('main > article'));
const newest = Math.max(0, ...shown().map(number));  // when the page was made

// Newest first, in whatever order they come.
function insert(post) {
    const older = shown().find((article) => number(article) < number(post));
    post.classList.add('fresh');
    if (older)
        older.before(post);
    else
        live.after(post);
    live.textContent = `New: ${post.querySelector('h2').textContent}`;
}

async function fetchPost(id) {
    const answer = await fetch(`/posts/${id}`, { headers: { Accept: 'text/html' } });
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
    const post = answer.ok && page.getElementById(`post-${id}`);
    if (post)
        insert(document.adoptNode(post));
}

// What is older than the page has its place on another one.
function show(id) {
    if (id <= newest || coming.has(id) || document.getElementById(`post-${id}`))
        return;
    coming.add(id);
    fetchPost(id).catch(() => { /* the next look shows it */ }).finally(() => coming.delete(id));
}

async function look() {
    const answer = await fetch(`/users/${user}`, { headers: { Accept: 'application/json' }, cache: 'no-cache' });
    if (!answer.ok)
        return;
    const { posts } = await answer.json();
    posts.forEach((post) => show(post.id));
}

// A connection that broke is the browser's to make again; an answer that is none, 503 for one, is ours.
function open() {
    clearTimeout(timer);
    source = new EventSource(`/events/users/${user}`);
    source.addEventListener('post', (event) => show(JSON.parse(event.data).id));
    source.addEventListener('open', () => {
        attempts = 0;
        look().catch(() => { /* the next one may succeed */ });
    });
    source.addEventListener('error', () => {
        if (source?.readyState !== EventSource.CLOSED)
            return;
        const most = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** attempts++);
        timer = setTimeout(open, most / 2 + Math.random() * most / 2);
    });
}

function close() {
    clearTimeout(timer);
    source?.close();
    source = null;
}

// A browser has few connections for each server: pages that nobody sees take none.
document.addEventListener('visibilitychange', () => {
    if (document.hidden)
        close();
    else if (!source)
        open();
});
if (!document.hidden)
    open();

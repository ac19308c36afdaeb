// server.js - the endpoints of tenk's load test on Node: http, and pg or postgres.js with named prepared statements.
//
//   node server.js PORT DATABASE_URL CONNECTIONS [pg | postgres]
//
// Without a database (an empty URL) there are no users.
'use strict';
const http = require('node:http');

const [port, url, connections, driver = 'pg'] = process.argv.slice(2);
const query = url ? opened(new URL(url.replace(/^postgresql:\/\/\//, 'postgresql://localhost/'))) : undefined;

// query(name, text, values) -> a promise of rows
function opened(parts) {
    const host = parts.searchParams.get('host') || parts.hostname;
    const at = Number(parts.searchParams.get('port') || parts.port || 5432);
    const user = parts.searchParams.get('user') || decodeURIComponent(parts.username);
    const database = parts.pathname.slice(1), max = Number(connections);
    if (driver === 'postgres') {
        const sql = require('postgres')({ host, port: at, path: host[0] === '/' ? `${host}/.s.PGSQL.${at}` : undefined,
            username: user, database, max, fetch_types: false });
        return (_, text, values) => sql.unsafe(text, values, { prepare: true });
    }
    const pool = new (require('pg').Pool)({ host, port: at, user, database, max, idleTimeoutMillis: 0 });
    pool.on('error', (error) => console.error(`lost a connection: ${error.message}`));     // else it ends the process
    return (name, text, values) => pool.query({ name, text, values }).then((result) => result.rows);
}

const USER = 'select id, name, email, created_at from users where id = $1';
const POSTS = 'select id, title, body, created_at from posts where user_id = $1 order by id desc limit 21';
const POST = 'insert into posts (user_id, title, body, created_at)' +
    ' select id, $2, $3, $4 from users where id = $1 returning id';

// Both give int8 as text, for numbers that JavaScript's cannot hold; these it can.
const numbers = ({ id, created_at, ...rest }) => ({ id: Number(id), ...rest, created_at: Number(created_at) });

function answer(response, status, type, body) {
    response.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) });
    response.end(body);
}

const json = (response, status, value) => answer(response, status, 'application/json', JSON.stringify(value));
const nothing = (response) => json(response, 404, { status: 404 });

async function user(response, id) {
    const [users, posts] = await Promise.all([query('user', USER, [id]), query('posts', POSTS, [id])]);
    if (users.length === 0)
        nothing(response);
    else
        json(response, 200, { user: numbers(users[0]), posts: posts.slice(0, 20).map(numbers), previous: null,
            next: posts.length > 20 ? `/users/${id}?page=2` : null });
}

async function post(request, response, id) {
    let text = '';
    request.setEncoding('utf8');             // a character may come in two pieces
    for await (const piece of request)
        text += piece;
    const { title, body } = JSON.parse(text);
    const now = Math.floor(Date.now() / 1000);
    const [stored] = await query('post', POST, [id, title, body, now]);
    if (!stored)
        return nothing(response);
    json(response, 201, { id: Number(stored.id), user_id: id, title, body, created_at: now });
}

async function handle(request, response) {
    const { method, url } = request;
    let match;
    if (url === '/plaintext')
        answer(response, 200, 'text/plain', 'Hello, World!');
    else if (url === '/json')
        json(response, 200, { message: 'Hello, World!' });
    else if ((match = /^\/sleep\?ms=(\d+)$/.exec(url)))
        setTimeout(() => answer(response, 200, 'text/plain; charset=utf-8', `Slept ${match[1]} ms.\n`), Number(match[1]));
    else if (method === 'GET' && (match = /^\/users\/(\d+)$/.exec(url)))
        await user(response, Number(match[1]));
    else if (method === 'POST' && (match = /^\/users\/(\d+)\/posts$/.exec(url)))
        await post(request, response, Number(match[1]));
    else
        nothing(response);
}

const server = http.createServer((request, response) => {
    handle(request, response).catch((error) => json(response, 500, { status: 500, detail: String(error) }));
});
server.keepAliveTimeout = server.requestTimeout = server.headersTimeout = 0;
server.listen({ port: Number(port), host: '127.0.0.1', backlog: 8192 });
process.on('SIGTERM', () => process.exit(0));

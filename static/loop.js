// loop.js - what a loop does, from /loop/events: live, slowly, or a step at a time. The page is whole without it: then it shows what the
// loop did while the page was made.
'use strict';

const KEPT = 6000;                           // events that one can step through
const TURNS = 48;                            // in the strip
const LISTS = ['next tick', 'ready', 'turn end', 'immediate'];
const OWN = 'GET /loop/events';
const stage = document.querySelector('.controls[data-loop]');        // null: there is no loop here
const id = (name) => document.getElementById(name);

function element(tag, words, kind) {
    const made = document.createElement(tag);
    if (words !== undefined)
        made.textContent = words;
    if (kind)
        made.className = kind;
    return made;
}

function duration(ns) {
    if (ns < 1e3)
        return `${ns} ns`;
    if (ns < 1e6)
        return `${(ns / 1e3).toFixed(ns < 1e4 ? 1 : 0)} µs`;
    return ns < 1e9 ? `${(ns / 1e6).toFixed(ns < 1e7 ? 1 : 0)} ms` : `${(ns / 1e9).toFixed(1)} s`;
}

// What is there after some of the events: each is applied once, in order. What is own is passed over where its end may be in a
// turn that is not told, since nothing was done in that but to look.
class State {
    constructor() {
        this.tasks = new Map();
        this.timers = new Map();
        this.lanes = new Map();
        this.threads = new Map();
        this.turn = null;
        this.phase = 'poll';
        this.now = 0;
        this.forget();
    }

    // What cannot be known any more, once something is missing.
    forget() {
        this.lists = Object.fromEntries(LISTS.map((l) => [l, []]));
        this.queries = [];
        this.jobs = [];
    }

    take(from, e, alike) {
        const at = from.findIndex((q) => q.name === e.name && q.for === e.for && alike(q));
        return at < 0 ? null : from.splice(at, 1)[0];
    }

    apply(e) {
        this.now = Math.max(this.now, e.at + (e.kind === 'sleep' ? e.took ?? 0 : 0));
        switch (e.kind) {
        case 'gap':
            this.forget();
            break;
        case 'sleep':
            this.turn = e.turn;
            this.phase = 'poll';
            break;
        case 'phase':
            this.phase = e.phase;
            break;
        case 'added':
            this.lists[e.list].push(e);
            break;
        case 'ran':
            this.lists[e.list].shift();
            break;
        case 'run':
            this.tasks.set(e.task, { ...this.tasks.get(e.task), name: e.name, for: e.for, awaits: null, since: e.at });
            break;
        case 'await':
            this.tasks.set(e.task, { ...this.tasks.get(e.task), for: e.for, awaits: e.name, place: e.place, since: e.at, parts: [] });
            break;
        case 'task_ended':
            this.tasks.delete(e.task);
            break;
        case 'timer_set':
            if (!e.own)
                this.timers.set(e.timer, e);
            break;
        case 'timer':
            this.timers.delete(e.timer);
            break;
        case 'timer_unset':
            this.timers.delete(e.timer);
            break;
        case 'query_sent':
            this.queries.push(e);
            break;
        case 'query_ran':
            this.take(this.queries, e, (q) => q.lane === e.lane) ?? this.take(this.queries, e, (q) => q.lane === 0);
            this.lanes.set(e.lane, e);
            break;
        case 'job_queued':
            if (!e.own)
                this.jobs.push(e);
            break;
        case 'job_ran':
            this.take(this.jobs, e, () => true);
            if (!e.own)
                this.threads.set(e.lane, e);
            break;
        }
    }

    copy() {
        const other = Object.assign(new State(), this);
        for (const name of ['tasks', 'timers', 'lanes', 'threads'])
            other[name] = new Map(this[name]);
        other.lists = Object.fromEntries(LISTS.map((l) => [l, [...this.lists[l]]]));
        other.queries = [...this.queries];
        other.jobs = [...this.jobs];
        return other;
    }
}

// The events that are kept, and how far one has come in them.
const film = {
    events: [], base: new State(), state: new State(), at: 0, mode: 'live', missed: 0, own: 0, until: 0,

    add(batch) {
        this.until = batch.until;
        this.own += batch.own_turns;
        if (this.mode !== 'live' && this.events.length + batch.events.length > KEPT) {
            this.missed += batch.events.length + batch.left_out.events;
            return;
        }
        if (batch.left_out.events > 0)
            this.events.push({ kind: 'gap', at: batch.events[0]?.at ?? batch.until, turn: null, ...batch.left_out });
        this.events.push(...batch.events);
        if (this.mode !== 'live')
            return;
        this.to(this.events.length);
        for (const e of this.events.splice(0, Math.max(0, this.events.length - KEPT)))
            this.base.apply(e);
        this.at = this.events.length;
    },

    to(at) {
        if (at < this.at) {
            this.state = this.base.copy();
            this.at = 0;
        }
        for (; this.at < at; this.at++)
            this.state.apply(this.events[this.at]);
    },

    current() { return this.events[this.at - 1]; },

    // The events of the turn in which one is: from where to where. Live, the last one in which something was done for somebody.
    turn() {
        let first = this.at - 1;
        if (this.mode === 'live')
            while (first > 0 && !(this.events[first].for && !this.events[first].own))
                first--;
        if (this.mode === 'live' && first <= 0)
            first = this.at - 1;
        const turn = this.events[first]?.turn;
        let end = first + 1;
        while (first > 0 && this.events[first - 1].turn === turn)
            first--;
        while (end < this.events.length && this.events[end].turn === turn)
            end++;
        return [Math.max(first, 0), end];
    },

    live() {
        if (this.missed > 0) {
            this.events = [];
            this.base = new State();
            this.state = new State();
            this.at = 0;
        }
        this.missed = 0;
        this.to(this.events.length);
    },
};

// Drawing.

const WORDS = {
    gap: (e) => `${e.events} events of ${e.turns} turns are left out: too much happened`,
    sleep: (e) => `poll slept for ${duration(e.took ?? 0)}`,
    phase: (e) => e.phase,
    callback: (e) => e.name ?? 'a callback',
    added: (e) => `${e.list} has ${e.name ?? 'one more'}`,
    ran: (e) => `from ${e.list}: ${e.name ?? ''}`,
    run: (e) => `task ${e.name} runs`,
    await: (e) => `awaits ${e.name}()`,
    waited: (e) => `has waited for ${e.name}() for ${duration(e.took ?? 0)}`,
    admitted: (e) => `request is admitted: it waited for ${e.name}, ${duration(e.took ?? 0)}`,
    task_ended: (e) => `task ${e.name} has ended`,
    timer_set: (e) => `timer for ${e.name ?? ''}, due in ${duration(Math.max(0, e.due - e.at))}`,
    timer_unset: () => 'a timer is stopped',
    timer: (e) => `timer: ${e.name ?? ''}`,
    request_begun: (e) => `request begins`,
    request: (e) => `request is answered, after ${duration(e.took ?? 0)}`,
    query_sent: (e) => `query ${e.name} is sent${e.lane ? ` on ${laneName(e.lane)}` : ''}`,
    query_ran: (e) => `query ${e.name} ran meanwhile: ${laneName(e.lane)}`,
    query: (e) => `query ${e.name} is answered, after ${duration(e.took ?? 0)}`,
    job_queued: (e) => `job for ${e.name} is queued`,
    job_ran: (e) => `job of ${e.name} ran on thread ${e.lane} meanwhile`,
    job: (e) => `job of ${e.name} is done`,
    settled: (e) => `promise of ${e.name}() settles`,
};

function eventItem(e, begun, depth) {
    const item = element('li', undefined, `${e.kind}${e.own ? ' own' : ''}`);
    item.style.setProperty('--depth', Math.min(depth, 5));
    item.append(element('span', e.kind === 'sleep' || e.kind === 'gap' ? '' : `+${duration(Math.max(0, e.at - begun))}`, 'at'));
    const words = element('span', WORDS[e.kind]?.(e) ?? e.kind, 'words');
    if (e.took && ['callback', 'ran', 'run', 'timer', 'phase', 'query_ran', 'job_ran'].includes(e.kind))
        words.append(' ', element('small', duration(e.took)));
    if (e.for)
        words.append(' ', element('b', e.for));
    if (e.place && e.kind !== 'timer_set')
        words.append(' ', element('small', e.place));
    item.append(words);
    return item;
}

const SPANS = new Set(['phase', 'callback', 'ran', 'run', 'timer']);

function drawEvents() {
    const [first, end] = film.turn(), turn = film.events.slice(first, end);
    const sleep = turn.find((e) => e.kind === 'sleep'), begun = sleep ? sleep.at + (sleep.took ?? 0) : turn[0]?.at ?? 0;
    const ends = [], list = id('events');
    const items = turn.slice(0, 400).map((e, i) => {
        while (ends.length > 0 && (e.at >= ends.at(-1) || e.kind === 'phase'))
            ends.pop();
        const item = eventItem(e, begun, ends.length);
        if (SPANS.has(e.kind))
            ends.push(e.at + (e.took ?? 0));
        if (first + i >= film.at)
            item.classList.add('ahead');
        return item;
    });
    list.replaceChildren(...items);
    const current = items[film.at - 1 - first];
    if (current && film.mode !== 'live') {
        current.setAttribute('aria-current', 'step');
        list.scrollTop = current.offsetTop - list.offsetTop - list.clientHeight / 2;
    }
}

// What was called in each phase, as far as one has come.
function callsOf(turn) {
    const calls = {};
    let phase = 'poll';
    for (const e of turn) {
        if (e.kind === 'phase')
            phase = e.phase;
        if (['callback', 'ran', 'timer'].includes(e.kind))
            calls[phase] = (calls[phase] ?? 0) + 1;
    }
    return calls;
}

function drawRing() {
    const { phase } = film.state, current = film.current(), [first, end] = film.turn();
    const calls = callsOf(film.events.slice(first, Math.min(end, film.at))), turn = film.events[first]?.turn ?? null;
    const asleep = film.mode === 'live' || !current || current.kind === 'sleep';
    for (const group of document.querySelectorAll('g.phase')) {
        const name = group.dataset.phase;
        group.classList.toggle('lit', name === (asleep ? 'poll' : phase));
        group.classList.toggle('busy', (calls[name] ?? 0) > 0);
        group.querySelector('.calls').textContent = calls[name] || '';
    }
    id('turn-title').textContent = film.mode === 'live' && film.current()?.turn !== turn ? 'The last turn that did something for somebody' : 'This turn';
    id('ring-turn').textContent = turn === null ? 'nothing yet' : `turn ${turn}`;
    id('ring-what').textContent = asleep ? 'sleeps in poll' : phase;
    const last = film.events.at(-1);
    id('ring-time').textContent = film.mode !== 'live' || !last ? (current?.took && current.kind === 'sleep' ? `for ${duration(current.took)}` : '')
        : `for ${duration(Math.max(0, film.until - last.at - (SPANS.has(last.kind) ? last.took ?? 0 : 0)))}`;
}

function listOf(rows, nothing) {
    if (rows.length === 0)
        return element('p', nothing, 'meta');
    const list = element('ul');
    list.append(...rows);
    return list;
}

function row(words, whom, more) {
    const item = element('li', words, whom === OWN ? 'own' : undefined);
    if (whom)
        item.append(' ', element('b', whom));
    if (more)
        item.append(' ', element('small', more));
    return item;
}

function drawReady() {
    const all = LISTS.map((name) => {
        const list = film.state.lists[name], item = element('li', `${name}: ${list.length || 'none'}`);
        if (list.length > 0)
            item.append(' ', element('small', list.slice(0, 4).map((e) => e.name ?? '?').join(', ') + (list.length > 4 ? ', ...' : '')));
        item.dataset.list = name;
        item.dataset.count = list.length;
        return item;
    });
    id('ready').replaceChildren(listOf(all, ''));
}

function drawTimers() {
    const { timers, now } = film.state;
    const at = film.mode === 'live' ? film.until : now, LATE = 1e9;      // one that is so late was stopped unseen
    const due = [...timers.values()].filter((t) => t.due > at - LATE).sort((a, b) => a.due - b.due);
    const rows = due.slice(0, 8).map((t) => row(`in ${duration(Math.max(0, t.due - at))}: ${t.name ?? ''}`, t.for));
    if (due.length > 8)
        rows.push(row(`and ${due.length - 8} more`));
    id('timers').replaceChildren(listOf(rows, 'None is set that was seen.'));
    id('timers').dataset.count = due.length;
}

function laneName(lane) {
    if (stage.dataset.database === 'postgres')
        return `connection ${lane}`;
    return lane === 0 ? 'for any reader' : lane === 1 ? 'the writer' : `reader ${lane - 1}`;
}

// What threads do at the moment: live, for a recorder has it only when it is over.
function atWork(name) {
    return film.mode === 'live' ? (look?.at_work ?? []).filter((w) => w.name.startsWith(name)) : [];
}

function workRow(who, w) {
    return row(`${who}: runs ${w.what}`, w.for, `for ${Math.round(w.age_ms)} ms by now`);
}

function drawQueries() {
    const { queries, lanes } = film.state;
    const running = new Map(atWork('sqlite').map((w) => [w.name === 'sqlite writer' ? 1 : w.number + 1, w]));
    const numbers = [...new Set([...lanes.keys(), ...queries.map((q) => q.lane), ...running.keys()])].sort((a, b) => a - b);
    const rows = numbers.map((lane) => {
        if (running.has(lane))
            return workRow(laneName(lane), running.get(lane));
        const on = queries.filter((q) => q.lane === lane), last = lanes.get(lane);
        const words = on.length > 0 ? on.slice(0, 4).map((q) => q.name).join(', ') + (on.length > 4 ? `, ${on.length - 4} more` : '') : 'none';
        return row(`${laneName(lane)}: ${words}`, on[0]?.for, last ? `last ${last.name}, ${duration(last.took ?? 0)}` : '');
    });
    id('queries').replaceChildren(listOf(rows, 'None was seen.'));
    id('queries').dataset.count = queries.length;
}

function drawJobs() {
    const { jobs, threads } = film.state;
    const running = new Map(atWork('pool thread').map((w) => [(w.number - 1) % 255 + 1, w]));
    const rows = [...new Set([...threads.keys(), ...running.keys()])].sort((a, b) => a - b).map((n) => {
        const j = threads.get(n);
        return running.has(n) ? workRow(`thread ${n}`, running.get(n)) : row(`thread ${n}: last ${j.name}, ${duration(j.took ?? 0)}`, j.for);
    });
    if (jobs.length > 0)
        rows.unshift(row(`queued or running: ${jobs.length}`, jobs[0].for));
    id('jobs').replaceChildren(listOf(rows, 'None was seen.'));
    id('jobs').dataset.count = jobs.length;
}

function waitRow(w) {
    const line = element('tr', undefined, w.for === OWN ? 'own' : undefined);
    const what = element('td', w.awaits ?? w.state);
    if (w.place)
        what.append(' ', element('small', w.place));
    for (const part of w.parts ?? [])
        what.append(element('br'), element('small', part));
    line.append(element('td', w.for ?? ''), what, element('td', `${Math.round(w.age_ms)} ms`, 'number'));
    return line;
}

let look = null;

function drawWaits() {
    if (film.mode === 'live' && look) {
        id('waits').replaceChildren(...look.waits.map(waitRow));
        const more = look.count > look.waits.length ? ` The ${look.waits.length} oldest are shown.` : ' The oldest first.';
        id('waits-said').textContent = look.mode === 'threads' ? `${look.count} with a request, ${look.idle} idle.${more}` : `${look.count}.${more}`;
    } else if (film.mode !== 'live') {
        const { tasks, now } = film.state;
        const all = [...tasks.values()].filter((t) => t.awaits).sort((a, b) => a.since - b.since);
        id('waits').replaceChildren(...all.slice(0, 100).map((t) => waitRow({ ...t, age_ms: (now - t.since) / 1e6 })));
        id('waits-said').textContent = `${all.length} tasks, at this event. The oldest first.`;
    }
}

const SVG = 'http://www.w3.org/2000/svg';

function shape(tag, attributes) {
    const made = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes))
        made.setAttribute(name, value);
    return made;
}

// Where each turn begins, how long it was busy, and how long poll slept before.
function lastTurns() {
    const turns = [];
    film.events.forEach((e, i) => {
        if (e.kind === 'sleep')
            turns.push({ turn: e.turn, at: i, slept: e.took ?? 0, began: e.at + (e.took ?? 0), busy: 0 });
        else if (e.kind === 'phase' && turns.length > 0 && turns.at(-1).turn === e.turn)
            turns.at(-1).busy = e.at + (e.took ?? 0) - turns.at(-1).began;
    });
    return turns.slice(-TURNS);
}

const tenfold = (ns, step) => Math.max(2, step * Math.log10(Math.max(1, ns / 1e3) + 1));

function drawStrip() {
    const turns = lastTurns(), svg = shape('svg', { viewBox: `0 0 ${TURNS * 16} 130`, preserveAspectRatio: 'none', role: 'img', 'aria-label': `${turns.length} turns` });
    for (let step = 1; step <= 5; step++)
        svg.append(shape('path', { class: 'grid', d: `M0 ${90 - 17 * step} H${TURNS * 16}` }));
    turns.forEach((t, i) => {
        const busy = tenfold(t.busy, 17), slept = tenfold(t.slept, 6);
        const bar = shape('g', { class: t.turn === film.state.turn ? 'bar lit' : 'bar' });
        bar.append(shape('rect', { class: 'hit', x: i * 16, y: 0, width: 16, height: 130 }),
            shape('rect', { class: 'busy', x: i * 16 + 2, y: 90 - busy, width: 12, height: busy }),
            shape('rect', { class: 'slept', x: i * 16 + 2, y: 92, width: 12, height: slept }));
        const title = shape('title', {});
        title.textContent = `turn ${t.turn}: busy for ${duration(t.busy)}, after ${duration(t.slept)} of sleep`;
        bar.append(title);
        svg.append(bar);
    });
    id('strip').replaceChildren(svg);
    id('strip').dataset.turns = turns.length;
}

// Where it was pressed counts: it may be drawn anew before it is let go.
function chooseTurn(e) {
    const box = id('strip').getBoundingClientRect(), turn = lastTurns()[Math.floor((e.clientX - box.left) / box.width * TURNS)];
    if (!turn)
        return;
    setMode('pause');
    film.to(turn.at + 1);
    draw();
}

let drawing = false;

function draw() {
    if (drawing)
        return;
    drawing = true;
    requestAnimationFrame(() => {
        drawing = false;
        drawRing();
        drawEvents();
        drawReady();
        drawTimers();
        drawQueries();
        drawJobs();
        drawWaits();
        drawStrip();
        id('missed').hidden = film.missed === 0;
        id('missed').textContent = `${film.missed} events went by since: Live goes on with what comes.`;
        document.querySelector('main').dataset.at = film.at;
        document.querySelector('main').dataset.mode = film.mode;
    });
}

// Controls.

function setMode(mode) {
    if (film.mode === mode)
        return;
    film.mode = mode;
    if (mode === 'live')
        film.live();
    for (const name of ['live', 'slow', 'pause'])
        id(name).setAttribute('aria-pressed', String(mode === name));
    if (mode === 'slow')
        play();
    draw();
}

// The next events, each as much later than the one before as it was, times so many; a long sleep is cut short.
let playing = 0;

function play() {
    clearTimeout(playing);
    if (film.mode !== 'slow')
        return;
    const factor = Number(id('speed').value), LONGEST = 700, SHORTEST = 25;
    let wait = 0;
    while (wait < SHORTEST && film.at < film.events.length) {
        const before = film.current();
        film.to(film.at + 1);
        const e = film.current();
        wait += e.kind === 'sleep' ? Math.min(LONGEST, (e.took ?? 0) * factor / 1e6)
            : before && before.kind !== 'sleep' ? Math.min(LONGEST, Math.max(0, e.at - before.at) * factor / 1e6) : 0;
    }
    draw();
    playing = setTimeout(play, Math.max(wait, SHORTEST));
}

function step(by) {
    setMode('pause');
    film.to(Math.min(Math.max(film.at + by, 1), film.events.length));
    draw();
}

function nextTurn() {
    setMode('pause');
    const [, end] = film.turn();
    film.to(Math.min(end + 1, film.events.length));
    draw();
}

const KEYS = {
    ' ': () => setMode(film.mode === 'pause' ? 'live' : 'pause'), l: () => setMode('live'), s: () => setMode('slow'),
    ArrowRight: () => step(1), ArrowLeft: () => step(-1), n: nextTurn,
};

async function make(path, times) {
    const said = id('said'), begun = performance.now();
    said.textContent = `GET ${path} ...`;
    try {
        const answers = await Promise.all(Array.from({ length: times }, () => fetch(path, { headers: { Accept: 'text/html' }, cache: 'no-store' })));
        await Promise.all(answers.map((a) => a.text()));
        said.textContent = `GET ${path}: ${answers[0].status} after ${Math.round(performance.now() - begun)} ms${times > 1 ? `, all ${times}` : ''}`;
    } catch {
        said.textContent = `GET ${path} was not answered`;
    }
}

function watchLoop(source) {
    for (const [name, act] of Object.entries({ live: () => setMode('live'), slow: () => setMode('slow'),
        pause: () => setMode(film.mode === 'pause' ? 'live' : 'pause'), back: () => step(-1), event: () => step(1), turn: nextTurn }))
        id(name).addEventListener('click', act);
    id('strip').addEventListener('pointerdown', chooseTurn);
    id('speed').addEventListener('change', () => film.mode === 'slow' && play());
    document.addEventListener('keydown', (e) => {
        if (e.target.closest('button, select, input, a, .scroll') || e.ctrlKey || e.altKey || e.metaKey || !KEYS[e.key])
            return;
        e.preventDefault();
        KEYS[e.key]();
    });
    source.addEventListener('turns', (message) => {
        film.add(JSON.parse(message.data));
        if (film.mode === 'live')
            draw();
    });
    stage.hidden = false;
    id('strip-panel').hidden = id('turn-panel').hidden = false;
    document.querySelector('.panels').hidden = false;
    id('plain').hidden = true;
    draw();
}

if (stage || id('no-loop')) {
    const source = new EventSource(`/loop/events?loop=${stage?.dataset.loop ?? 1}`);
    let entries = [];
    if (stage)
        watchLoop(source);
    source.addEventListener('look', (message) => {
        look = JSON.parse(message.data);
        if (film.mode === 'live') {          // else what is shown is of another time
            film.state.tasks = new Map(look.waits.filter((w) => w.is === 'task')
                .map((w) => [w.number, { ...w, since: film.until - w.age_ms * 1e6 }]));
            if (stage) {                     // threads have no panels but the waits
                drawQueries();
                drawJobs();
            }
            drawWaits();
        }
        for (const link of document.querySelectorAll('[data-loop]:is(a)')) {
            const n = Number(link.dataset.loop) - 1, more = look.entries[n] - (entries[n] ?? look.entries[n]);
            link.textContent = `loop ${n + 1}${more > 0 ? `: ${more} events a second` : ''}`;
        }
        entries = look.entries;
    });
    const row = document.querySelector('.controls.make');
    row.hidden = false;
    for (const button of row.querySelectorAll('button'))
        button.addEventListener('click', () => make(button.dataset.make, Number(button.dataset.times ?? 1)));
}

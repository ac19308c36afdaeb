/* patterns.js - Run without leaving the page, and a walk through what was recorded: from event to event, by buttons, by keys or
 * by itself, with the bar and the lines of C that it is about. Without scripts the same forms lead to the same pictures, with the
 * same events below them. */
'use strict';

/* data-line="14" or "14-17" */
function linesOf(element) {
    const [from, to] = (element?.dataset.line ?? '').split('-').map(Number);
    return Array.from({ length: from ? (to || from) - from + 1 : 0 }, (_, i) => document.getElementById(`L${from + i}`)).filter(Boolean);
}

function lightOnly(elements, within) {
    for (const lit of within.querySelectorAll('.lit'))
        lit.classList.remove('lit');
    for (const element of elements)
        element.classList.add('lit');
}

/* What a track did from an event on: its bar, or its mark. */
function barsOf(event, picture) {
    const at = Number(event.dataset.at), { track } = event.dataset;
    return Array.from(picture.querySelectorAll(`[data-track="${track}"]`)).filter((bar) => {
        const from = Number(bar.dataset.at), to = Number(bar.dataset.to);
        return from === at || (from < at && at < to);
    });
}

function cursorOf(picture) {
    const cursor = document.createElementNS(picture.namespaceURI, 'line');
    cursor.setAttribute('class', 'cursor');
    cursor.setAttribute('y1', '18');
    cursor.setAttribute('y2', picture.getAttribute('height'));
    return cursor;
}

function button(label, pressed) {
    const b = document.createElement('button');
    b.type = 'button';
    b.textContent = label;
    b.addEventListener('click', pressed);
    return b;
}

function enliven(result) {
    const stage = result.closest('.stage') ?? result, picture = result.querySelector('.picture');
    const events = Array.from(result.querySelectorAll('.events li')), total = Number(picture?.dataset.total);
    if (!picture || events.length === 0)
        return;
    const player = document.createElement('div'), slider = document.createElement('input'), said = document.createElement('output');
    const cursor = cursorOf(picture);
    let timer = 0;

    function go(to) {
        const event = events[to];
        slider.value = to;
        slider.setAttribute('aria-valuetext', event.textContent);
        said.textContent = event.textContent;
        lightOnly([event, ...barsOf(event, picture), ...linesOf(event)], stage);
        if (!total)
            return;
        const x = `${(100 * Number(event.dataset.at)) / total}%`;
        cursor.setAttribute('x1', x);
        cursor.setAttribute('x2', x);
        picture.append(cursor);
    }
    function stop() {
        clearInterval(timer);
        timer = 0;
        play.textContent = 'Play';
    }
    function step(by) {
        const to = Number(slider.value) + by;
        if (to >= 0 && to < events.length)
            go(to);
        else
            stop();
    }
    const play = button('Play', () => {
        if (timer)
            return stop();
        play.textContent = 'Pause';
        go(Number(slider.value) === events.length - 1 ? 0 : Number(slider.value));
        timer = setInterval(step, Math.max(60, Math.min(600, 15000 / events.length)), 1);
    });
    slider.type = 'range';
    slider.max = events.length - 1;
    slider.value = 0;
    slider.setAttribute('aria-label', 'Event');
    slider.addEventListener('input', () => { stop(); go(Number(slider.value)); });
    player.className = 'player';
    said.textContent = 'Go through it event by event: the line that runs is lit.';
    player.append(play, button('Back', () => { stop(); step(-1); }), button('Next', () => { stop(); step(1); }), slider, said);
    result.querySelector('.timeline').after(player);

    picture.addEventListener('pointerover', (over) => {
        const bar = over.target.closest('[data-line]');
        if (bar && !timer)
            lightOnly([bar, ...linesOf(bar)], stage);
    });
    picture.addEventListener('pointerout', () => { if (!timer) lightOnly([], stage); });
    for (const line of stage.querySelectorAll('.source li')) {
        line.addEventListener('pointerenter', () => {
            if (!timer)
                lightOnly([line, ...Array.from(picture.querySelectorAll('[data-line]')).filter((bar) => linesOf(bar).includes(line))], stage);
        });
    }
    for (const event of events)
        event.addEventListener('click', (click) => { if (!click.target.closest('a')) { stop(); go(events.indexOf(event)); } });
    result.addEventListener('replaced', stop);
}

/* The server answers with a whole page: its result is put in the place of the one here. */
async function show(form) {
    const address = new URL(form.action);
    address.search = new URLSearchParams(new FormData(form));        /* what was chosen */
    address.searchParams.set('run', '1');
    const answer = await fetch(address, { headers: { Accept: 'text/html' } });
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
    const here = form.parentElement.querySelector('.result');
    const there = page.querySelector('.result');
    here.dispatchEvent(new Event('replaced'));
    if (answer.ok && there) {
        here.replaceChildren(...there.childNodes);
        enliven(here);
    } else {
        const said = document.createElement('p');
        said.className = 'refusal';
        said.textContent = answer.status === 503
            ? 'As many patterns run already as may. Please try again in a moment.'
            : page.querySelector('main p')?.textContent ?? 'The server did not answer as expected.';
        here.replaceChildren(said);
    }
}

for (const result of document.querySelectorAll('.result'))
    enliven(result);

for (const form of document.querySelectorAll('form.run')) {
    form.addEventListener('submit', async (event) => {
        const button = form.querySelector('button');
        event.preventDefault();
        button.disabled = true;
        button.textContent = 'Running…';
        try {
            await show(form);
        } catch {
            form.submit();                   /* the network's own page says best what is wrong with it */
        }
        button.disabled = false;
        button.textContent = 'Run again';
    });
}

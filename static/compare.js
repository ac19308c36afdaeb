/* compare.js - starts a comparison, follows it by events, and draws it as it goes on: both modes side by side, and their curves over
 * one time axis. The sentence and the table are the server's: they are taken out of the page that it would show without scripts. */
"use strict";

(() => {
    const section = document.getElementById("compare");
    const form = section.querySelector("form"), button = form.querySelector("button");
    const status = section.querySelector(".compare-status"), live = section.querySelector(".compare-live");
    const MODES = ["async", "threads"], SVG = "http://www.w3.org/2000/svg";
    const MB = 1024 * 1024;
    const ROWS = [
        ["per_second", "answers a second", v => v.toFixed(0)],
        ["p50_ms", "p50, ms", v => v.toFixed(1)],
        ["p99_ms", "p99, ms", v => v.toFixed(1)],
        ["threads", "threads", v => v.toFixed(0)],
        ["cpu_percent", "processor, %", v => v.toFixed(0)],
        ["memory", "memory, MB", v => v.toFixed(1)],
        ["refused", "refused", v => v.toFixed(0)],
    ];
    const CHARTS = [
        ["held", "requests held", s => s.held],
        ["memory", "memory, MB", s => memory(s) / MB],
        ["per_second", "answers a second", s => s.per_second],
        ["cpu_percent", "processor, % of one", s => s.cpu_percent],
    ];
    let samples = [], run = null, source = null, looking = 0;

    function memory(s) { return s.stacks + s.kernel_stacks + s.rest; }

    function element(name, attributes = {}, text = "") {
        const e = name.startsWith("svg:") ? document.createElementNS(SVG, name.slice(4)) : document.createElement(name);
        for (const [key, value] of Object.entries(attributes))
            e.setAttribute(key, value);
        e.textContent = text;
        return e;
    }

    /* What a mode's card says: while the run goes on, its last sample; in the end, what all its turns were. */
    function figures(mode) {
        if (run && run.state === "done") {
            const f = run.modes[mode];
            return { ...f, ...f.memory, memory: memory(f.memory), address: f.address };
        }
        const last = samples.findLast(s => s.mode === mode);
        return last && { ...last, memory: memory(last) };
    }

    function drawMode(mode, most) {
        const f = figures(mode), turn = run && run.state === "running" && samples.length > 0 && samples.at(-1).mode === mode;
        const card = element("article", { class: "compare-mode", "data-mode": mode, "data-turn": turn });
        const title = element("h2", {}, mode === "async" ? "async: a loop" : "threads");
        title.append(element("small", {}, turn ? "has its turn" : f && run.state === "running" ? "as its turn ended" : ""));
        card.append(title);
        const held = element("p", { class: "held" });
        held.append(element("span", { "data-key": "held" }, f ? String(f.held) : "0"), element("small", {}, run && run.state === "done"
            ? "requests held at once" : "requests held"));
        card.append(held, drawMemory(mode, f, most));
        const list = element("dl");
        for (const [key, what, show] of ROWS)
            list.append(element("dt", {}, what), element("dd", { "data-key": key }, f ? show(key === "memory" ? f.memory / MB : f[key]) : "–"));
        card.append(list);
        return card;
    }

    /* Stacks, the kernel's stacks and the rest, both cards in one scale. */
    function drawMemory(mode, f, most) {
        const name = f ? `memory: ${(f.stacks / MB).toFixed(1)} MB of ${mode === "async" ? "task" : "thread"} stacks, ` +
            `${(f.kernel_stacks / MB).toFixed(1)} MB of the kernel's, ${(f.rest / MB).toFixed(1)} MB of all else` : "memory";
        const svg = element("svg:svg", { viewBox: "0 0 100 8", preserveAspectRatio: "none", height: 10, role: "img", "aria-label": name });
        let at = 0;
        for (const [part, kind] of [["stacks", "stacks"], ["kernel_stacks", "kernel"], ["rest", "rest"]]) {
            const width = f && most > 0 ? 100 * f[part] / most : 0;
            svg.append(element("svg:rect", { class: `part part-${kind} ${kind === "kernel" ? "" : `of-${mode}`}`, x: at, y: 0, width, height: 8,
                "data-bytes": f ? f[part] : 0 }));
            at += width;
        }
        return svg;
    }

    /* One quantity over the time of the run: an area for each turn, in the colour of its mode. */
    function drawChart(width, [key, what, value]) {
        const LEFT = 4, TOP = 20, HEIGHT = 56, end = Math.max(1000, ...samples.map(s => s.at_ms));
        const most = Math.max(1, ...samples.map(value)), x = s => LEFT + (width - 2 * LEFT) * s.at_ms / end, y = v => TOP + HEIGHT * (1 - v / most);
        const svg = element("svg:svg", { viewBox: `0 0 ${width} ${TOP + HEIGHT + 2}`, height: TOP + HEIGHT + 2, role: "img", "data-chart": key,
            "aria-label": `${what} over ${(end / 1000).toFixed(0)} seconds: ` +
                MODES.map(m => `${m} up to ${Math.max(0, ...samples.filter(s => s.mode === m).map(value)).toFixed(0)}`).join(", ") });
        svg.append(element("svg:text", { x: LEFT, y: 13 }, what));
        svg.append(element("svg:text", { x: width - LEFT, y: 13, "text-anchor": "end", class: "soft" }, `up to ${most < 10 ? most.toFixed(1) : most.toFixed(0)}`));
        svg.append(element("svg:line", { x1: LEFT, x2: width - LEFT, y1: TOP + HEIGHT, y2: TOP + HEIGHT, class: "axis" }));
        for (const turn of new Set(samples.map(s => s.turn))) {
            const of = samples.filter(s => s.turn === turn);
            const points = of.map(s => `${x(s).toFixed(1)},${y(value(s)).toFixed(1)}`).join(" L");
            svg.append(element("svg:path", { class: `area of-${of[0].mode}`, "data-mode": of[0].mode, "data-samples": of.length,
                d: `M${x(of[0]).toFixed(1)},${TOP + HEIGHT} L${points} L${x(of.at(-1)).toFixed(1)},${TOP + HEIGHT} Z` }));
        }
        return svg;
    }

    /* Whose turn it was, and when: the axis of all charts. */
    function drawTurns(width) {
        const LEFT = 4, end = Math.max(1000, ...samples.map(s => s.at_ms)), x = ms => LEFT + (width - 2 * LEFT) * ms / end;
        const svg = element("svg:svg", { viewBox: `0 0 ${width} 34`, height: 34, role: "img", "aria-label": "whose turn it was, over seconds" });
        for (const turn of new Set(samples.map(s => s.turn))) {
            const of = samples.filter(s => s.turn === turn), from = x(of[0].at_ms), to = x(of.at(-1).at_ms);
            svg.append(element("svg:rect", { class: `of-${of[0].mode}`, x: from, y: 2, width: Math.max(1, to - from), height: 3 }));
            svg.append(element("svg:text", from < width - 60 ? { x: from, y: 18 } : { x: width - LEFT, y: 18, "text-anchor": "end" }, of[0].mode));
        }
        const step = [1, 2, 5, 10].find(s => end / 1000 / s < width / 48) || 20;
        for (let s = 0; s * 1000 <= end; s += step)
            svg.append(element("svg:text", { x: x(s * 1000), y: 32, class: "soft", "text-anchor": s ? "middle" : "start" }, s + step > end / 1000 ? `${s} s` : s));
        return svg;
    }

    function draw() {
        if (samples.length === 0 && !(run && run.state === "running")) {
            live.replaceChildren();
            return;
        }
        const width = Math.max(200, live.parentElement.clientWidth);
        const most = Math.max(0, ...MODES.map(m => figures(m)).filter(Boolean).map(f => f.memory));
        const modes = element("div", { class: "compare-modes" });
        modes.append(...MODES.map(m => drawMode(m, most)));
        const legend = element("p", { class: "compare-legend" });
        for (const [kind, what] of [["stacks", "stacks"], ["kernel", "the kernel's stacks of threads"], ["rest", "requests, buffers, heap"]])
            legend.append(element("span", { class: `key key-${kind}` }), `${what} `);
        live.replaceChildren(modes, legend, ...(samples.length ? [...CHARTS.map(c => drawChart(width, c)), drawTurns(width)] : []));
    }

    function say(words) { status.textContent = words; }

    /* The sentence and the table, as the page has them without scripts. */
    async function takeResults() {
        const page = new DOMParser().parseFromString(await (await fetch("/compare", { headers: { Accept: "text/html" } })).text(), "text/html");
        for (const old of section.querySelectorAll(".compare-figures, .compare-room"))
            old.remove();
        section.querySelector(".compare-sentence").replaceWith(page.querySelector(".compare-sentence"));
        const room = page.querySelector(".compare-room"), table = page.querySelector(".compare-figures");
        if (room)
            section.querySelector(".compare-sentence").after(room);
        if (table)
            live.after(table);
    }

    async function ask() {
        return (await fetch("/compare", { headers: { Accept: "application/json" } })).json();
    }

    /* Where measuring begins there may be two at once. */
    function isLater(s, than) {
        return s.at_ms > than.at_ms || (s.at_ms === than.at_ms && s.measures && !than.measures);
    }

    async function look() {
        run = await ask();
        samples = run.samples;
        return run;
    }

    async function end() {
        clearInterval(looking);
        if (source)
            source.close();
        source = null;
        await look();
        await takeResults();
        say(run.state === "failed" ? run.why : run.state === "done" ? "Done." : "");
        button.disabled = false;
        section.dataset.running = run.state === "running";
        section.dataset.run = run.run;
        draw();
    }

    function follow() {
        button.disabled = true;
        section.dataset.running = "true";
        section.querySelector(".compare-sentence").hidden = true;
        const mine = source = new EventSource("/events/compare/run");
        /* What was before the first event: samples, and perhaps the end. */
        source.addEventListener("open", async () => {
            const now = await ask(), last = now.samples.at(-1);
            if (source !== mine)
                return;
            samples = last ? [...now.samples, ...samples.filter(s => isLater(s, last))] : samples;
            draw();
            if (now.state !== "running")
                end();
        });
        source.addEventListener("sample", e => {
            const s = JSON.parse(e.data);
            if (samples.length > 0 && !isLater(s, samples.at(-1)))
                return;
            samples.push(s);
            say(`${s.mode} ${s.measures ? "serves" : "opens connections"}: turn ${s.turn + 1} of 4.`);
            draw();
        });
        source.addEventListener("state", e => {
            if (JSON.parse(e.data).state !== "running")
                end();
        });
        /* An event may be lost with its connection: so it is asked now and then, too. */
        looking = setInterval(async () => {
            const now = await ask();
            if (now.state !== "running" && source === mine)
                end();
        }, 4000);
    }

    form.addEventListener("submit", async event => {
        event.preventDefault();
        if (button.disabled)
            return;
        button.disabled = true;
        samples = [];
        const answer = await fetch("/compare", { method: "POST", headers: { Accept: "application/json" },
            body: new URLSearchParams(new FormData(form)) });
        const said = await answer.json();
        if (!answer.ok) {
            say(said.detail);
            button.disabled = false;
            return;
        }
        run = said;
        say("It begins.");
        draw();
        follow();
    });

    addEventListener("resize", draw);
    look().then(() => {
        if (run.state === "running")
            follow();
        draw();
    });
})();

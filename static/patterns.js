/* patterns.js - Run without leaving the page. Without scripts the same forms lead to the same timelines. */
'use strict';

/* The server answers with a whole page: its result is put in the place of the one here. */
async function show(form) {
    const address = new URL(form.action);
    address.searchParams.set('run', '1');
    const answer = await fetch(address, { headers: { Accept: 'text/html' } });
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
    const here = form.parentElement.querySelector('.result');
    const there = page.querySelector('.result');
    if (answer.ok && there) {
        here.replaceChildren(...there.childNodes);
    } else {
        const said = document.createElement('p');
        said.className = 'refusal';
        said.textContent = answer.status === 503
            ? 'As many patterns run already as may. Please try again in a moment.'
            : page.querySelector('main p')?.textContent ?? 'The server did not answer as expected.';
        here.replaceChildren(said);
    }
}

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

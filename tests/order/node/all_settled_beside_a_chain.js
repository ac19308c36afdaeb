// all_settled_beside_a_chain.js - allSettled waits for all, never fails, and tells what became of
// each.
'use strict';
const { say, soon } = require('./say');

let rungs = soon();
for (let i = 1; i <= 4; i++) rungs = rungs.then(() => say('rung ' + i));

const fails = () => { throw new Error('no'); };
const parts = [soon().then(() => say('part 1')), soon().then(fails), Promise.resolve()];
Promise.allSettled(parts).then((outcomes) => {
    for (const outcome of outcomes) say(outcome.status);
});

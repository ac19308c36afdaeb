// all_that_fails.js - the first error of all is the error of all. The other parts settle in the
// same turn: ours drain.
'use strict';
const { say, soon } = require('./say');

let rungs = soon();
for (let i = 1; i <= 4; i++) rungs = rungs.then(() => say('rung ' + i));

const fails = () => { throw new Error('no'); };
Promise.all([soon().then(() => say('part')), soon().then(fails), soon().then(fails)])
    .then(() => say('not this')).catch(() => say('caught')).then(() => say('goes on'));

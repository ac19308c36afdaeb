// all_beside_a_chain.js - all settles one turn after its last part: seen beside a chain that goes
// on a rung a turn.
'use strict';
const { say, soon } = require('./say');

let rungs = soon();
for (let i = 1; i <= 5; i++) rungs = rungs.then(() => say('rung ' + i));

Promise.all([soon(), Promise.resolve(), soon().then(() => say('part'))]).then(() => say('all'));
Promise.all([Promise.resolve(), Promise.resolve()]).then(() => say('all that had settled'));

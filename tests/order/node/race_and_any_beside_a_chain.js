// race_and_any_beside_a_chain.js - race settles with the first, any with the first success. All
// parts settle in one turn: ours drain.
'use strict';
const { say, soon } = require('./say');

let rungs = soon();
for (let i = 1; i <= 4; i++) rungs = rungs.then(() => say('rung ' + i));

const failed = () => soon().then(() => { throw new Error('no'); });
Promise.race([failed(), soon().then(() => {})]).then(() => say('not this'), () => say('race: the first failed'));
Promise.any([failed(), soon().then(() => {})]).then(() => say('any: the second succeeded'));
Promise.any([failed(), failed()]).catch(() => say('any: none succeeded'));
Promise.race([Promise.resolve(), Promise.resolve()]).then(() => say('race of two that had settled'));

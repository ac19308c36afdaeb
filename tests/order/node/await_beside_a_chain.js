// await_beside_a_chain.js - an await goes on one turn after its promise settles, as a then does.
'use strict';
const { say, soon } = require('./say');

async function waits() {
    say('called: runs at once');
    await soon();
    say('await 1');
    await soon();
    say('await 2');
}
soon().then(() => say('then 1')).then(() => say('then 2')).then(() => say('then 3')).then(() => say('then 4'));
waits().then(() => say('returned'));
say('script');

// await_that_fails.js - an error that nobody handles ends the function; one that is handled does
// not.
'use strict';
const { say, soon } = require('./say');

const fails = () => { throw new Error('no'); };
async function handles() {
    try {
        await soon().then(fails);
        say('not this');
    } catch {
        say('handled in place');
    }
    await soon();
    say('and on');
}
async function passesOn() {
    await soon().then(fails);
    say('nor this');
}
handles().then(() => say('it succeeded'));
passesOn().then(() => say('nor that')).catch(() => say('its caller handles it'));

// timers_cleared_by_timers.js - a timer may clear one of the same moment, one of later, and itself.
'use strict';
const { say } = require('./say');

let same, later, own;
own = setTimeout(() => {
    say('clears');
    clearTimeout(same);
    clearTimeout(later);
    clearTimeout(own);
    setTimeout(() => say('set anew'), 20);
    clearTimeout(own);
}, 5);
same = setTimeout(() => say('not this'), 5);
setTimeout(() => say('the next'), 5);
later = setTimeout(() => say('nor this'), 10);

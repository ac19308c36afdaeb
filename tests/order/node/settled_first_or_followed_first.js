// settled_first_or_followed_first.js - followers run in the order of settling, or of following what
// has settled.
'use strict';
const { say } = require('./say');

let settleLate, settleEarly;
const late = new Promise((settle) => { settleLate = settle; });
const early = new Promise((settle) => { settleEarly = settle; });
late.then(() => say('followed first, settled last'));
early.then(() => say('followed second, settled first'));
settleEarly();
Promise.resolve().then(() => say('had settled when it was followed'));
settleLate();
say('nothing has run yet');

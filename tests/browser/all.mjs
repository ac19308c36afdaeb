// all.mjs - every test in a browser, in one browser. The patterns mostly wait, for about as long as all the others take.
import { together } from './harness.mjs';

await together(['patterns'], ['site', 'choices', 'real_time', 'loop', 'requests', 'compare']);

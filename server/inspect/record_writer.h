/* record_writer.h - this process writes its own recorders down, when a signal or a slow request asks for it.
 *
 * A thread waits for that (recorder_ask, recorder.h), and looks at its own process as tenk record does from outside: no loop
 * waits for it. The files are FOLDER/tenk-PID-N.json, and FOLDER/tenk-PID-N.svg with the picture of the same, with N from 0 to 9
 * and then from 0 again: so there are ten of each at most. */
#ifndef INSPECT_RECORD_WRITER_H
#define INSPECT_RECORD_WRITER_H

/* From now on SIGUSR1 asks, too. folder is the caller's, and stays. 0, or a negative error. */
int  record_writer_start(const char *folder);
void record_writer_stop(void);               /* what was asked for by then is written first; no-op if it was not started */

#endif

/*
 * prompt.h - the prompt, a module (prompt.so) that is loaded only when there is a terminal
 */
#ifndef UI_PROMPT_H
#define UI_PROMPT_H

struct shell;

/* Read and run commands until the end. Returns the exit status: 0, or 128 + the signal that asked belljar to stop. */
int prompt_run(struct shell *sh);
typedef int prompt_run_fn(struct shell *sh);

#endif

"""The web process: it checks what comes in, writes it into the table of tasks, and reads answers from it."""
